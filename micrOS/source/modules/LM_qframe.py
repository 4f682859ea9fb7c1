"""QFrame programs of QuecPython: `/usr/<program>.py` runs unchanged, in threads that share the node with the shell."""
import sys

from Common import once

_STAYS = ("usr.qframe", "usr.bin", "usr.utils")


class Program:
    """name: of /usr/<name>.py, "" when none was started"""

    def __init__(self):
        self.name = ""
        self._before = ()

    @property
    def app(self):
        return getattr(sys.modules.get("usr." + self.name), "app", None)

    def begin(self, name):
        """In a guest: import it, and have its `app` loop unless it does itself."""
        import guest_world
        try:
            module = guest_world.run(name)
        except BaseException:
            self._forget()
            raise
        if hasattr(self.app, "mainloop") and not self.app.is_looping:
            getattr(module, "poweron_print_once", _nothing)()
            self.app.mainloop()

    def start(self, name):
        import usr               # noqa: F401 - opens the door to QuecPython's world
        from Baton import need
        if self.is_running():
            raise RuntimeError("{} runs; one at a time: qframe stop".format(self.name))
        guest = need().start(self.begin, (name,), None, name)
        self.name, self._before = name, set(sys.modules)
        return guest

    def stop(self):
        """Its threads end with their present or next wait; it can be started anew."""
        from Baton import HANDLER, LASTING, need
        if hasattr(self.app, "close"):
            self.app.close()
        for guest in need().guests:
            if guest.name != HANDLER and not guest.owner.startswith(LASTING):
                guest.stop()
        self._forget()

    def _forget(self):
        for name in list(sys.modules):
            if name[:4] == "usr." and name not in self._before and not name.startswith(_STAYS):
                del sys.modules[name]
        self.name = ""

    def is_running(self):
        return self.name != "" and "usr." + self.name in sys.modules


def _nothing():
    pass


@once
def _program():
    return Program()


async def start(program="main"):
    """Start /usr/<program>.py; where it has an `app`, its mainloop too. At boot: boothook = qframe start <program>"""
    guest = _program().start(program)
    from guest_world import begun
    await begun(guest)
    return "{} runs".format(program)


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
