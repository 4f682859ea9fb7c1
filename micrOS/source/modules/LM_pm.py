"""Saving power by vote: the node calms down, or sleeps when its radio is off, while nobody holds a lock."""


def _service():
    import usr               # noqa: F401 - opens the door to QuecPython's world
    from usr.bin.pm_service import PMService
    service = PMService()
    if not service.status():
        service.start()
    return service


def load():
    """From now on the node saves power."""
    return state()


def lock():
    """Keep it awake; each lock needs its unlock."""
    _service().lock()
    return state()


def unlock():
    _service().unlock()
    return state()


def radio(on=True):
    """Switch the Wi-Fi station; off, and the node sleeps between its tasks."""
    _service()
    import net
    net.setModemFun(1 if on else 0)
    return state()


def state():
    """{"locks", "awake", "asleep_s": seconds slept so far}"""
    service = _service()
    import pm
    return {"locks": service.count(), "awake": pm.is_awake(), "asleep_s": service.asleep_s()}


def help():
    return "load", "lock", "unlock", "radio on=True", "state"
