"""The wire to the host: one line out, eight bytes back, and events that interrupt.

fd 3  events: host -> `kind 1 | ident 1 | 0 2`; back `w` = scheduled, `f` = no room, `a` = running
fd 4  requests: `verb words\n` is told, `?verb words\n` is answered `kind 1 | 0 1 | size 2 | value 4`, big-endian;
      kind 0 value, 1 bytes, 2 ValueError, 3 RuntimeError, 4 OSError(value). Bytes and texts: `?more value`.
A request and its answer stand on straight lines: between two jumps the VM runs no scheduled callback, so a callback's
request never falls between the two. Ctrl-C can cut the wait short; then the next request first finds its place again.
"""
# ruff: noqa: SIM115 - files open for good
from micropython import schedule
from ustruct import unpack

_requests = open(4, "r+b")
_head = bytearray(8)
_cut = bytearray(1)            # 1 while an answer is awaited
_syncs = bytearray(1)
_events = None
handlers = {}                  # kind << 8 | ident: (function, argument)


def tell(line):
    _requests.write(line)


def ask(line):
    """Answer of the host: int or bytearray. Raises what the port raises."""
    line = "?" + line
    if _cut[0]:
        _resync()
    _cut[0] = 1
    _requests.write(line)
    _requests.readinto(_head)
    _cut[0] = 0
    kind, _, size, value = unpack(">BBHi", _head)
    if not kind:
        return value
    if kind == 4:
        raise OSError(value)
    body = bytearray(size)
    line = "?more %d\n" % value
    if _cut[0]:
        _resync()
    _cut[0] = 1
    _requests.write(line)
    _requests.readinto(body)
    _cut[0] = 0
    if kind == 1:
        return body
    raise (ValueError, RuntimeError)[kind - 2](str(body, "utf-8"))


def _resync():
    # Numbered, for this can be cut short too, and then its answer is one more that nobody waits for.
    # The line end in front closes a line that was cut.
    _syncs[0] = (_syncs[0] + 1) & 255
    _requests.write("\n?sync %d\n" % _syncs[0])
    awaited = b"\xffvboard" + bytes(_syncs)
    seen = b""
    while seen != awaited:
        seen = (seen + _requests.read(1))[-8:]
    _cut[0] = 0


def _run(record):
    _events.write(b"a")
    entry = handlers.get(record >> 16)
    if entry:
        entry[0](entry[1])


def _reader(events, record, schedule, run):
    # A second thread on a VM without a GIL: it allocates nothing.
    while events.readinto(record) == 4:
        try:
            schedule(run, record[0] << 24 | record[1] << 16)
            events.write(b"w")
        except RuntimeError:
            events.write(b"f")


def listen(key, function, argument):
    """Run function(argument) at every event with this key (kind << 8 | ident). The thread starts at the first call."""
    global _events
    handlers[key] = (function, argument)
    if _events is None:
        import _thread
        _events = open(3, "r+b")
        _thread.start_new_thread(_reader, (_events, bytearray(4), schedule, _run))
    import sys
    if "asyncio.event" in sys.modules:
        import _flag           # noqa: F401 - once imported it has done its work


def dead():
    """The chip stops here: the host ends this VM."""
    from utime import sleep
    while True:
        sleep(9)

