"""QFrame's threads and what they wait for. One runs at a time and is never interrupted, so a flag is lock enough."""
import time

from Baton import blame, need
import blocking

# who has a __getattr__ must say what `import *` takes
__all__ = ("Lock", "Waiter", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Result", "TimeoutError",
           "Thread", "Queue", "LifoQueue", "PriorityQueue", "Task", "ThreadPoolExecutor")     # noqa: F822 (pool.py has them)
_LATER = __all__[-5:]
_begun = [0]


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(__import__("usr.qframe.pool", None, None, (name,)), name)


def _ms(seconds):
    """None: for ever."""
    return None if seconds is None else int(1000 * seconds)


def _me():
    return need().current


class Lock:
    """owner: the guest who holds it, False when nobody does."""

    def __init__(self):
        self._holder = False

    def acquire(self):
        blocking.until(lambda: self._holder is False, None, "Lock.acquire()")
        self._holder = _me()
        return True

    def release(self):
        if self._holder is False:
            raise RuntimeError("release of a lock that nobody holds")
        self._holder = False

    def locked(self):
        return self._holder is not False

    @property
    def owner(self):
        return self._holder

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_):
        if self._holder is _me():        # else it was stopped in a wait, without the lock
            self.release()


class Waiter:
    """One wait, ended by release()."""

    def __init__(self):
        self.is_released = False

    def acquire(self, timeout=None):
        return blocking.until(lambda: self.is_released, _ms(timeout), "a wait")

    def release(self):
        self.is_released = True


class Condition:
    def __init__(self, lock=None):
        self._lock = lock or Lock()
        self._waiters = []
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def __enter__(self):
        self._lock.acquire()
        return self

    def __exit__(self, *how):
        self._lock.__exit__(*how)

    def wait(self, timeout=None):
        """False after timeout seconds."""
        self._claim("wait on")
        waiter = Waiter()
        self._waiters.append(waiter)
        self._lock.release()
        try:
            is_told = waiter.acquire(timeout)
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        self._lock.acquire()
        return is_told

    def wait_for(self, predicate, timeout=None):
        """What predicate() gives at last."""
        begun_ms = blocking.now_ms()
        result = predicate()
        while not result:
            left_s = None
            if timeout is not None:
                left_s = timeout - time.ticks_diff(blocking.now_ms(), begun_ms) / 1000
                if left_s <= 0:
                    break
            self.wait(left_s)
            result = predicate()
        return result

    def notify(self, n=1):
        self._claim("notify")
        for waiter in self._waiters[:n]:
            waiter.release()
        del self._waiters[:n]

    def notify_all(self):
        self.notify(len(self._waiters))

    def _claim(self, what):
        if not self._lock.locked():
            raise RuntimeError("cannot {} un-acquired lock.".format(what))


class Event:
    def __init__(self):
        self._is_set = False

    def wait(self, timeout=None):
        """Is it set? After timeout seconds at the latest."""
        return blocking.until(self.is_set, _ms(timeout), "Event.wait()")

    def set(self):
        self._is_set = True

    def clear(self):
        self._is_set = False

    def is_set(self):
        return self._is_set


class Semaphore:
    def __init__(self, value=1):
        if value < 0:
            raise ValueError("a semaphore begins with 0 or more, got {}".format(value))
        self._value = self._first = value

    def acquire(self, block=True, timeout=None):
        """False when there was none. timeout: seconds, more than 0"""
        timeout_ms = patience_ms(block, timeout)
        if not blocking.until(lambda: self._value > 0, timeout_ms, "Semaphore.acquire()"):
            return False
        self._value -= 1
        return True

    def release(self, n=1):
        if n < 1:
            raise ValueError("1 or more are released, got {}".format(n))
        self._value += n

    def clear(self):
        self._value = 0

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_):
        self.release()


class BoundedSemaphore(Semaphore):
    def release(self, n=1):
        if self._value + n > self._first:
            raise ValueError("released more often than acquired")
        super().release(n)


def patience_ms(block, timeout):
    """For blocking.until(). Raises ValueError for a timeout that is not more than 0."""
    if not block:
        return 0
    if timeout is not None and timeout <= 0:
        raise ValueError("a timeout is more than 0 s, got {}".format(timeout))
    return _ms(timeout)


class TimeoutError(Exception):
    """Raised by Result.get()."""


class Result:
    """Of a thread or a task."""

    def __init__(self):
        self.is_over = False
        self._value = self._error = None

    def tell(self, value, error=None):
        self._value, self._error, self.is_over = value, error, True

    def get(self, timeout=None):
        """Its value. Raises what it raised, TimeoutError after timeout seconds."""
        if not blocking.until(lambda: self.is_over, _ms(timeout), "Result.get()"):
            raise TimeoutError("no result after {} s".format(timeout))
        if self._error:
            raise self._error
        return self._value


class Thread:
    def __init__(self, target=None, args=(), kwargs=None):
        self._target = target
        self._args = args
        self._kwargs = kwargs or {}
        self._guest = None
        self.ident = None

    def start(self):
        """Its Result, None when it runs already. Raises RuntimeError when there are too many threads."""
        if self.is_running():
            return None
        result = Result()
        _begun[0] += 1
        self._guest = need().start(self._work, (result,), None, "thread {}".format(_begun[0]))
        self.ident = _begun[0]
        return result

    def run(self):
        return self._target(*self._args, **self._kwargs)

    def stop(self):
        """It ends with its present or next wait."""
        if self.is_running():
            self._guest.stop()

    def is_running(self):
        return self._guest is not None and not self._guest.is_over

    def join(self, timeout=None):
        """False after timeout seconds."""
        return blocking.until(lambda: not self.is_running(), _ms(timeout), "Thread.join()")

    def _work(self, result):
        guest = self._guest
        try:
            result.tell(self.run())
        except BaseException as error:       # outer wall: it is for who asks the result, and for the log
            guest.error = error
            blame(guest)
            result.tell(None, error)
            raise
