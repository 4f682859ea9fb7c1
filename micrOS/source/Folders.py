"""What is seldom asked of a path: is it a folder, make its folders; in memory only for that."""
import os

from micropython import const

_KIND = const(0xF000)            # of st_mode
_FOLDER = const(0x4000)


def is_dir(path):
    try:
        return os.stat(path)[0] & _KIND == _FOLDER
    except OSError:
        return False


def make_folders(path):
    """The folders of a path that ends with a name, or with `/`."""
    at = path.find("/", 1)
    while at > 0:
        if not is_dir(path[:at]):
            os.mkdir(path[:at])
        at = path.find("/", at + 1)
