"""Presence: a motion sensor on pin `irq1` and, if there is one, a microphone on `mic` switch others on and off."""
import asyncio
import time

from Common import once
from ConfigHandler import cfgget
from Debug import errlog_add, trace
from Inputs import Input, InputError
from LogicalPins import pinmap_dump
from TaskManager import manager

_PINS = ("irq1", "mic")
_TASK = "presence._mic"
_WATCH = "presence"       # without a dot: it takes no place in the queue of tasks
_STUCK_TIMERS = 30        # a motion sensor that is high for so long, an hour as a rule, may be broken


class Sensor:
    """What is sensed, and who wants to know.

    on, off   of `subscribe_intercon`: texts `<host> <command>`, "" for none
    samples   list of [ticks_ms, percent, 1 for noise], the newest last
    """

    def __init__(self):
        self.threshold = 3           # noise is so many percent away from the mean of the samples
        self.timer_s = 120           # presence lasts so long after the last sign of it
        self.notifies = False
        self.listeners = []          # functions(is_present)
        self.on = self.off = ""
        self.samples = []
        self._microphone = None      # SmartADC
        self._is_deaf = False        # the microphone stays at an end of its scale
        self._pin = None
        self._input = None           # who fails at the pin is named by it
        self._rose_ms = 0            # when the pin went high
        self._seen_ms = 0            # when somebody was sensed last
        self._sign = asyncio.ThreadSafeFlag()

    def watch(self, with_microphone):
        """Look at the motion sensor, unless the interrupt `irq1` of the settings does. Raises PinError."""
        self._microphone = None
        if with_microphone and pinmap_dump("mic")["mic"] is not None:
            from Common import SmartADC
            self._microphone = SmartADC.get_singleton("mic")
        if not cfgget("irq1") and self._pin is None:
            from machine import Pin
            self._input = Input("irq1")
            self._pin = Pin(self._input.number, Pin.IN, Pin.PULL_DOWN)
            self._rose_ms = time.ticks_ms()
            self._pin.irq(self._motion, Pin.IRQ_RISING)
        if self._pin:
            manager().start(_WATCH, self._watch())
        return self._microphone is not None

    def _motion(self, _):
        self._rose_ms = self._seen_ms = time.ticks_ms()
        self._sign.set()

    async def _watch(self):
        while True:
            await self._sign.wait()
            self._input.works()
            self.sense()

    def sense(self, sample_ms=15, buff_size=10):
        """Somebody is here. False when that was known; presence lasts longer then."""
        self._seen_ms = time.ticks_ms()
        return manager().start(_TASK, self._stay(sample_ms, buff_size)) is not None

    async def _stay(self, sample_ms, buff_size):
        while self._left_ms() > 0:           # again, when somebody came while the others were told of the end
            await self._tell(True)
            while self._left_ms() > 0:
                await asyncio.sleep_ms(sample_ms if self._microphone else self._left_ms())
                if self._feels(buff_size):
                    self._seen_ms = time.ticks_ms()
            await self._tell(False)

    def _feels(self, buff_size):
        """True for noise, and for a sensor that is still high: that one gives no new edge."""
        hears = self._microphone and self._hears(buff_size)
        return hears or self._pin and self._sees()

    def _sees(self):
        longest_s = _STUCK_TIMERS * self.timer_s
        if self._pin.value() and time.ticks_diff(time.ticks_ms(), self._rose_ms) > longest_s * 1000:
            self._input.failure("high for more than {} s; is it stuck?".format(longest_s))
        return self._pin.value()

    def _left_ms(self):
        return int(self.timer_s * 1000) - time.ticks_diff(time.ticks_ms(), self._seen_ms)

    def _hears(self, buff_size):
        """Take one sample; True when it is noise."""
        percent = self._microphone.get()["percent"]
        known = [sample[1] for sample in self.samples]
        is_noise = bool(known) and abs(percent - sum(known) / len(known)) > self.threshold
        self.samples = self.samples[1 - buff_size:] if buff_size > 1 else []
        self.samples.append([time.ticks_ms(), percent, int(is_noise)])
        self._check_microphone(buff_size)
        return is_noise

    def _check_microphone(self, buff_size):
        """One that rests at an end of its scale is an alarm: silence is in the middle, and noise comes and goes."""
        was_deaf = self._is_deaf
        self._is_deaf = len(self.samples) >= buff_size and all(sample[1] in (0, 100) for sample in self.samples)
        if was_deaf or self._is_deaf:
            try:
                self._microphone.signal()
            except InputError:
                pass                         # an alarm by now; the motion sensor goes on

    async def _tell(self, is_present):
        for listener in self.listeners:
            try:
                listener(is_present)
            except Exception as error:       # outer wall: one listener must not silence the others
                trace(error)
                errlog_add("[ERR] presence: {}".format(error))
        for reach in (self._command, self._message):
            try:
                await reach(is_present)
            except Exception as error:       # outer wall: the network may be away
                errlog_add("[ERR] presence: {}".format(error))

    async def _command(self, is_present):
        """Have another node do what was subscribed for."""
        host, _, line = (self.on if is_present else self.off).partition(" ")
        if host:
            await manager().ask(host, line)

    async def _message(self, is_present):
        """Tell the chats. Raises OSError when they do not hear it."""
        if self.notifies:
            from Notify import Telegram      # heavy: only who wants it has it in memory
            told = await Telegram().tell("presence {}".format("ON" if is_present else "OFF"))
            if told != "Sent":
                raise OSError(told or "no message without the setting telegram")


@once
def _sensor():
    return Sensor()


def _attach(listener):
    """Call listener(True) when somebody comes and listener(False) when nobody is left."""
    if listener not in _sensor().listeners:
        _sensor().listeners.append(listener)


def _subscribe(on, off):
    """The same with two functions without arguments."""
    _attach(lambda is_present: (on if is_present else off)())


def load_n_init(threshold=3, timer=120, mic=True):
    """Watch the motion sensor. threshold: noise in percent, 1 or more; timer: s, 1 or more; mic: listen, too.

    Returns the settings; `mic: False` on a board without a pin `mic`.
    """
    for value in (threshold, timer):
        if not isinstance(value, (int, float)):
            raise ValueError("threshold and timer are numbers, got {}".format(value))
    sensor = _sensor()
    sensor.threshold, sensor.timer_s = max(1, threshold), max(1, timer)
    has_microphone = sensor.watch(mic)
    return "Init presence module: th: {} timer: {} mic: {}".format(sensor.threshold, sensor.timer_s, has_microphone)


def motion_trig(sample_ms=15, buff_size=10):
    """Somebody is here: switch on, and off when the time is over. With a microphone, noise makes it longer.

    sample_ms: between two samples, 1 or more; buff_size: samples that are kept, 1-1000.
    """
    if not sample_ms >= 1 or not 1 <= buff_size <= 1000:
        raise ValueError("sample_ms is 1 or more and buff_size 1-1000, got {} and {}".format(sample_ms, buff_size))
    return "Starting" if _sensor().sense(sample_ms, buff_size) else "Already running"


def subscribe_intercon(on, off):
    """What another node does: `on` when somebody comes, `off` later; `<host> <command>` each, "" for nothing."""
    for command in (on, off):
        if command and " " not in command.strip():
            raise ValueError("a subscription is `<host> <command>`, got {}".format(command))
    _sensor().on, _sensor().off = on, off
    return {"on": on, "off": off}


def notification(state=None):
    """Send a message when somebody comes or goes: True, False; None tells how it is."""
    if state is None:
        return "Notifications: {}".format("enabled" if _sensor().notifies else "disabled")
    _sensor().notifies = bool(state)
    return "Set notifications: {}".format("ON" if state else "OFF")


def get_samples():
    """What the microphone heard: list of [ticks_ms, percent, 1 for noise]."""
    return _sensor().samples


def pinmap():
    return pinmap_dump(_PINS)


def help():
    return ("load_n_init threshold=<percent> timer=<s> mic=True", "motion_trig sample_ms=15 buff_size=10",
            "subscribe_intercon on='<host> <command>' off='<host> <command>'", "notification state=<True,False>",
            "get_samples", "pinmap")
