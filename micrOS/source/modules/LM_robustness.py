"""What the node stands: an exception, a full memory, deep recursion. Hurts this node only, while it runs."""
import gc

from Common import socket_stream

_ROUND_BYTES = 400


def _count(cnt):
    if not isinstance(cnt, int) or cnt < 0:
        raise ValueError("cnt is a number of rounds, 0 or more, got {}".format(cnt))


@socket_stream
def raise_error(msgobj=None):
    """Raises what nobody expects."""
    msgobj("Raise test exception")
    raise Exception("Test exception")


@socket_stream
def memory_leak(cnt=160, msgobj=None):
    """Take 400 bytes in each of cnt rounds; all is free again afterwards. More than there is ends in MemoryError."""
    _count(cnt)
    gc.collect()
    before, taken = gc.mem_alloc(), []
    for number in range(cnt):
        taken.append(bytearray(_ROUND_BYTES))
        msgobj("[{}] + {} byte".format(number + 1, _ROUND_BYTES))
    used = gc.mem_alloc() - before
    return "[{}] RAM Alloc.: {} kB {} byte".format(cnt, used // 1024, used % 1024)


@socket_stream
def recursion_limit(cnt=14, msgobj=None):
    """Go cnt calls deep. Returns 0; deeper than the stack ends in RuntimeError."""
    _count(cnt)
    try:
        return _recall(1, cnt, msgobj)
    except RuntimeError as error:
        raise RuntimeError(str(error))       # a new one: the traceback of this has a line for every call


def _recall(depth, cnt, msgobj):
    if depth > cnt:
        return 0
    msgobj("recalled {}".format(depth))
    return _recall(depth + 1, cnt, msgobj)


def help():
    return ("raise_error (each of these hurts this node only, while it runs)", "memory_leak cnt=160",
            "recursion_limit cnt=14")
