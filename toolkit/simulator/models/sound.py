"""What is heard from a board: a piezo on a PWM pin."""
import time
from collections.abc import Callable
from typing import NamedTuple

from toolkit.simulator.api import Pin
from toolkit.simulator.models.motion import Change, at


class Tone(NamedTuple):
    """ms: how long the listener heard it."""

    hz: int
    ms: int


class Buzzer:
    """A passive piezo: it sounds at the frequency of its pin while the duty is neither nothing nor all.

    heard       tones that have ended
    now_hz      what sounds now, 0 when it is silent
    is_cracked  it fails: nothing is heard
    """

    def __init__(self, pin: Pin, clock: Callable[[], float] = time.monotonic) -> None:
        self.pins = (pin,)
        self.heard: list[Tone] = []
        self.now_hz = 0
        self.is_cracked = False
        self._clock = clock
        self._since_s = 0.0

    def see(self, change: Change) -> None:
        if change["change"] != "pwm" or at(change, self.pins) is None:
            return
        sounds = 0 < change["duty"] < 1023 and not self.is_cracked
        hz = change["freq_hz"] if sounds else 0
        if hz != self.now_hz:
            self._end()
            self.now_hz, self._since_s = hz, self._clock()

    def _end(self) -> None:
        if self.now_hz:
            self.heard.append(Tone(self.now_hz, round((self._clock() - self._since_s) * 1000)))

    @property
    def pitches_hz(self) -> list[int]:
        """Of the tones that have ended."""
        return [tone.hz for tone in self.heard]
