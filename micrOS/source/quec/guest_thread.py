"""`_thread` of QuecPython programs: threads that share the baton, so none runs beside another."""
from Baton import Stopped, blame, need
import blocking

_numbers = {}                     # {id of a thread: Guest}
_begun = [0]


class _Lock:
    def __init__(self):
        self._is_taken = False

    def acquire(self, waitflag=1, timeout=-1):
        timeout_ms = None if timeout < 0 else int(1000 * timeout)
        if not blocking.until(lambda: not self._is_taken, timeout_ms if waitflag else 0, "a lock"):
            return False
        self._is_taken = True
        return True

    def release(self):
        if not self._is_taken:
            raise RuntimeError("release of a lock that nobody holds")
        self._is_taken = False

    def locked(self):
        return self._is_taken

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


def allocate_lock():
    return _Lock()


def start_new_thread(function, args=(), kwargs=None):
    """Number of the new thread. Raises RuntimeError when there are too many."""
    _begun[0] += 1
    number = _begun[0]
    _numbers[number] = need().start(_work, (number, function, args, kwargs or {}), None, "thread {}".format(number))
    return number


def _work(number, function, args, kwargs):
    guest = _numbers[number]
    try:
        function(*args, **kwargs)
    except Exception as error:           # outer wall: nobody else would hear of it
        guest.error = error
        blame(guest)
    finally:
        del _numbers[number]


def get_ident():
    """0 in the loop."""
    for number, guest in _numbers.items():
        if guest is need().current:
            return number
    return 0


def threadIsRunning(number):
    return number in _numbers


def stop_thread(number):
    """It ends with its present or next wait."""
    if number in _numbers:
        _numbers[number].stop()


def exit():
    raise Stopped("the thread has ended itself")


def stack_size(size=0):
    """Threads have the size that the node gives them."""
    return 0
