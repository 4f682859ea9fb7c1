"""Watches the pins irq1 to irq4: each press is one run of its commands, a bounce is none. Loaded when one is on."""
import asyncio
import time

from machine import Pin
from micropython import const

from ConfigHandler import cfgget
from Debug import errlog_add
from LogicalPins import PinError, physical_pin
from pure.lazy import once, publish

try:
    from micropython import alloc_emergency_exception_buf
except ImportError:              # the unix port has no interrupts that need one
    def alloc_emergency_exception_buf(size):
        pass

NAMES = ("irq1", "irq2", "irq3", "irq4")
_BOUNCE_MS = const(20)           # contacts are at rest after that; a longer irq_prell_ms is a pause between two presses
_WAITING = const(50)             # presses that may wait for their turn
_TRACE_BYTES = const(100)        # for the text of an error inside an interrupt
_LEVELS = {"down": (0,), "both": (0, 1)}


class Watch:
    """One pin. counted: presses; done: those whose commands ran; dropped: presses without a place to wait.

    bounced: edges that came too soon after another, or were seen too late to be told from such.

    Edges that follow one another within the rest time are one move of the contact, away from the level it had: that
    tells its direction without a look at the pin, which may be bouncing. When it has come to rest, settle() looks.
    """

    def __init__(self, name, flag):
        self.name = name
        self.commands = cfgget(name + "_cbf")
        self.counted = self.done = self.dropped = self.bounced = 0
        self.settled = True
        self._levels = _LEVELS.get(cfgget(name + "_trig"), (1,))       # those that a press leads to
        self._pause_ms = cfgget("irq_prell_ms")
        self._rest_ms = min(self._pause_ms, _BOUNCE_MS)
        self._flag = flag
        self._pin = Pin(physical_pin(name), Pin.IN, Pin.PULL_DOWN)
        self._level = self._pin.value()
        self._edge_ms = self._press_ms = time.ticks_add(time.ticks_ms(), -self._pause_ms)
        self._pin.irq(self._on_edge, Pin.IRQ_RISING | Pin.IRQ_FALLING)

    def stop(self):
        self._pin.irq(None)

    def settle(self):
        """Look where the contact is, once it is at rest: a move there and back shows only now."""
        edge_ms, level = self._edge_ms, self._pin.value()
        if time.ticks_diff(time.ticks_ms(), edge_ms) < self._rest_ms or edge_ms != self._edge_ms:
            return
        self.settled = True
        if level != self._level:
            self._level = level
            self._press(edge_ms)

    def told(self):
        return "{}: {} presses, {} dropped, {} bounces".format(self.name, self.counted, self.dropped, self.bounced)

    def _on_edge(self, pin):
        """The interrupt: allocates nothing."""
        now_ms = time.ticks_ms()
        quiet_ms = time.ticks_diff(now_ms, self._edge_ms)
        self._edge_ms = now_ms
        if quiet_ms >= self._rest_ms:
            self.settled = False
            self._level = 1 - self._level
            self._press(now_ms)
        else:
            self.bounced += 1

    def _press(self, now_ms):
        """Count the move to the present level, if it is one that counts. Part of the interrupt, too."""
        if self._level in self._levels and time.ticks_diff(now_ms, self._press_ms) >= self._pause_ms:
            self._press_ms = now_ms
            if self.counted - self.done < _WAITING:
                self.counted += 1
                publish(self.name, self.counted)
            else:
                self.dropped += 1
        self._flag.set()


class Interrupts:
    """The watched pins and the task that works off their presses."""

    def __init__(self):
        alloc_emergency_exception_buf(_TRACE_BYTES)
        self._flag = asyncio.ThreadSafeFlag()
        self._watches = []

    def watch(self):
        """Take the settings anew. Returns how many pins are watched."""
        for watch in self._watches:
            watch.stop()
        self._watches = [watch for watch in [self._watch(name) for name in NAMES] if watch]
        return len(self._watches)

    def report(self):
        return "\n".join([watch.told() for watch in self._watches])

    async def run(self, execute):
        """Until cancelled. execute(commands): coroutine function."""
        while True:
            await self._edge()
            for watch in self._watches:
                while watch.done < watch.counted:
                    watch.done += 1
                    await execute(watch.commands)
                if not watch.settled:
                    watch.settle()

    def _watch(self, name):
        """A Watch, None when the settings want none, or the pin cannot be had: that is an alarm."""
        if not cfgget(name) or cfgget(name + "_cbf") == "n/a":
            return None
        try:
            return Watch(name, self._flag)
        except (PinError, ValueError) as error:
            errlog_add("[ERR] {}: {}".format(name, error))
            return None

    async def _edge(self):
        """Wait for an edge; while a contact moves, no longer than until it is at rest."""
        if all(watch.settled for watch in self._watches):
            await self._flag.wait()
        else:
            try:
                await asyncio.wait_for_ms(self._flag.wait(), _BOUNCE_MS)
            except asyncio.TimeoutError:
                pass


@once
def interrupts():
    """The node's one Interrupts."""
    return Interrupts()
