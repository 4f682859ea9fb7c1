"""QFrame programs of QuecPython: `/usr/<program>.py` runs unchanged, in threads that share the node with the shell."""
import asyncio
import gc
import sys

from Common import once

_FIRST_TURNS = 20                 # in which a program that cannot begin says so
_WHILE_LOADING = 16384            # bytes between two collections, as quec.door
_STAYS = ("usr.qframe", "usr.bin", "usr.utils")


class Program:
    """name: of /usr/<name>.py, "" when none was started"""

    def __init__(self):
        self.name = ""
        self.app = None
        self._before = ()

    def begin(self, name):
        """In a guest: import it, and have its `app` loop unless it does itself."""
        try:
            self._import(name)
        except BaseException:
            self._forget()
            raise
        if hasattr(self.app, "mainloop") and not self.app.is_looping:
            self.app.mainloop()

    def _import(self, name):
        import guest_world
        from Baton import need
        guest_world.enter()
        need().borrow(guest_world.while_importing())
        gc.collect()
        gc.threshold(_WHILE_LOADING)
        try:
            module = __import__("usr." + name, None, None, ("app",))
        finally:
            gc.threshold(-1)
            need().give_back()
        self.app = getattr(module, "app", None)
        if hasattr(module, "poweron_print_once") and self.app and not self.app.is_looping:
            module.poweron_print_once()

    def start(self, name):
        import usr               # noqa: F401 - opens the door to QuecPython's world
        from Baton import need
        if self.is_running():
            raise RuntimeError("{} runs; one at a time: qframe stop".format(self.name))
        guest = need().start(self.begin, (name,), None, name)
        self.name, self.app, self._before = name, None, set(sys.modules)
        return guest

    def stop(self):
        """Its threads end with their present or next wait; it can be started anew."""
        from Baton import HANDLER, need
        if hasattr(self.app, "close"):
            self.app.close()
        for guest in need().guests:
            if guest.name != HANDLER:
                guest.stop()
        self._forget()

    def _forget(self):
        for name in list(sys.modules):
            if name[:4] == "usr." and name not in self._before and not name.startswith(_STAYS):
                del sys.modules[name]
        self.name, self.app = "", None

    def is_running(self):
        return self.name != "" and "usr." + self.name in sys.modules


@once
def _program():
    return Program()


async def start(program="main"):
    """Start /usr/<program>.py; where it has an `app`, its mainloop too. At boot: boothook = qframe start <program>"""
    guest = _program().start(program)
    for _ in range(_FIRST_TURNS):
        if guest.is_over:
            break
        await asyncio.sleep_ms(0)
    else:
        asyncio.create_task(_told(guest))
    if guest.is_over:
        guest.outcome()
    return "{} runs".format(program)


async def _told(guest):
    from Baton import blame
    try:
        await guest.over()
    except (Exception, SystemExit):
        blame(guest)


def stop():
    """End the program that runs. A thread that never waits cannot be ended."""
    name = _program().name
    if not name:
        return "none runs"
    _program().stop()
    return "{} is stopped".format(name)


def status():
    """The program, its extensions, and its threads with what they wait for."""
    from Baton import need
    program = _program()
    if not program.name:
        return "none runs"
    lines = [program.name]
    if hasattr(program.app, "extensions"):
        lines.append("extensions: {}".format(", ".join(program.app.extensions)))
    lines += ["{}: {}".format(guest.name, guest.state()) for guest in need().guests]
    return "\n".join(lines)


def help():
    return "start <program>", "stop", "status"
