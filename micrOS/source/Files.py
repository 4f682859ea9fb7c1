"""Files that survive a power cut: written beside, then renamed over."""
import os

IF_MODE = ".if_mode"         # tells the loader what to boot: micros, webrepl, off
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
    try:
        return bool(os.stat(path))
    except OSError:
        return False


def names(folder):
    """Names in a folder, [] when it is not there."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
