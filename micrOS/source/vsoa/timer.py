"""A timer: calls a function later, once or at an interval that does not drift."""
import asyncio

from . import ground


class Timer:
    def __init__(self):
        self._task = self._loop = None
        self._turn = None                # of start(), None: stopped

    def start(self, timeout, callback, interval=0, args=(), kwargs=None):
        """Call back after timeout seconds, then every interval seconds if that is not 0; one that runs starts anew.

        callback: function or coroutine function; what it raises is one line. Raises ValueError, TypeError.
        """
        if timeout < 0 or interval < 0:
            raise ValueError("timeout and interval are 0 s or more, got {} and {}".format(timeout, interval))
        if not callable(callback):
            raise TypeError("the callback is a function, got {}".format(callback))
        self.stop()
        turn = self._turn = object()
        self._task = ground.spawn(self, self._run(turn, timeout, callback, interval, args, kwargs or {}))

    @ground.quick
    def stop(self):
        task, self._task, self._turn = self._task, None, None
        if task and task is not ground.current_task():
            task.cancel()

    def is_started(self):
        return self._turn is not None

    async def _run(self, turn, timeout, callback, interval, args, kwargs):
        end_ms = ground.later_ms(timeout)
        while True:
            await asyncio.sleep(ground.left_s(end_ms))
            if not interval:
                self._turn = None
            try:
                value = callback(*args, **kwargs)
                if ground.is_coroutine(value):
                    await value
            except Exception as error:       # outer wall: a guest must not end the timer
                ground.blame("timer", error)
            if self._turn is not turn:    # it was the only time, or the callback has stopped or restarted us
                return
            end_ms = ground.after_ms(end_ms, interval)
