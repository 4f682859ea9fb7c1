"""One DC motor on an L9110 bridge: pins `l9110dir_1`, `l9110dir_2` (PWM, 1024 Hz), one for each direction."""
from Common import once
from Drives import DIRECTIONS, Motor, is_direction, is_speed, pulses, set_duty
from LogicalPins import physical_pins, pinmap_dump

PINS = ("l9110dir_1", "l9110dir_2")
_FREQ_HZ = 1024


@once
def _motor():
    inputs = [pulses(number, _FREQ_HZ) for number in physical_pins(PINS)]

    def drive(direction, speed):
        set_duty(inputs[1 - direction], 0)       # first: both on would brake
        set_duty(inputs[direction], speed)
    return Motor(drive)


def motor_control(direc=None, speed=None):
    """direc: 0 forward, 1 backward, speed: 0-1000; None keeps what is. Returns {"speed", "direc"} or a text."""
    if not (direc is None or is_direction(direc)) or not (speed is None or is_speed(speed)):
        return "invalid parameters"
    motor = _motor()
    motor.set(direc, speed)
    return {"speed": motor.speed, "direc": DIRECTIONS[motor.direction]}


def pinmap():
    return pinmap_dump(PINS)


def help():
    return "motor_control direc=<0,1> speed=<0-1000>", "pinmap"
