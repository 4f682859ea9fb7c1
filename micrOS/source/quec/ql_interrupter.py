"""Pins, edges and timers that put what happens on the bus; a feeder for an external watchdog."""
import asyncio

import osTimer
import sys_bus
from guest_machine import ExtInt, Pin
from micropython import const

import blocking
from TaskManager import manager

_PULSE_MS = const(1000)
KICK = "WDT_KICK_TOPIC"
FEED = "WDT_KICK_TOPIC_FEED"
_pulses = [0]                 # tasks that pulsed a pin so far


class ExIntInterrupter:
    """callback([gpio, edge]) at each edge; edge: 0 rising, 1 falling"""

    def __init__(self, gpio, trige_mode=ExtInt.IRQ_RISING, pull_mode=ExtInt.PULL_DISABLE, callback=None):
        self.gpio = gpio
        self._callback = callback
        self._interrupt = ExtInt(gpio, trige_mode, pull_mode, self.on_edge)

    def on_edge(self, args):
        return self._callback(args) if self._callback else None

    def enable(self):
        """0."""
        return self._interrupt.enable()

    def disable(self):
        return self._interrupt.disable()

    start = enable
    stop = disable


class PinInterrupter:
    """One pin as an output (or input); `trige_mode` is its direction, spelled as upstream. mode: first level"""

    def __init__(self, gpio, trige_mode=Pin.OUT, pull_mode=Pin.PULL_DISABLE, mode=0):
        self.gpio = gpio
        self._pin = Pin(gpio, trige_mode, pull_mode, mode)
        self._task = None

    def write(self, value):
        """0."""
        return self._pin.write(value)

    def read(self):
        return self._pin.read()

    def blinker(self, keep_time):
        """High for so many seconds, and wait for it. Raises WouldBlockError where that would hold up the node."""
        self.write(1)
        try:
            blocking.sleep_ms(int(1000 * keep_time), "blinker()")
        finally:
            self.write(0)

    def freq_blinker(self, freq, keep_time):
        """freq pulses, keep_time s high and as long low, in the background; -1: until stop_blinker()."""
        self.stop_blinker()
        _pulses[0] += 1
        self._task = manager().start("blink{}".format(_pulses[0]), self._blink(freq, keep_time), protected=True)

    def stop_blinker(self):
        if self._task:
            self._task.cancel()
            self._task = None

    async def _blink(self, times, keep_time):
        try:
            while times:
                times -= 1
                self.write(1)
                await asyncio.sleep(keep_time)
                self.write(0)
                await asyncio.sleep(keep_time)
        finally:
            self.write(0)


class BusInterrupter:
    """What happens is published under `topic` as a dict."""

    def __init__(self, topic):
        self.topic = topic

    def register_callback(self, cb):
        sys_bus.subscribe(self.topic, cb)

    def publish(self, **kwargs):
        sys_bus.publish(self.topic, kwargs)


class BusExIntInterrupter(ExIntInterrupter, BusInterrupter):
    """{"gpio": n, "pressure": edge} under a topic at each edge."""

    def __init__(self, topic, gpio, trige_mode=ExtInt.IRQ_RISING, pull_mode=ExtInt.PULL_DISABLE, callback=None):
        self.topic = topic
        ExIntInterrupter.__init__(self, gpio, trige_mode, pull_mode, callback)

    def on_edge(self, args):
        self.publish(gpio=args[0], pressure=args[1])
        return ExIntInterrupter.on_edge(self, args)


class ExIntProcess(BusExIntInterrupter):
    """The same under `GPIO<pin>_EXINT`."""

    def __init__(self, pin, trige_mode=ExtInt.IRQ_RISING, pull_mode=ExtInt.PULL_DISABLE):
        BusExIntInterrupter.__init__(self, "GPIO{}_EXINT".format(pin), pin, trige_mode, pull_mode)


class TimerInterrupter:
    """callback(arg) every keep_time ms, or once when period is 0."""

    def __init__(self, keep_time, callback, period=1):
        self._keep_time = keep_time
        self._callback = callback
        self._period = period
        self._timer = osTimer()

    def start(self):
        return self._timer.start(self._keep_time, self._period, self._callback)

    def stop(self):
        return self._timer.stop()


class WatchDog:
    """Feeds an external watchdog: each keep_time ms its pin is high for a second, then FEED is published.

    mode: level of the pin before; done_pin: where the dog says that it saw it, which publishes KICK
    """

    def __init__(self, gpio, mode, keep_time, done_pin=None, trige_mode=ExtInt.IRQ_RISING,
                 pull_mode=ExtInt.PULL_DISABLE):
        self._pin = PinInterrupter(gpio, Pin.OUT, pull_mode, mode)
        self._timer = TimerInterrupter(keep_time, self._feed)
        self._is_on = False
        self._done = done_pin if done_pin is None else BusExIntInterrupter(KICK, done_pin, trige_mode, pull_mode)

    def start(self):
        self._is_on = True
        if self._done:
            self._done.start()
        return self._timer.start()

    def stop(self):
        if self._done:
            self._done.stop()
        self._is_on = False
        self._pin.write(0)
        return self._timer.stop()

    async def _feed(self, _):
        self._pin.write(1)
        try:
            await asyncio.sleep_ms(_PULSE_MS)
        finally:
            self._pin.write(0)
        if self._is_on:
            sys_bus.publish(FEED, {"msg": FEED})
