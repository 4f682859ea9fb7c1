"""Sleeping tasks that follow the board's clock; only on a board with `turn`.

fd 5  `rtc 8 | skipped us 8 | stamp << 1 | fast 4 | grace ms 2`, see clock.py
fd 6  host -> one byte: look at fd 5; back, while fast: `ms 8 | stamp 4`, nothing to do for ms (-1: for ever)
ticks_ms() does not move, so the sleepers are moved against it: a skip is taken off the time at which each wakes.
"""
# ruff: noqa: SIM115 - files open for good
import sys
import time
from select import POLLIN, poll
from ustruct import pack_into, unpack
from utime import ticks_ms, ticks_add, ticks_diff

sys.path.append(".frozen")     # _boot.run() sets the path anew
import asyncio.core as core    # noqa: E402

_POLL_MS = 1                   # of real time before an idle program says so: sockets of the host get in
_MAX_SAVED_MS = 1000
_REPEAT_MS = 50                # a report is said again, in case it was overtaken
_look = open(6, "r+b")
_only_look = poll()
_only_look.register(_look, POLLIN)
_record = bytearray(22)
_report = bytearray(12)


class _Turn:
    """skipped_ms  what the sleepers have been moved by
    grace_ms    instead of _POLL_MS after traffic, for the answer to come
    saved_ms    in short polls, to be spent on a long one when a task begins to wait for a socket
    """

    def __init__(self):
        self.poll_ms = _POLL_MS
        self.skipped_ms = 0
        self.look()
        self.saved_ms = _MAX_SAVED_MS

    def look(self):
        """Move the sleepers by what was skipped since the last look.

        No jump before the last line, so that no callback which sleeps can come in between.
        """
        _look.read(len(_only_look.poll(0)))
        time._ahead.seek(0)
        time._ahead.readinto(_record)
        _, skipped_us, stamp, self.grace_ms = unpack("<qqIH", _record)
        ms = skipped_us // 1000 - self.skipped_ms
        self.skipped_ms += ms
        self.stamp = stamp >> 1
        self.fast = stamp & 1
        _move(ms)

    def wait(self, poller, ms):
        """Until something is ready, the clock was turned, or ms have passed (-1: for ever). True if a socket is ready.

        poller: with _look among its objects
        """
        ready = self._wait_fast(poller, ms) if self.fast else poller.poll(ms)
        ready = [entry[0] for entry in ready]
        if _look in ready:
            ready.remove(_look)
            self.look()
        if any(_is_socket(stream) for stream in ready):
            self.poll_ms = self.grace_ms
        return bool(ready)

    def _wait_fast(self, poller, ms):
        begun = ticks_ms()
        ready = poller.poll(_least(max(_POLL_MS, self.poll_ms), ms))
        waited_ms = ticks_diff(ticks_ms(), begun)
        # a program that naps for less than the grace waits for it in pieces
        self.poll_ms = max(_POLL_MS, self.poll_ms - waited_ms)
        if ms > 0:
            ms = max(0, ms - waited_ms)
        if ready or not ms:
            return ready
        self.saved_ms = min(_MAX_SAVED_MS, self.saved_ms + _POLL_MS)
        pack_into("<qI", _report, 0, ms, self.stamp)
        _look.write(_report)
        return poller.poll(_least(_REPEAT_MS, ms))

    def traffic(self):
        """A task begins to wait for a socket: what is out there gets time to answer, within what was saved."""
        if self.saved_ms >= self.grace_ms > self.poll_ms:
            self.saved_ms -= self.grace_ms
            self.poll_ms = self.grace_ms


def _is_socket(stream):
    return not hasattr(stream, "state")        # as a ThreadSafeFlag has


def _least(most_ms, ms):
    return most_ms if ms < 0 else min(most_ms, ms)


def _move(ms):
    queue = core._task_queue
    tasks = []
    while queue.peek():
        tasks.append(queue.pop())
    for task in tasks:
        waiting = task.data              # a cancellation that is to be raised in it: push() forgets it
        queue.push(task, ticks_add(task.ph_key, -ms))
        task.data = waiting


def _wait_io_event(self, ms):
    if ms:
        self.poller.register(_look, POLLIN)
        try:
            # with ms = -1 the caller takes the next task unseen: there has to be one
            while not _turn.wait(self.poller, ms) and ms < 0 and not core._task_queue.peek():
                pass
        finally:
            self.poller.unregister(_look)
    elif _only_look.poll(0):
        _turn.look()
    _ready(self, 0)


def _enqueue(self, stream, index):
    if _is_socket(stream):
        _turn.traffic()
    _begin(self, stream, index)


def sleep_ms(ms):
    end_ms = ticks_ms() + _turn.skipped_ms + ms
    while True:
        left_ms = end_ms - _turn.skipped_ms - ticks_ms()
        if left_ms <= 0:
            break
        _turn.wait(_only_look, left_ms)


def sleep(seconds):
    sleep_ms(int(seconds * 1000))


_turn = _Turn()
_ready = core.IOQueue.wait_io_event
_begin = core.IOQueue._enqueue
core.IOQueue.wait_io_event = _wait_io_event
core.IOQueue._enqueue = _enqueue
time.sleep, time.sleep_ms = sleep, sleep_ms
