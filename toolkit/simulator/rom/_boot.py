"""What the firmware does before and around the user's files."""
# ruff: noqa: F821 - execfile is MicroPython's
import os
import sys
import vfs
import _vboard

BOOTED = "\x1b]vboard-booted\x07"      # tells the host where the REPL begins; no program prints it by accident


class _Sys:
    # the built-in sys cannot be overridden by a file; `from sys import x` asks sys.modules
    def __init__(self, platform):
        self.platform = platform

    def __getattr__(self, name):
        return getattr(sys, name)


def install():
    """Put the board's own modules where every import finds them, under both names.

    They are there before the root is mounted: a file Time.py on a disk that ignores case never becomes `time`.
    """
    modules = sys.modules
    for name in ("time", "os", "socket"):
        modules[name] = modules["u" + name] = __import__(name)
    modules["sys"] = _Sys(str(_vboard.ask("get platform\n"), "utf-8"))


def _run(name, names):
    try:
        execfile(name, names)
    except OSError as error:
        if error.errno != 2:
            sys.print_exception(error, sys.stdout)
    except SystemExit:                     # sys.exit and machine.soft_reset: the ports boot anew, the unix VM would not
        _vboard.tell("soft\n")
        _vboard.dead()
    except (Exception, KeyboardInterrupt) as error:
        sys.print_exception(error, sys.stdout)


def run(names, root, with_main):
    """names: globals of __main__; with_main: False after a soft reset out of the raw REPL."""
    vfs.mount(vfs.VfsPosix(root), "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib", "/rom"]
    for name in [name for name in names if not name.startswith("__")]:
        del names[name]
    _run("boot.py", names)
    if with_main:
        _vboard.tell("main\n")
        _run("main.py", names)
    sys.stdout.write(BOOTED)
