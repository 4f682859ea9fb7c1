"""What the system of this node is called, and the way to restart it: what a program of a host asks of its system."""
import asyncio
import os

from InterpreterShell import VERSION
from TaskManager import manager

LINUX = WIN32 = MACOS = POSIX = False
OTHER = True
_NOT_SUPPORTED = 18


def os_name():
    return "micrOS"


def os_version():
    return VERSION


def os_kernel():
    system = os.uname()
    return "{} {}".format(system.sysname, system.release)


def execl(*args):
    """18: there are no programs to become."""
    return _NOT_SUPPORTED


def system_reboot(delay=0, force=True):
    """0. delay: minutes; force: as there is nobody to ask, it changes nothing"""
    manager().start("cloud.restart", _restarted(60 * delay))
    return 0


def system_shutdown(delay=0, reboot=False, force=True):
    """18, unless it is to come up again: a node has no off."""
    return system_reboot(delay) if reboot else _NOT_SUPPORTED


async def _restarted(delay_s):
    await asyncio.sleep(delay_s)
    from Staging import restart
    await restart()
