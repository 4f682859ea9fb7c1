"""HDLC as meters speak it: frames, and the link of a client as a table.

    7e | format 2 | destination 1-4 | source 1-4 | control 1 | hcs 2 | information n | fcs 2 | 7e

format: 1010, segmentation bit, length of all between the flags in 11 bits. hcs only before information; both are
CRC-16/X-25, low octet first. Nothing is stuffed: a frame is found by its length. Addresses end with an octet whose
lowest bit is 1. Information begins with the LLC header e6 e6 00 (from a client) or e6 e6 07.
Source: IEC 62056-46, MAC sublayer (frame format type 3); ISO/IEC 13239.
"""
from .crc import fcs16

FLAG = 0x7E
SNRM, UA, DISC, DM = 0x93, 0x73, 0x53, 0x1F            # with the poll/final bit
CLIENT_LLC, METER_LLC = b"\xe6\xe6\x00", b"\xe6\xe7\x00"
_MOST_OCTETS = 2047            # what 11 bits can say
_LEAST_OCTETS = 7              # format 2, two addresses of 1, control 1, fcs 2
INFORMATION = 128              # octets of information and frames at a time that hold until the two agree otherwise
WINDOW = 1


class HdlcError(ValueError):
    """Raised for octets that are no frame, and for a frame that is out of place; says why."""


class Frame:
    """One frame. destination, source: as hdlc_setup.address() gives them; more: a segment, not the last."""

    def __init__(self, destination, source, control, information=b"", more=False):
        self.destination = destination
        self.source = source
        self.control = control
        self.information = information
        self.more = more

    @property
    def is_information(self):
        return not self.control & 1

    def octets(self):
        """The frame with its flags. Raises HdlcError when the information is too long."""
        body = self.destination + self.source + bytes((self.control,))
        size = 2 + len(body) + 2 + (len(self.information) + 2 if self.information else 0)
        if size > _MOST_OCTETS:
            raise HdlcError("{} octets in one frame, at most {}".format(size, _MOST_OCTETS))
        data = bytes((0xA0 | (0x08 if self.more else 0) | size >> 8, size & 0xFF)) + body
        if self.information:
            data += _check(data) + self.information
        return b"\x7e" + data + _check(data) + b"\x7e"


def parse(data):
    """The Frame between two flags, both left out. Raises HdlcError."""
    if len(data) < _LEAST_OCTETS or data[0] & 0xF0 != 0xA0 or (data[0] & 7) << 8 | data[1] != len(data):
        raise HdlcError("{} octets that do not begin as a frame".format(len(data)))
    if _check(data[:-2]) != data[-2:]:
        raise HdlcError("the check sequence of the frame is wrong")
    destination, at = _address(data, 2)
    source, at = _address(data, at)
    if at + 3 > len(data):
        raise HdlcError("no control octet")
    control, at = data[at], at + 1
    if at + 2 == len(data):
        return Frame(destination, source, control, b"", bool(data[0] & 8))
    if at + 4 > len(data) or _check(data[:at]) != data[at:at + 2]:
        raise HdlcError("the check sequence of the header is wrong")
    return Frame(destination, source, control, data[at + 2:-2], bool(data[0] & 8))


def _address(data, at):
    for size in (1, 2, 4):
        if at + size <= len(data) and data[at + size - 1] & 1:
            octets = data[at:at + size]
            if not any(octet & 1 for octet in octets[:-1]):
                return octets, at + size
    raise HdlcError("an address without an end")


def _check(data):
    value = fcs16(data)
    return bytes((value & 0xFF, value >> 8))


class Frames:
    """Finds frames in what comes in, whatever the split. dropped: octets that were part of none."""

    def __init__(self):
        self._data = bytearray()
        self.dropped = 0

    def feed(self, octets):
        """Frames that are whole by now. Two of them may share one flag."""
        self._data += octets
        found = []
        while self._settle():
            size = self._size()
            if len(self._data) < size + 2:
                break
            frame = self._whole(size)
            if frame:
                found.append(frame)
                self._forget(size + 1)           # the last flag may be the first of the next frame
            else:
                self.dropped += 1
                self._forget(1)
        return found

    def clear(self):
        self.dropped += len(self._data)
        self._data = bytearray()

    def _forget(self, count):
        self._data = self._data[count:]          # MicroPython's bytearray has no `del`

    def _settle(self):
        """Skip to a flag with the head of a frame behind it; False when more octets are needed."""
        at = 0
        while at + 2 < len(self._data):
            if self._data[at] == FLAG and self._data[at + 1] & 0xF0 == 0xA0 and self._long_enough(at):
                break
            self.dropped += self._data[at] != FLAG
            at += 1
        if at:
            self._forget(at)
        return len(self._data) > 2

    def _long_enough(self, at):
        return (self._data[at + 1] & 7) << 8 | self._data[at + 2] >= _LEAST_OCTETS

    def _size(self):
        return (self._data[1] & 7) << 8 | self._data[2]

    def _whole(self, size):
        if self._data[size + 1] != FLAG:
            return None
        try:
            return parse(bytes(self._data[1:size + 1]))
        except HdlcError:
            return None
