"""Jobs one after the other, beside the loop on a host, between its turns on a board."""
from . import ground

_MOST_JOBS = 1000


class WorkQueue:
    """dropped: jobs that found no room"""

    def __init__(self):
        self._jobs = []                  # (function, args, kwargs), the one that runs is not among them
        self._is_busy = False
        self._lock = ground.Lock()
        self.dropped = 0

    def add(self, func, args=(), kwargs=None):
        """False when there is no room. func: function, on a board or in a loop a coroutine function too"""
        if not callable(func):
            raise TypeError("a job is a function, got {}".format(func))
        with self._lock:
            if len(self._jobs) >= _MOST_JOBS:
                self.dropped += 1
                return False
            self._jobs.append((func, args, kwargs or {}))
            begins, self._is_busy = not self._is_busy, True
        if begins:
            ground.work(self._step)
        return True

    def add_if_not_queued(self, func, args=(), kwargs=None):
        return not self.is_queued(func) and self.add(func, args, kwargs)

    def delete(self, func):
        """Take the first such job out. False when none waits."""
        with self._lock:
            for job in self._jobs:
                if job[0] == func:
                    self._jobs.remove(job)
                    return True
        return False

    def is_queued(self, func):
        with self._lock:
            return any(job[0] == func for job in self._jobs)

    def _step(self):
        """(more?, value) of the next job; a job that raises costs one line."""
        with self._lock:
            if not self._jobs:
                self._is_busy = False
                return False, None
            func, args, kwargs = self._jobs.pop(0)
        try:
            # the papers show args=(1), which is 1
            return True, func(*(args if isinstance(args, (tuple, list)) else (args,)), **kwargs)
        except Exception as error:       # outer wall: a job must not cost the others
            ground.blame("job", error)
            return True, None
