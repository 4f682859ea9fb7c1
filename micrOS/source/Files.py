"""Files that survive a power cut: written beside, then renamed over."""
import os
from micropython import const

IF_MODE = ".if_mode"         # tells the loader what to boot: micros, webrepl, off
_DIR = const(0x4000)                # st_mode of a folder
_BESIDE = ".new"             # what a file is called until it is whole


def write_whole(path, pieces, last_good=None):
    """Replace a file in one step. pieces: iterable of str or of bytes. Raises OSError; then the old file stands.

    last_good: name under which the file before is kept; a power cut between the two renames leaves only that.
    No flush and no remove on the way: both were seen to leave torn or missing files on littlefs.
    """
    beside = path + _BESIDE
    try:
        with open(beside, "wb") as file:
            for piece in pieces:
                file.write(piece)
        if last_good and exists(path):
            os.rename(path, last_good)
        os.rename(beside, path)
    except OSError:
        remove(beside)
        raise


def read(path):
    """Text of a file, None when it is not there or is no UTF-8 text."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, UnicodeError):
        return None


def remove(path):
    """True when there was such a file."""
    try:
        os.remove(path)
    except OSError:
        return False
    return True


def exists(path):
    return _mode(path) is not None


def is_dir(path):
    mode = _mode(path)
    return mode is not None and mode & 0xF000 == _DIR


def names(folder):
    """Names in a folder, [] when it is not there."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _mode(path):
    try:
        return os.stat(path)[0]
    except OSError:
        return None
