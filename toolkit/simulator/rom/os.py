"""The built-in os with the board's name and the size of its flash."""
import uos as _os
from _vboard import ask


def __getattr__(name):
    if name == "__all__":
        return [known for known in dir(_os) if known[0] != "_"] + ["uname", "statvfs", "rename"]
    return getattr(_os, name)


def uname():
    from collections import namedtuple
    name = str(ask("get platform\n"), "utf-8")
    fields = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))
    return fields(name, name, "1.29.0", "v1.29.0 on 2026-07-05", str(ask("get machine\n"), "utf-8"))


def statvfs(path):
    blocks = ask("get blocks\n")
    free = max(0, blocks - ask("get used\n"))
    return (4096, 4096, blocks, free, free, 0, 0, 0, 0, 255)


def rename(old, new):
    """VfsPosix builds all full paths in one buffer, so `/old` to `/new` would rename /new to itself."""
    before = _os.getcwd()
    old, new = [path if path[0] == "/" else before.rstrip("/") + "/" + path for path in (old, new)]
    _os.chdir("/")             # relative paths need no buffer
    try:
        _os.rename(old, new[1:])
    finally:
        _os.chdir(before)
