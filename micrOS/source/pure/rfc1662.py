"""Frames between a meter and its module: 7e | ff 03 | protocol 2 | length 2 | command 1 | info n | fcs 2 | 7e.

The protocol is low octet first, the length (command and info) high octet first. Two ways on the wire:
- quectel   as the public solution sends it: nothing is escaped, so the length ends a frame; FCS high octet first
- rfc1662   flags end a frame, 7d escapes (section 4.2), FCS low octet first (section 3.1)
"""
from struct import pack, unpack_from

from .crc import GOOD, fcs16, running

QUECTEL, RFC1662 = "quectel", "rfc1662"
MOST_BYTES = 2048         # of command and info
_FLAG, _ESCAPE = b"\x7e", b"\x7d"
_HEAD = b"\x7e\xff\x03"
_AROUND = 10              # octets of a frame that its length does not count


class FrameError(ValueError):
    """Raised for what cannot be a frame, or be put into one."""


def encode(protocol, command, info=b"", profile=QUECTEL, accm=0):
    """One frame. protocol: 0-0xFFFF; command: 0-255; info: up to MOST_BYTES - 1

    accm: with rfc1662 also escapes the control characters whose bits are set. Raises FrameError.
    """
    if len(info) >= MOST_BYTES:
        raise FrameError("info takes up to {} bytes, got {}".format(MOST_BYTES - 1, len(info)))
    body = _HEAD[1:] + pack("<H", protocol) + pack(">HB", 1 + len(info), command) + bytes(info)
    if _known(profile) == QUECTEL:
        return _FLAG + body + pack(">H", fcs16(body)) + _FLAG
    return _FLAG + _stuffed(body + pack("<H", fcs16(body)), accm) + _FLAG


def decode(frame, profile=QUECTEL):
    """(protocol, command, info) of exactly one frame. Raises FrameError."""
    receiver = RECEIVERS[_known(profile)]()
    frames = receiver.feed(frame)
    if len(frames) != 1 or receiver.noise or receiver.broken or not receiver.is_idle():
        raise FrameError("no whole {} frame of {} bytes with a good FCS".format(profile, len(frame)))
    return frames[0]


def _known(profile):
    if profile not in RECEIVERS:
        raise FrameError("the profile is quectel or rfc1662, got {}".format(profile))
    return profile


def _stuffed(body, accm):
    # the escape itself first, else it would be escaped twice
    for octet in b"\x7d\x7e" + bytes([bit for bit in range(32) if accm >> bit & 1]):
        body = body.replace(bytes((octet,)), bytes((0x7D, octet ^ 0x20)))
    return body


def _fields(body):
    """(protocol, command, info) of what stands between ff and the FCS."""
    return unpack_from("<H", body, 2)[0], body[6], bytes(body[7:])


class LengthReceiver:
    """Profile quectel: takes bytes in any split, gives frames.

    A frame is believed when length, FCS and end flag agree; else the search goes on one octet behind its begin, so
    what stood inside of a broken one is found. The end flag of one frame may begin the next.
    frames, broken: how many were whole, how many began and were not; noise: octets that belonged to none
    """

    def __init__(self, most_bytes=MOST_BYTES):
        self._most = most_bytes
        self._rest = b""
        self._is_shared = False       # the first octet of the rest has ended a frame already
        self.frames = self.broken = self.noise = 0

    def feed(self, data):
        """list of (protocol, command, info) that data completes."""
        return self._read(self._rest + data if self._rest else data, False)

    def silence(self):
        """The line was silent in the midst of a frame: no more of it will come. Frames that it had swallowed."""
        return self._read(self._rest, True)

    def is_idle(self):
        """True when no frame has begun."""
        return len(self._rest) == self._is_shared

    def _read(self, data, is_over):
        found = []
        at = 0
        while True:
            begin = self._begin(data, at, is_over)
            size = self._size(data, begin)
            if size is None and not is_over:
                break
            if size and len(data) - begin < size and not is_over:
                break
            frame = size and self._frame(data, begin, size)
            if frame:
                found.append(frame)
                self.frames += 1
                at, self._is_shared = begin + size - 1, True
            elif begin == len(data):
                break
            else:
                self.broken += 1
                self._drop(1)
                at = begin + 1
        self._rest = bytes(data[begin:])
        return found

    def _begin(self, data, at, is_over):
        """Where the next frame begins, or may begin once more has come."""
        begin = data.find(_HEAD, at)
        if begin < 0:
            begin = len(data)
            if not is_over:
                begin -= 2 if data[-2:] == _HEAD[:2] and begin - 2 >= at else data[-1:] == _FLAG and begin > at
        if begin > at:
            self._drop(begin - at)
        return begin

    def _drop(self, count):
        self.noise += count - self._is_shared
        self._is_shared = False

    def _size(self, data, begin):
        """Octets of the frame there; None: too little has come to tell; 0: there can be none."""
        if len(data) - begin < 8:
            return None
        length = data[begin + 5] << 8 | data[begin + 6]
        return length + _AROUND if 1 <= length <= self._most else 0

    def _frame(self, data, begin, size):
        end = begin + size
        if data[end - 1:end] != _FLAG:
            return None
        body = data[begin + 1:end - 3]
        if fcs16(body) != data[end - 3] << 8 | data[end - 2]:
            return None
        return _fields(body)


class FlagReceiver:
    """Profile rfc1662: the same for escaped frames. accm: bits of control characters that the line puts in by itself

    Two flags may stand between frames, or one; what is shorter than four octets is no frame (RFC 1662, 4.3).
    """

    def __init__(self, most_bytes=MOST_BYTES, accm=0):
        self._most = 2 * (most_bytes + _AROUND)       # every octet may be escaped
        self._accm = accm
        self._rest = b""
        self._is_open = False         # a flag was seen
        self.frames = self.broken = self.noise = 0

    def feed(self, data):
        """list of (protocol, command, info) that data completes."""
        *parts, rest = bytes(self._rest + data if self._rest else data).split(_FLAG)
        found = [frame for frame in [self._part(part) for part in parts] if frame]
        if len(rest) > self._most:
            self._miss(rest)
            self._is_open = False     # the flag that ends it opens the next one
            rest = b""
        self._rest = rest
        return found

    def silence(self):
        """The line was silent in the midst of a frame: no more of it will come."""
        rest, self._rest = self._rest, b""
        if rest:
            self._miss(rest)
            self._is_open = False
        return []

    def is_idle(self):
        return not self._rest

    def _part(self, part):
        was_open, self._is_open = self._is_open, True
        frame = self._frame(part) if was_open and len(part) <= self._most else None
        if frame:
            self.frames += 1
        elif part:
            self._miss(part, was_open)
        return frame

    def _miss(self, part, was_open=None):
        """Who has begun as a frame is a broken one."""
        if (self._is_open if was_open is None else was_open) and len(part) >= 4:
            self.broken += 1
        self.noise += len(part)

    def _frame(self, part):
        if self._accm:
            part = bytes([octet for octet in part if octet > 31 or not self._accm >> octet & 1])
        body = _plain(part)
        if body is None or len(body) < 9 or body[:2] != _HEAD[1:] or running(body) != GOOD:
            return None
        if body[4] << 8 | body[5] != len(body) - 8:
            return None
        return _fields(body[:-2])


def _plain(part):
    """Without escapes; None when one has nothing behind it, which aborts a frame (RFC 1662, 4.3)."""
    first, *others = part.split(_ESCAPE)
    if not all(others):
        return None
    return first + b"".join([bytes((other[0] ^ 0x20,)) + other[1:] for other in others])


RECEIVERS = {QUECTEL: LengthReceiver, RFC1662: FlagReceiver}
