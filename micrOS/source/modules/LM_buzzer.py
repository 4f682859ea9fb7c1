"""A piezo on pin `buzzer` (PWM): beeps, and ring tones in RTTTL."""
from micropython import const

from Common import Saved, once
from Drives import Lane, pulses, set_duty, whole
from LogicalPins import physical_pins, pinmap_dump
from pure.lazy import unload

PINS = ("buzzer",)
_DUTY = const(512)            # of 1023: half of the time, loudest
_HZ = const(600)
_LOW_HZ = const(20)           # what is heard
_HIGH_HZ = const(20000)
_BEEP_MS = const(250)
_BEEP_GAP_MS = const(100)     # of which silent
_MOST_BEEPS = const(32)


class Buzzer:
    """One voice: what it is told while it sounds, follows."""

    def __init__(self, pwm, saved):
        self._pwm = pwm
        self._saved = saved               # .data: freq, of the last beep, in Hz
        self.is_kept = True
        self._tune = None
        self._lane = Lane("buzzer._play", self._hush)
        if not _LOW_HZ <= saved.data["freq"] <= _HIGH_HZ:
            saved.data["freq"] = _HZ

    def keep(self, is_kept):
        """Not kept: back to 600 Hz, and nothing is written from now on."""
        self.is_kept = is_kept
        if not is_kept:
            self._saved.data["freq"] = _HZ

    def beep(self, count, freq_hz):
        """freq_hz: None as the last time. Returns it."""
        freq_hz = freq_hz or self._saved.data["freq"]
        self._lane.add(self._beeps(count, freq_hz))
        if self.is_kept:
            self._saved.keep(freq=freq_hz)
        else:
            self._saved.data["freq"] = freq_hz
        return freq_hz

    def is_playing(self):
        """True when a tune sounds, or waits."""
        return self._lane.holds(self._tune)

    def play(self, notes):
        """notes: pairs (Hz, 0 for a pause, and ms)."""
        self._tune = self._sing(notes)
        self._lane.add(self._tune)

    def _beeps(self, count, freq_hz):
        for _ in range(count):
            yield from self._sound(freq_hz, _BEEP_MS, _BEEP_GAP_MS)

    def _sing(self, notes):
        for freq_hz, ms in notes:
            yield from self._sound(freq_hz, ms, min(20, ms // 8))      # so that two alike are two

    def _sound(self, freq_hz, ms, gap_ms):
        if freq_hz:
            self._pwm.freq(freq_hz)
            set_duty(self._pwm, _DUTY)
        yield ms - gap_ms
        set_duty(self._pwm, 0)
        yield gap_ms

    def _hush(self):
        set_duty(self._pwm, 0)
        unload("pure.rtttl")


@once
def _buzzer():
    return Buzzer(pulses(physical_pins(PINS)[0], _HZ), Saved("buzzer", ("freq", _HZ)))


def load_n_init(cache=None):
    """Take the pin. cache=False: forget the last frequency, keep nothing."""
    _buzzer().keep(cache is not False)
    return "CACHE: {}".format(_buzzer().is_kept)


def bipp(repeat=1, freq=None):
    """Beep 1-32 times, in the background. freq: 20-20000 Hz; None: as the last time."""
    whole("repeat", repeat, 1, _MOST_BEEPS)
    if freq is not None:
        whole("freq", freq, _LOW_HZ, _HIGH_HZ)
    return "Bi{} on {} Hz".format("p" * repeat, _buzzer().beep(repeat, freq))


def play(rtttlstr="d=4,o=5,b=250:e,8p,8f,8g,8p,1c6,8p.,d,8p,8e,1f,p."):
    """Play a ring tone in the background; see pure/rtttl.py."""
    from pure.rtttl import notes
    for _ in notes(str(rtttlstr)):        # refuses it as a whole; the notes themselves need no memory
        pass
    if _buzzer().is_playing():
        return "Song already playing"
    _buzzer().play(notes(str(rtttlstr)))
    return "Play song"


def pinmap():
    return pinmap_dump(PINS)


def help():
    return ("bipp repeat=<1-32> freq=<Hz>", 'play rtttlstr="name:d=4,o=5,b=125:c,8d.,p,e6"', "load_n_init cache=None",
            "pinmap")
