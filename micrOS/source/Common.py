"""What load modules import: one table of names, each loaded when first asked for."""
from Modules import modules

_HOME = {
    "once": "pure.lazy",
    "Saved": "Saved",
    "SmartADC": "Analog",
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
    """Without task: the Task of this tag, or None. With a coroutine: True when started, None when tag is running."""
    from TaskManager import manager
    if task is None:
        return manager().get(tag)
    return True if manager().start(tag, task) else None


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
