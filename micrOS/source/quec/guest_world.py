"""What blocking programs find: their own `utime` and `_thread`; `code` is another word for `usr`, as /code for /usr."""
import builtins
import os
import sys

import guest_machine
import guest_thread
import guest_time
from Files import exists
from pure.lazy import once


class _Mirror:
    """A file system at /code that is the folder /usr."""

    def mount(self, is_read_only, is_new):
        pass

    umount = mount

    def open(self, path, mode):
        return open(_real(path), mode)

    def stat(self, path):
        return os.stat(_real(path))

    def statvfs(self, path):
        return os.statvfs(_real(path))

    def ilistdir(self, path):
        return os.ilistdir(_real(path))

    def mkdir(self, path):
        os.mkdir(_real(path))

    def rmdir(self, path):
        os.rmdir(_real(path))

    def remove(self, path):
        os.remove(_real(path))

    def rename(self, old, new):
        os.rename(_real(old), _real(new))

    def chdir(self, path):
        os.chdir(_real(path))


def _real(path):
    return ("/usr/" + path.strip("/")).rstrip("/")


@once
def enter():
    """Once and for good: who imports what does not change under a running program."""
    sys.modules["utime"] = guest_time
    sys.modules["_thread"] = guest_thread
    original = builtins.__import__

    def imported(name, *how):
        if name == "code" or name[:5] == "code.":
            name = "usr" + name[4:]
        return original(name, *how)

    builtins.__import__ = imported
    if not exists("/code"):
        import vfs
        vfs.mount(_Mirror(), "/code")


def while_importing():
    """{name: module}: what a program's own imports find; see Baton.Guest.modules."""
    return {"machine": guest_machine, "time": guest_time}
