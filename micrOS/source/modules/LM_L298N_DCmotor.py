"""One DC motor on an L298N bridge: pins `l298dir_1`, `l298dir_2` (direction) and `l298speed` (PWM, 50 Hz)."""
from machine import Pin

from Common import once
from Drives import DIRECTIONS, Motor, is_direction, is_speed, pulses, set_duty
from LogicalPins import physical_pins, pinmap_dump

PINS = ("l298dir_1", "l298dir_2", "l298speed")
_FREQ_HZ = 50


@once
def _motor():
    first, second, enable = physical_pins(PINS)
    first, second = Pin(first, Pin.OUT, value=0), Pin(second, Pin.OUT, value=0)
    enable = pulses(enable, _FREQ_HZ)

    def drive(direction, speed):
        # both low between the two: the motor coasts, and the bridge is never told to go both ways
        (first if direction else second).value(0)
        (second if direction else first).value(1)
        set_duty(enable, speed)
    return Motor(drive)


def m1_control(direc=None, speed=None):
    """Direction and speed at once; None keeps one. Returns what was set, as the two below do."""
    if speed is not None and not is_speed(speed):
        return set_speed(speed)
    found = {}
    if direc is not None:
        found.update(set_direction(direc))
    if speed is not None:
        found.update(set_speed(speed))
    return found


def set_speed(speed=100):
    """speed: 0-1000. Returns {"speed": n}; n tells when the value is out of range."""
    if not is_speed(speed):
        return {"speed": "value range error"}
    _motor().set(speed=speed)
    return {"speed": speed}


def stop():
    return set_speed(0)


def set_direction(direc=0):
    """direc: 0 forward, 1 backward. Returns {"direction": "forward" or "backward"}."""
    if not is_direction(direc):
        raise ValueError("direc is 0 (forward) or 1 (backward), got {}".format(direc))
    _motor().set(direction=direc)
    return {"direction": DIRECTIONS[direc]}


def pinmap():
    return pinmap_dump(PINS)


def help():
    return ("m1_control direc=<0,1> speed=<0-1000>", "set_direction direc=<0,1>", "set_speed speed=<0-1000>", "stop",
            "pinmap")
