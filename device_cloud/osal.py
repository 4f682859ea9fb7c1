"""What the operating system is called, and the ways to restart and to stop it."""
from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from typing import NoReturn

from device_cloud.constants import STATUS_EXECUTION_ERROR, STATUS_NOT_FOUND, STATUS_SUCCESS

LINUX, WIN32, MACOS = sys.platform.startswith("linux"), sys.platform == "win32", sys.platform == "darwin"
POSIX = os.name == "posix"
OTHER = not (POSIX or WIN32)
_COMMAND_S = 60


def os_name() -> str:
    """Of the distribution, where there is one."""
    return _release().get("NAME") or platform.system()


def os_version() -> str:
    return _release().get("VERSION_ID") or platform.version()


def os_kernel() -> str:
    return platform.release()


def execl(*args: str) -> NoReturn:
    """Be this program from now on. args: its path, then its arguments"""
    os.execv(args[0], args)


def system_reboot(delay: int = 0, force: bool = True) -> int:
    """Status. delay: minutes; force: do not ask programs on Windows"""
    return system_shutdown(delay, True, force)


def system_shutdown(delay: int = 0, reboot: bool = False, force: bool = True) -> int:
    """Status. It needs the right to do so: of root, or by polkit."""
    if WIN32:
        words = ["shutdown", "/r" if reboot else "/s", "/t", str(60 * delay), *(["/f"] if force else [])]
    else:
        words = ["shutdown", "-r" if reboot else "-h", f"+{delay}" if delay else "now"]
    if shutil.which(words[0]) is None:
        return STATUS_NOT_FOUND
    done = subprocess.run(words, capture_output=True, timeout=_COMMAND_S)
    return STATUS_SUCCESS if done.returncode == 0 else STATUS_EXECUTION_ERROR


def _release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
