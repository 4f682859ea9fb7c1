"""What is seldom asked about a path; in memory only for that."""
import os

from micropython import const

_KIND = const(0xF000)            # of st_mode
_FOLDER = const(0x4000)


def is_dir(path):
    try:
        return os.stat(path)[0] & _KIND == _FOLDER
    except OSError:
        return False
