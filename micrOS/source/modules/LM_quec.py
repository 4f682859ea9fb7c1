"""QuecPython programs: `/usr/<program>.py` runs unchanged."""
import sys

from Files import names


def run(program="main"):
    """Start /usr/<program>.py. It runs beside the shell; once: it stays in memory until a reboot."""
    import usr               # noqa: F401 - opens the door to QuecPython's world
    from quec import door
    full = "usr.{}".format(program)
    if full in sys.modules:
        return "{} runs already".format(program)
    try:
        door.run(program)
    except BaseException:
        sys.modules.pop(full, None)
        raise
    return "{} runs".format(program)


def programs():
    """What lies in /usr."""
    found = [name.rpartition(".")[0] for name in names("/usr") if name.endswith((".py", ".mpy")) and name[:2] != "__"]
    return "\n".join(sorted(found)) or "none; put <name>.py into /usr"


def help():
    return "run <program>", "programs"
