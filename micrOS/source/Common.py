"""What load modules import: one table of names, each loaded when first asked for."""
from micropython import const

from Debug import errlog_add
from Modules import modules

_MOST_TASKS = const(24)           # of load modules, running: more is a leak

_HOME = {
    "once": "pure.lazy",
    "Saved": "Saved",
    "SmartADC": "Analog",
    "data_logger": "DataLog",
    "notify": "Notify",
    "transition": "pure.fade",
    "transition_gen": "pure.fade",
}


def __getattr__(name):
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(name)
    module = __import__(home, None, None, (name,))
    globals()[name] = getattr(module, name)
    return globals()[name]


def socket_stream(function):
    """Decorator: `msgobj(text)` writes a line to the client that asked, while the function runs."""
    def streaming(*args, **kwargs):
        if kwargs.get("msgobj") is None:
            kwargs["msgobj"] = modules().say
        return function(*args, **kwargs)
    return streaming


def micro_task(tag, task=None):
    """Without task: the Task of this tag, or None.

    With a coroutine: True when started, None when tag is running, False when it is no coroutine or too many run.
    """
    from TaskManager import manager
    known = manager().get(tag)
    if task is None:
        return known
    if known and known.active:
        return None
    is_full = len([other for other in manager().tasks if other.active and not other.protected]) >= _MOST_TASKS
    if is_full or not hasattr(task, "send"):
        # one text for tags that only count up: a leak shall not fill err.log
        errlog_add("[ERR] task of {}: {}".format(
            tag.partition(".")[0].rstrip("0123456789"),
            "{} run already".format(_MOST_TASKS) if is_full else "a coroutine is wanted, got {}".format(task)))
        return False
    manager().start(tag, task)
    return True


def fade(tag, start, end, show, duration_ms):
    """Go smoothly from one tuple of numbers to another: show(values) at each step, in the task `tag`.

    A fade that runs under this tag ends first.
    """
    import asyncio
    from pure.fade import walk
    from TaskManager import manager
    running = manager().get(tag)
    if running:
        running.cancel()
    manager().start(tag, walk(start, end, show, duration_ms, asyncio.sleep_ms))
