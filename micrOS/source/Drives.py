"""What modules that move something share: pins booked all or none, PWM of any port, moves in order, a motor."""
import asyncio
from micropython import const
from machine import PWM, Pin

from Common import micro_task
from LogicalPins import physical_pins

FULL = 1000                       # speed of a motor; micrOS modules count 0-1000
DIRECTIONS = ("forward", "backward")
_WAITING = const(16)              # moves that may wait for their turn


def outputs(names):
    """Digital outputs, low."""
    return [Pin(number, Pin.OUT, value=0) for number in physical_pins(names)]


def pulses(number, freq_hz):
    """A silent PWM channel on a pin."""
    return PWM(Pin(number), freq=freq_hz, duty_u16=0)


def set_duty(pwm, duty):
    """duty: 0-1023. Not PWM.duty(): the rp2 port has none."""
    pwm.duty_u16(duty << 6)


def whole(name, value, low, high):
    """The value, when it is an integer from low to high. Raises ValueError naming it."""
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError("{} is {} to {}, got {}".format(name, low, high, value))
    return value


class Lane:
    """Moves that are done one after the other in one task. A move is a generator that yields ms to wait.

    tag     of the task
    rest    called when the last move is done, and when the moves were stopped or killed
    """

    def __init__(self, tag, rest=lambda: None):
        self._tag = tag
        self._rest = rest
        self._moves = []          # the first one is being done

    def is_busy(self):
        task = micro_task(self._tag)
        return bool(task and task.active)

    def holds(self, move):
        """True when this move is being done, or waits."""
        return self.is_busy() and move in self._moves

    def add(self, move):
        """Do this after what waits. Raises ValueError when too much waits."""
        if self.is_busy():
            if len(self._moves) > _WAITING:
                raise ValueError("{} moves wait already; task kill {} ends them".format(_WAITING, self._tag))
            self._moves.append(move)
        else:
            if self._moves:
                self._rest()      # killed, this very moment or before its first step: nobody else does it
            self._moves = [move]
            micro_task(self._tag, self._work(self._moves))

    def stop(self):
        """Forget all moves; what moves stands still when this returns."""
        if self.is_busy():
            micro_task(self._tag).cancel()
        self._moves = []
        self._rest()

    async def _work(self, moves):
        try:
            while moves:
                for wait_ms in moves[0]:
                    await asyncio.sleep_ms(wait_ms)
                moves.pop(0)
        finally:
            if moves is self._moves:       # else stop() came before, and other moves may be on their way
                self._rest()


class Motor:
    """A motor that turns both ways.

    drive   function(direction, speed) that puts them on the pins; direction: 0 forward, 1 backward, speed: 0-1000
    """

    def __init__(self, drive):
        self._drive = drive
        self.direction = 0
        self.speed = 0

    def set(self, direction=None, speed=None):
        """None keeps what is."""
        self.direction = self.direction if direction is None else direction
        self.speed = self.speed if speed is None else speed
        self._drive(self.direction, self.speed)


def is_direction(value):
    return isinstance(value, int) and 0 <= value <= 1


def is_speed(value):
    return isinstance(value, int) and 0 <= value <= FULL
