"""Feeds an external watchdog chip: a pulse of a second at each period."""
from Common import once


@once
def _dogs():
    """[the WatchDog that runs, its facts]"""
    return [None, {}]


def start(pin, period_ms=10000, done=None):
    """Pulse a pin each period. done: pin on which the chip answers; it is published as WDT_KICK_TOPIC"""
    import usr               # noqa: F401 - opens the door to QuecPython's world
    from usr.bin.third_party.ql_interrupter import WatchDog
    if period_ms <= 1000:
        raise ValueError("period_ms is more than the pulse of 1000, got {}".format(period_ms))
    stop()
    _dogs()[0] = WatchDog(pin, 0, period_ms, done)
    _dogs()[0].start()
    _dogs()[1] = {"pin": pin, "period_ms": period_ms, "done": done}
    return state()


def stop():
    if _dogs()[0]:
        _dogs()[0].stop()
    _dogs()[0], _dogs()[1] = None, {}
    return state()


def state():
    return dict(_dogs()[1], runs=_dogs()[0] is not None)


def help():
    return "start pin period_ms=10000 done=<pin>", "stop", "state"
