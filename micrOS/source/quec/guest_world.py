"""What programs find: their own `utime` and `_thread`; `code` is another word for `usr`, as /code for /usr."""
import asyncio
import builtins
import gc
import os
import sys

import guest_machine
import guest_time
import blocking
from Files import exists
from micropython import const
from pure.lazy import once

_WHILE_LOADING = const(16384)     # bytes between two collections: what stays shall not be strewn between garbage
_FIRST_TURNS = const(20)          # in which a program that cannot begin says so


class _Threads:
    """`_thread`, in memory as soon as it is used."""

    def __getattr__(self, name):
        return getattr(__import__("guest_thread"), name)


class _Mirror:
    """A file system at /code that is the folder /usr."""

    main = ""                    # program that is being looked for, to be run as `__main__`

    def mount(self, is_read_only, is_new):
        pass

    umount = mount

    def open(self, path, mode):
        if path.strip("/").rpartition(".")[0] == _Mirror.main:
            _christen()
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
    sys.modules["_thread"] = _Threads()
    original = builtins.__import__

    def imported(name, *how):
        if name == "code" or name[:5] == "code.":
            name = "usr" + name[4:]
        return original(name, *how)

    builtins.__import__ = imported
    if not exists("/code"):
        import vfs
        vfs.mount(_Mirror(), "/code")


def run(program):
    """Import `usr.<program>`: that is how a program starts; it finds itself called `__main__`. Returns the module.

    In a guest's thread it may wait, in the loop it must not. Meanwhile `machine` is that of QuecPython, which has
    Pin.GPIO1 and ExtInt; a built-in type takes no more names. Raises what it raises.
    """
    enter()
    blocking.borrow({"machine": guest_machine, "time": guest_time})
    gc.collect()
    gc.threshold(_WHILE_LOADING)
    try:
        return _imported(program)
    finally:
        gc.threshold(-1)
        blocking.give_back()


async def begun(guest):
    """Give a guest that loads a program its first turns. Raises what it raised in them; later ones are alarms."""
    guest.is_loading = True
    for _ in range(_FIRST_TURNS):
        if guest.is_over:
            return guest.outcome()
        await asyncio.sleep_ms(0)
    return asyncio.create_task(_told(guest))


async def _told(guest):
    try:
        await guest.over()
    except (Exception, SystemExit):      # outer wall: nobody else waits for it
        from Baton import blame
        blame(guest)


def _imported(program):
    """From /code, for there we hear when its file is opened: then the module is made, and not yet run."""
    _Mirror.main = program.replace(".", "/")
    sys.modules["usr"].__path__ = "/code"
    try:
        return __import__("usr." + program, None, None, ("app",))
    finally:
        _back()


def _christen():
    sys.modules["usr." + _Mirror.main.replace("/", ".")].__name__ = "__main__"
    _back()


def _back():
    _Mirror.main = ""
    sys.modules["usr"].__path__ = "/usr"
