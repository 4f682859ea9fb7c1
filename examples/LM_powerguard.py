"""Watch what the house draws: a DLMS meter is read every few seconds, and too much power switches a pin.

    meter dlms host=192.168.1.9 line=wrapper
    powerguard watch limit_w=3000 pin=builtin
    powerguard status
"""
import sys_bus
from Common import notify, once
from LogicalPins import physical_pin
from machine import Pin

POWER = "1.0.1.7.0.255"                  # active power, import


class Guard:
    def __init__(self):
        self.limit_w = 0
        self.power_w = None              # None: not read yet
        self.is_over = False
        self.pin = None

    def heard(self, topic, reading):
        """reading: (code, `1234 W`), see `meter readings`"""
        code, text = reading
        number, _, unit = text.partition(" ")
        if code != POWER or unit != "W":
            return
        self.power_w = float(number)
        was_over, self.is_over = self.is_over, self.power_w > self.limit_w
        self.pin.value(self.is_over)
        if self.is_over and not was_over:
            notify(f"the house draws {number} W")


@once
def _guard():
    guard = Guard()
    sys_bus.subscribe("meter.reading", guard.heard)
    return guard


def watch(limit_w=3000, pin="builtin", seconds=10):
    """Read the power every so many seconds; the pin is on while it is above limit_w."""
    from LM_meter import readings
    guard = _guard()
    guard.limit_w = limit_w
    guard.pin = Pin(physical_pin(pin), Pin.OUT)
    return readings(POWER, seconds=seconds)


def status():
    guard = _guard()
    return {"power_w": guard.power_w, "limit_w": guard.limit_w, "is_over": guard.is_over}


def help():
    return "watch limit_w=3000 pin=builtin seconds=10", "status"
