"""Where the toolkit keeps what outlives a run: the user's data folder of this system."""
import atexit
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

from toolkit.errors import UsageError

ADVICE = "set MICROS_DATA to a folder of yours"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:      # neither HOME nor an entry for this user
        raise UsageError(f"this user has no home folder: {ADVICE}") from None


def _from_variable(variable: str, *below_home: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value else _home().joinpath(*below_home)


def data_dir() -> Path:
    """Folder for inventories and the flash of virtual boards; not created here.

    MICROS_DATA wins; else the system's usual place plus `micrOS`. Raises UsageError when the user has no home.
    """
    own = os.environ.get("MICROS_DATA", "")
    if own:
        return Path(own).expanduser()
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / "micrOS"
    if os.name == "nt":
        return _from_variable("APPDATA", "AppData", "Roaming") / "micrOS"
    return _from_variable("XDG_DATA_HOME", ".local", "share") / "micrOS"


def cache_dir() -> Path:
    """A folder for what can be made anew: it is there, and can be written.

    MICROS_CACHE wins; else it lies in data_dir(); where that cannot be written, it is one for this run only.
    """
    own = os.environ.get("MICROS_CACHE", "")
    try:
        folder = Path(own).expanduser() if own else data_dir() / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, UsageError):
        pass
    return _for_this_run()


@cache
def _for_this_run() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="micros-cache-")
    atexit.register(folder.cleanup)
    return Path(folder.name)
