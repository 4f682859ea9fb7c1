"""A cat toy: servo 1 swings by chance."""
from random import randint
from micropython import const
import LM_servo

from Common import once
from Drives import Lane, whole

_CENTER = const(75)
_FAR = const(35)              # from there to the ends of the servo
_SLOW_MS = const(400)         # from one end to the other


@once
def _game():
    return Lane("catgame._game", LM_servo.deinit)


def _swings(count, delta):
    for _ in range(count):
        LM_servo.sduty(_CENTER + randint(-delta, delta))
        yield randint(_SLOW_MS // 4, _SLOW_MS)
    yield from _homeward()


def _homeward():
    LM_servo.sduty(_CENTER)
    yield _SLOW_MS


def game(repeat=10, delta=20):
    """Swing 1-1000 times, up to delta (0-35) from the middle, in the background."""
    swings = _swings(whole("repeat", repeat, 1, 1000), whole("delta", delta, 0, _FAR))
    LM_servo.sduty(_CENTER)
    _game().add(swings)
    return "Game action"


def live_game(chance=10):
    """A game, in chance (0-100) cases of a hundred: for a timer."""
    if randint(1, 100) > whole("chance", chance, 0, 100):
        return "No action"
    return game()


def stop():
    """End the game: to the middle, then let go of the servo."""
    _game().stop()
    text = LM_servo.sduty(_CENTER)
    _game().add(_homeward())
    return text


def lmdep():
    return "servo"


def pinmap():
    return LM_servo.pinmap()


def help():
    return "game repeat=<1-1000> delta=<0-35>", "live_game chance=<0-100>", "stop", "lmdep", "pinmap"
