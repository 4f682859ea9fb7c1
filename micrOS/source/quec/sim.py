"""QuecPython's sim: is there a network that the node may join."""
from sys_bus import Box

import radio


class _Heard:
    callback = None
    box = None


def getStatus():
    """0 absent, 1 ready."""
    return radio.sim_status()


def setSimDet(is_on, level):
    """Watch the pin `simdet`. level: what it shows with a SIM inside. -1 on a board that has no such pin."""
    radio.tray().level = level
    pin = radio.tray().pin
    if pin is None:
        return -1
    if _Heard.box is None:
        _Heard.box = Box(_tell)
    pin.irq(_on_edge if is_on else None, pin.IRQ_RISING | pin.IRQ_FALLING)
    return 0


def getSimDet():
    """(is the pin watched, level)"""
    return (1 if _Heard.box else 0, radio.tray().level)


def setCallback(callback):
    """callback(1) when a SIM comes in, callback(0) when it goes."""
    _Heard.callback = callback
    return 0


def getImsi():
    """Who has no SIM card has no number: -1."""
    return -1


getIccid = getPhoneNumber = getImsi


def _on_edge(pin):
    """The interrupt: allocates nothing."""
    _Heard.box.post(None, None)


def _tell(_, __):
    return _Heard.callback(radio.sim_status()) if _Heard.callback else None
