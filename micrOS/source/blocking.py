"""The one place where code that waits meets the loop that must not: QuecPython programs block, the node does not.

Without threads a wait of a moment is a sleep, any longer one is refused. Who gives guests threads of their own puts
`hand_over` and `run` here.
"""
import sys
import time

from micropython import const

MOMENT_MS = const(2000)           # that a guest may hold up the node
_POLL_MS = const(10)

# function(is_done, timeout_ms) -> bool, or None: this is no guest's thread
hand_over = None
# function(work, *args) -> what work gives, or a coroutine that gives it; None: called here and now
run = None
# function() -> ms, for time.ticks_diff(); it moves with the clock that guests wait by
now_ms = time.ticks_ms
# what stands elsewhere while modules are borrowed: {name: module or None}
others = [{}]


class WouldBlockError(RuntimeError):
    """Raised when a wait would hold up the node."""


def call(work, *args):
    """Result of a guest's handler, or a coroutine."""
    return run(work, *args) if run else work(*args)


def until(is_done, timeout_ms, what):
    """True as soon as is_done(), False after timeout_ms (None: never).

    what: names the wait in the error. Raises WouldBlockError.
    """
    if hand_over:
        result = hand_over(is_done, timeout_ms)
        if result is not None:
            return result
    if is_done() or timeout_ms == 0:
        return bool(is_done())
    if timeout_ms is None or timeout_ms > MOMENT_MS:
        raise WouldBlockError("{} would hold up the node; here only {} ms may be waited".format(what, MOMENT_MS))
    end_ms = time.ticks_add(time.ticks_ms(), timeout_ms)
    while not is_done():
        left_ms = time.ticks_diff(end_ms, time.ticks_ms())
        if left_ms <= 0:
            return False
        time.sleep_ms(min(left_ms, _POLL_MS))
    return True


def never():
    """is_done of a sleep, which nobody has to look at meanwhile."""
    return False


def sleep_ms(ms, what="a sleep"):
    """Raises WouldBlockError when it would hold up the node."""
    until(never, ms, what)


def borrow(modules):
    """Have {name: module} stand in sys.modules until give_back(); in a guest, whenever it is its turn."""
    others[0] = _swapped(modules)


def give_back():
    """Returns what stood there."""
    mine = _swapped(others[0])
    others[0] = {}
    return mine


def breathe():
    """Let others have a turn when a guest has had a long one: for what it may do again and again without a wait."""
    if hand_over:
        hand_over(_always, 0)


def _always():
    return True


def _swapped(modules):
    """Put modules in their places, None: none. Returns what stood there."""
    before = {}
    for name, module in modules.items():
        before[name] = sys.modules.get(name)
        if module:
            sys.modules[name] = module
        else:
            sys.modules.pop(name, None)
    return before
