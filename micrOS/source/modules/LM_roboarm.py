"""An arm of two servos (X servo_1, Y servo_2) with a laser on switch_1: moves, records, plays back."""
from micropython import const
import LM_servo
import LM_switch

from Common import once
from Drives import Lane, whole
from Files import read, remove, write_whole
from LogicalPins import physical_pins, pinmap_dump
from pure.fade import steps

PINS = ("servo_1", "servo_2", "switch_1")
_LOW = const(40)              # duties that LM_servo takes
_HIGH = const(115)
_HOME = (77, 77)
_PARKED = (77, 45)
_LOOK_AROUND = ((60, 77), (94, 77), (77, 77), (77, 90), _HOME)
_SPEED_MS = const(10)         # for one duty
_JIGGLE = ((3, 0), (-3, 0), (0, 3), (0, -3), (0, 0))
_RECORD = "rarm.pds"          # x,y,x,y,...


class Arm:
    """Points are (x, y), duties 40-115."""

    def __init__(self):
        self._at = _HOME
        self._last = _HOME                # of the moves that wait
        self._play = None                 # the last move of play()
        self._is_lit = False
        self._lane = Lane("roboarm._play", self._laser_off)

    def aim(self):
        """Where it is, or will be when all its moves are done."""
        return self._last if self._lane.is_busy() else self._at

    def is_playing(self):
        return self._lane.holds(self._play)

    def jump(self, point):
        """Forget all moves and go there at once."""
        self._lane.stop()
        self._turn(point)

    def go(self, points, speed_ms):
        """Visit points, after the moves that wait. speed_ms: for one duty; 0 jumps."""
        self._add(self._visit(points, speed_ms, 0), points[-1])

    def play(self, points, speed_ms, pause_ms, is_released):
        """As go(), the laser on, with a pause at each point."""
        self._play = self._show(points, speed_ms, pause_ms, is_released)
        self._add(self._play, points[-1] if points else self.aim())

    def park(self):
        self._add(self._parked(), _PARKED)

    def _add(self, move, last):
        self._lane.add(move)
        self._last = last

    def _visit(self, points, speed_ms, pause_ms):
        for point in points:
            most = max(abs(new - old) for new, old in zip(point, self._at))
            count = max(1, most) if speed_ms else 1
            for at in zip(steps(self._at[0], point[0], count), steps(self._at[1], point[1], count)):
                self._turn(at)
                yield speed_ms
            yield pause_ms

    def _show(self, points, speed_ms, pause_ms, is_released):
        self._is_lit = True
        LM_switch.set_state(1)
        yield from self._visit(points, speed_ms, pause_ms)
        self._laser_off()
        if is_released:
            LM_servo.deinit()

    def _parked(self):
        yield from self._visit((_PARKED,), _SPEED_MS, 0)
        LM_switch.set_state(0)
        LM_servo.deinit()

    def _turn(self, point):
        LM_servo.sduty(point[0])
        LM_servo.s2duty(point[1])
        self._at = point

    def _laser_off(self):
        """What play() lit; also when it was ended before its time."""
        if self._is_lit:
            self._is_lit = False
            LM_switch.set_state(0)


@once
def _arm():
    physical_pins(PINS)
    return Arm()


def _speed(speed_ms):
    return _SPEED_MS if speed_ms is None else whole("speed in ms", speed_ms, 0, 1000)


def _points(numbers):
    """(x, y) pairs of a flat list. Raises ValueError."""
    if len(numbers) % 2:
        raise ValueError("points are x y x y ..., got {} numbers".format(len(numbers)))
    return [(whole("x", numbers[at], _LOW, _HIGH), whole("y", numbers[at + 1], _LOW, _HIGH))
            for at in range(0, len(numbers), 2)]


def _recorded():
    """The points on the flash; none when the file holds something else."""
    text = read(_RECORD)
    try:
        return _points([int(float(number)) for number in text.split(",")]) if text else []
    except ValueError:
        return []


def load_n_init():
    """Go to the middle at once."""
    _arm().jump(_HOME)
    return "Move to home"


def control(x_new, y_new, speed_ms=None, smooth=True):
    """Go to a point, 40-115 each, in the background; after the moves that wait. speed_ms: for one duty, 0-1000."""
    point = _points((x_new, y_new))[0]
    speed_ms = _speed(speed_ms) if smooth else 0
    before = _arm().aim()
    if point == before:
        return "Already on X:{} Y:{}".format(*point)
    _arm().go((point,), speed_ms)
    return "Move X{}->{} Y{}->{}".format(before[0], point[0], before[1], point[1])


def boot_move(speed_ms=None):
    """Look around and come to the middle."""
    _arm().go(_LOOK_AROUND, _speed(speed_ms))
    return "Boot move"


def standby():
    """Park, laser off, and let go of the servos."""
    _arm().park()
    return "Standby mode"


def jiggle():
    """Shake where it is."""
    x, y = _arm().aim()
    points = [(min(max(x + dx, _LOW), _HIGH), min(max(y + dy, _LOW), _HIGH)) for dx, dy in _JIGGLE]
    _arm().go(points, _SPEED_MS)
    return "JJiggle :)"


def play(*args, s=None, delay=None, deinit=True):
    """Visit x y x y ..., 40-115, without numbers what is recorded, with the laser on.

    s: ms for one duty, delay: ms at each point (0-60000), deinit: let go of the servos at the end
    """
    points, speed_ms = _points(args) if args else _recorded(), _speed(s)
    pause_ms = 0 if delay is None else whole("delay in ms", delay, 0, 60000)
    if _arm().is_playing():
        return "Play - already running"
    _arm().play(points, speed_ms, pause_ms, deinit)
    return "Play: {} steps".format(len(points))


def record(clean=False, rec_limit=8):
    """Add where the arm is to the record, up to rec_limit points. clean: forget the record."""
    if clean:
        remove(_RECORD)
        return "Record was cleaned"
    points = _recorded()
    if len(points) >= rec_limit:
        return "Record[{}]: limit exceeded: {}".format(len(points), rec_limit)
    points.append(_arm().aim())
    write_whole(_RECORD, (",".join(["{},{}".format(*point) for point in points]),))
    return "Record[{}]: X:{} Y:{}".format(len(points) - 1, *points[-1])


def random(x_range=20, y_range=20, speed_ms=5):
    """Go to a point by chance, so far from the middle (0-75 each)."""
    from random import randint
    x_range, y_range = whole("x_range", x_range, 0, 75), whole("y_range", y_range, 0, 75)
    x, y = _HOME[0] + randint(-x_range, x_range), _HOME[1] + randint(-y_range, y_range)
    return control(min(max(x, _LOW), _HIGH), min(max(y, _LOW), _HIGH), speed_ms)


def status(lmf=None):
    """{"X", "Y"}: where the arm is, or will be when all its moves are done."""
    x, y = _arm().aim()
    return {"X": x, "Y": y}


def lmdep():
    return "servo", "switch"


def pinmap():
    return pinmap_dump(PINS)


def help():
    return ("control x_new=<40-115> y_new=<40-115> speed_ms=None smooth=True", "boot_move speed_ms=None", "standby",
            "jiggle", "play 40 40 115 115 s=<ms> delay=<ms> deinit=True", "record clean=False rec_limit=8",
            "random x_range=20 y_range=20 speed_ms=5", "load_n_init", "status", "lmdep", "pinmap")
