"""QuecPython's osTimer: any number of timers, each a task; a callback that raises is named, and the timer goes on."""
import asyncio
import time

import blocking
from Debug import errlog_add, trace
from TaskManager import manager

_begun = [0]                  # timers started so far


class Timer:
    """callback(None) after each period, or once."""

    def __init__(self):
        self._task = None
        self._number = 0          # of the run that counts; a callback may stop or start its own timer
        self._is_deleted = False

    def start(self, ms, cyclic, callback):
        """0, or -1 when it is deleted or one of these is none. ms: 1 and up; cyclic: 1 again and again, 0 once"""
        if self._is_deleted or ms < 1 or not callable(callback):
            return -1
        self.stop()
        _begun[0] += 1
        self._number = _begun[0]
        self._task = manager().start("osTimer{}".format(self._number),
                                     self._run(self._number, ms, cyclic, callback), protected=True)
        return 0

    def stop(self):
        if self._is_deleted:
            return -1
        self._number = 0
        if self._task:
            try:
                self._task.cancel()
            except RuntimeError:         # it is its own callback that stops it: the run ends behind it
                pass
            self._task = None
        return 0

    def delete_timer(self):
        """-1 when it is deleted already."""
        was = self.stop()
        self._is_deleted = True
        return was

    delete = delete_timer                # what Helios calls it

    async def _run(self, number, ms, cyclic, callback):
        wait_ms = ms
        while True:
            begun_ms = time.ticks_ms()
            await asyncio.sleep_ms(wait_ms)
            # less than was asked for: somebody has turned the clock
            late_ms = max(0, time.ticks_diff(time.ticks_ms(), begun_ms) - wait_ms)
            begun_ms = time.ticks_ms()
            self._call(number, callback)
            if not cyclic or self._number != number:
                return
            wait_ms = max(0, ms - late_ms - time.ticks_diff(time.ticks_ms(), begun_ms))

    def _call(self, number, callback):
        try:
            result = blocking.call(callback, None)
            if hasattr(result, "send"):
                # a turn that comes before the last one has ended is left out
                manager().start("osTimer{}-run".format(number), _guarded(result), protected=True)
        except (Exception, SystemExit) as error:       # outer wall: the next period comes all the same
            _blame(error)


async def _guarded(coroutine):
    try:
        await coroutine
    except (Exception, SystemExit) as error:           # outer wall, as above
        _blame(error)


def _blame(error):
    trace(error)
    errlog_add("[ERR] osTimer: {}: {}".format(type(error).__name__, error))
