"""Guests that block: each works in a thread of its own, one at a time, and never beside the loop.

The task `guests` hands the baton to a guest whose wait is over and stands still until the guest waits again, in one of
our calls: so no two threads touch an object at the same time, on a VM without a GIL too. A guest that computes holds up
the node until then: it is named in the alarms. Whoever imports this wants it.
"""
import asyncio
import sys
import time

from micropython import const

import blocking
from Debug import console_write, errlog_add, trace
from TaskManager import manager

try:
    import _thread
except ImportError:
    _thread = None

HANDLER = "a handler"             # name of a guest that the bus or a timer begins
LASTING = "quec "                 # so begins the name of one that stays until a reboot
_MOST = 1 if sys.platform == "rp2" else 16       # guests; a second core takes one thread
_STACK_BYTES = 16384 if sys.maxsize < 1 << 31 else 262144    # as the main task of an ESP32: imports are deep
_MOST_IDLE = const(2)             # threads that are kept for the next guest
_TURN_MS = const(20)              # then others come first, even if there is nothing to wait for
_POLL_MS = const(10)              # a wait is looked at so often at first,
_LAZY_POLL_MS = const(40)         # and so often when it has lasted
_EAGER_MS = const(1000)


class Stopped(SystemExit):
    """Raised out of the wait of a guest that shall end."""


class Guest:
    """work(*args, **kwargs) of a program; the loop's own view of it.

    is_over: then value is what work gave, or error what it raised. modules: {name: module}, see blocking.borrow()
    owner: name of the first guest, where one began the other; is_loading: it may take long until its first wait
    """

    def __init__(self, work, args, kwargs, name, owner):
        self.work = work
        self.args = args
        self.kwargs = kwargs
        self.name = name
        self.owner = owner
        self.seat = None
        self.modules = {}
        self.is_loading = False
        self.is_over = self.is_stopped = False
        self.value = self.error = None
        self._over = None                    # asyncio.Event
        self.wait_for(None, 0)

    def wait_for(self, is_done, timeout_ms):
        self._is_done = is_done
        self._timeout_ms = timeout_ms
        self._since_ms = blocking.now_ms()

    def is_ready(self):
        if self.is_stopped or self._is_done is None or self.left_ms() == 0:
            return True
        try:
            return self._is_done()
        except Exception:                    # outer wall: it shall be raised in the guest, who asks once more
            return True

    def left_ms(self):
        """None: for ever."""
        if self._timeout_ms is None:
            return None
        return max(0, self._timeout_ms - time.ticks_diff(blocking.now_ms(), self._since_ms))

    def pause_ms(self):
        """Until it has to be looked at."""
        lasted_ms = time.ticks_diff(blocking.now_ms(), self._since_ms)
        if self._timeout_ms is None and lasted_ms > _EAGER_MS:
            self._since_ms = time.ticks_add(self._since_ms, lasted_ms - _EAGER_MS - 1)       # ticks turn over
        if self._is_done is blocking.never:
            return self.left_ms()
        poll_ms = _POLL_MS if lasted_ms < _EAGER_MS else _LAZY_POLL_MS
        left_ms = self.left_ms()
        return poll_ms if left_ms is None else min(poll_ms, left_ms)

    def state(self):
        left_ms = self.left_ms()
        return "waits" if left_ms is None else "waits for {} ms more".format(left_ms)

    def stop(self):
        """It ends with its present or next wait."""
        self.is_stopped = True
        baton.wake()

    def run(self):
        """In its thread. Raises nothing."""
        try:
            self.value = self.work(*self.args, **self.kwargs)
        except Stopped as error:
            self.error = error
        except BaseException as error:       # outer wall: a program's end must not cost the thread
            self.error = error
        self.is_over = True
        if self._over:
            self._over.set()

    def outcome(self):
        """Its value. Raises what it raised."""
        if self.error:
            raise self.error
        return self.value

    async def over(self):
        if not self.is_over:
            self._over = self._over or asyncio.Event()
            await self._over.wait()
        return self.outcome()


class _Seat:
    """A thread. Between two locks nothing is done that could touch an object: both threads run for that moment."""

    def __init__(self, home):
        go = _thread.allocate_lock()
        go.acquire()
        self.guest = None
        self.resume, self.pause = go.release, go.acquire
        self.go_home = home.release
        _thread.start_new_thread(_live, (go.acquire, self))


def _live(pause, seat):
    pause()
    go_home = seat.go_home
    while seat.guest:
        seat.guest.run()
        seat.guest = None
        go_home()
        pause()
    go_home()


class Baton:
    def __init__(self):
        self.current = None              # the Guest who has the baton; None: the loop
        self.guests = []
        self.turns = 0
        self._since_ms = 0               # when the turn began
        self._came = asyncio.Event()     # a guest, or a stop
        self._idle = []
        self._ahead_ms = 0               # what the clock was turned by
        self._home = _thread.allocate_lock()
        self._home.acquire()
        self._stand = self._home.acquire

    def now_ms(self):
        return time.ticks_add(time.ticks_ms(), self._ahead_ms)

    def start(self, work, args=(), kwargs=None, name="a guest"):
        """The Guest; its first turn comes soon. Raises RuntimeError when there are too many."""
        if len(self.guests) >= _MOST:
            raise RuntimeError("{} guest thread{} there already, and no more fit; one has to end first".format(
                _MOST, " is" if _MOST == 1 else "s are"))
        guest = Guest(work, args, kwargs or {}, name, self.current.owner if self.current else name)
        guest.seat = self._idle.pop() if self._idle else self._new_seat()
        guest.seat.guest = guest
        self.guests.append(guest)
        self.wake()
        manager().start("guests", self._serve(), protected=True)
        return guest

    def wake(self):
        """Look at all guests now."""
        self._came.set()

    def run(self, work, *args):
        """What work gives, or when it waits, a coroutine for it: it goes on while the node serves others.

        Where only one guest fits and is there, handlers do not wait for its end: they are called here.
        """
        is_full = len(self.guests) >= _MOST
        if self.current or is_full and _MOST == 1:
            return work(*args)
        if is_full:
            return self._run_later(work, args)
        guest = self.start(work, args, None, HANDLER)
        self._turn(guest)
        return guest.outcome() if guest.is_over else _awaited(guest)

    def wait(self, is_done, timeout_ms):
        """In a guest: see blocking.until(). None when it is called by the loop."""
        guest = self.current
        if guest is None:
            return None
        self._heed(guest)
        has_had_ms = time.ticks_diff(time.ticks_ms(), self._since_ms)
        if has_had_ms < _TURN_MS and (timeout_ms == 0 or is_done()):
            return bool(is_done())
        guest.wait_for(is_done, timeout_ms)
        pause = guest.seat.pause
        guest.seat.go_home()
        pause()
        guest.is_loading = False
        self._heed(guest)
        return bool(is_done())

    def _heed(self, guest):
        if guest.is_stopped:
            raise Stopped("{} was stopped".format(guest.name))

    def _new_seat(self):
        _thread.stack_size(_STACK_BYTES)
        try:
            return _Seat(self._home)
        except (OSError, MemoryError) as error:
            raise RuntimeError("no room for one more thread: {}".format(error))
        finally:
            _thread.stack_size(0)

    async def _run_later(self, work, args):
        while len(self.guests) >= _MOST:
            await asyncio.sleep_ms(_LAZY_POLL_MS)
        return await _awaited(self.start(work, args, None, HANDLER))

    def _turn(self, guest):
        """The loop stands still until the guest waits, or has ended."""
        self.turns += 1
        modules = manager().modules
        before, modules.running = modules.running, ("guest", guest.name)       # for who is asked who holds the loop
        outer = blocking.others[0]       # the loop may be amid a program's import itself
        blocking.borrow(guest.modules)
        self.current = guest
        self._since_ms = time.ticks_ms()
        resume, stand = guest.seat.resume, self._stand
        resume()
        stand()
        self.current = None
        guest.modules = blocking.give_back()
        blocking.others[0] = outer
        modules.running = before
        if not guest.is_loading and time.ticks_diff(time.ticks_ms(), self._since_ms) > blocking.MOMENT_MS:
            errlog_add("[ERR] guest {} held up the node for more than {} s; its loop wants a utime.sleep_ms(1)".format(
                guest.name, blocking.MOMENT_MS // 1000))
        if guest.is_over:
            self._leave(guest)

    def _leave(self, guest):
        self.guests.remove(guest)
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(guest.seat)
            return
        resume, stand = guest.seat.resume, self._stand
        resume()
        stand()

    async def _serve(self):
        while self.guests:
            is_quiet = True
            for guest in tuple(self.guests):
                if guest in self.guests and guest.is_ready():
                    self._turn(guest)
                    is_quiet = False
                    await asyncio.sleep_ms(0)
            if is_quiet:
                await self._pause(min([guest.pause_ms() for guest in self.guests]))

    async def _pause(self, ms):
        """A sleep that was shorter than it should be tells that somebody has turned the clock."""
        begun_ms = time.ticks_ms()
        if ms <= _LAZY_POLL_MS:
            await asyncio.sleep_ms(ms)
        elif not await self._nap(ms):
            return
        self._ahead_ms += max(0, ms - time.ticks_diff(time.ticks_ms(), begun_ms))

    async def _nap(self, ms):
        """All sleep: True when it is over, False when a guest came."""
        self._came.clear()
        try:
            await asyncio.wait_for_ms(self._came.wait(), ms)
            return False
        except asyncio.TimeoutError:
            return True


async def _awaited(guest):
    value = await guest.over()
    return await value if hasattr(value, "send") else value


def blame(guest):
    """Tell what ended a guest that nobody waits for."""
    if guest.error and not isinstance(guest.error, Stopped):
        trace(guest.error)
        errlog_add("[ERR] {}: {}: {}".format(guest.name, type(guest.error).__name__, guest.error))


def need():
    """The node's Baton. Raises RuntimeError on a port without threads."""
    if baton is None:
        raise RuntimeError("this firmware has no threads: programs that block cannot run here")
    return baton


baton = Baton() if _thread else None
if baton:
    blocking.hand_over = baton.wait
    blocking.run = baton.run
    blocking.now_ms = baton.now_ms
    console_write("[guests] up to {} may wait at a time".format(_MOST))
