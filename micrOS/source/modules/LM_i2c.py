"""Who is on the I2C bus: pins `i2c_scl` and `i2c_sda`."""
from machine import Pin, SoftI2C

from Common import once
from Inputs import Input
from LogicalPins import physical_pins, pinmap_dump

_PINS = ("i2c_scl", "i2c_sda")


@once
def _wires():
    physical_pins(_PINS)
    return [Input(name) for name in _PINS]


def scan():
    """Addresses that answer: list of 8-119. Raises InputError for a wire that does not rise, where all would."""
    pins = []
    for wire in _wires():
        pins.append(Pin(wire.number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1))
        if not pins[-1].value():
            raise wire.failure("held low; a chip hangs, or it is shorted")
        wire.works()
    return SoftI2C(scl=pins[0], sda=pins[1]).scan()


def pinmap():
    return pinmap_dump(_PINS)


def help():
    return "scan", "pinmap"
