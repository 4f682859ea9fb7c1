"""QuecPython programs: `/usr/<program>.py` runs unchanged."""
import sys

from Files import exists, names

# what a program names that waits: it gets a thread, which costs 10 KB
_WAITS = (b"utime", b" time", b"\x08time\0", b"_thread", b"queue", b"wait_", b"waitNetwork", b"blinker", b"qframe")
_PIECE_BYTES = 512


async def run(program="main"):
    """Start /usr/<program>.py. It runs beside the shell; once: it stays in memory until a reboot."""
    import usr               # noqa: F401 - opens the door to QuecPython's world
    full = "usr.{}".format(program)
    if full in sys.modules:
        return "{} runs already".format(program)
    baton = None
    if _waits(program):
        from Baton import LASTING, baton
    if baton:
        from guest_world import begun
        await begun(baton.start(_begin, (program, full), None, LASTING + program))
    else:
        _begin(program, full)
    return "{} runs".format(program)


def _begin(program, full):
    from guest_world import run as run_it
    try:
        run_it(program)
    except BaseException:
        sys.modules.pop(full, None)
        raise


def _waits(program):
    """Does the program itself name what waits? Bytecode has names as they are, behind twice their length."""
    path = "/usr/{}".format(program.replace(".", "/"))
    path += ".py" if exists(path + ".py") else ".mpy"
    if not exists(path):
        return False
    with open(path, "rb") as file:
        before, piece = b"", file.read(_PIECE_BYTES)
        while piece and not [word for word in _WAITS if word in before + piece]:
            before, piece = piece[-16:], file.read(_PIECE_BYTES)
    return bool(piece)


def programs():
    """What lies in /usr."""
    found = [name.rpartition(".")[0] for name in names("/usr") if name.endswith((".py", ".mpy")) and name[:2] != "__"]
    return "\n".join(sorted(found)) or "none; put <name>.py into /usr"


def help():
    return "run <program>", "programs"
