"""A-XDR: writing, and the names of the tags. Source: as axdr.py"""
import struct

from .axdr import AxdrError, length

NULL, ARRAY, STRUCTURE, BOOLEAN, BIT_STRING, OCTET_STRING, VISIBLE, UTF8 = 0, 1, 2, 3, 4, 9, 10, 12
INT32, UINT32, INT8, INT16, UINT8, UINT16, COMPACT, ENUM = 5, 6, 15, 16, 17, 18, 19, 22
INT64, UINT64, DATE_TIME, DONT_CARE = 20, 21, 25, 255
# tag: octets of an integer, negative for a signed one
_NUMBERS = {5: -4, 6: 4, 13: -1, 15: -1, 16: -2, 17: 1, 18: 2, 20: -8, 21: 8, 22: 1, 28: -1, 29: -2, 30: -4, 31: 1,
            32: 2, 33: 4}
_FLOATS = {23: ">f", 24: ">d"}
_OCTETS = {DATE_TIME: 12, 26: 5, 27: 4}        # date-time, date, time


def encode(typed):
    """Octets of (tag, value); what arrays and structures hold are such pairs too. Raises AxdrError.

    compact array: (COMPACT, (description, pairs))
    """
    tag, value = typed
    if tag == COMPACT:
        return _write_compact(*value)
    return bytes((tag,)) + _write(tag, value, True)


def describe(kind):
    """Octets of a description; see axdr_compact.description()."""
    if isinstance(kind, int):
        return bytes((kind,))
    if kind[0] == ARRAY:
        return bytes((ARRAY,)) + struct.pack(">H", kind[1]) + describe(kind[2])
    return bytes((STRUCTURE,)) + length(len(kind[1])) + b"".join([describe(each) for each in kind[1]])


def _write_compact(kind, found):
    contents = b"".join([_write(tag, value, False) for tag, value in found])
    return bytes((COMPACT,)) + describe(kind) + length(len(contents)) + contents


def _write(tag, value, tagged):
    """The octets behind the tag. tagged: whether what it holds has tags and counts."""
    try:
        if tag in (ARRAY, STRUCTURE):
            if tagged:
                return length(len(value)) + b"".join([encode(each) for each in value])
            return b"".join([_write(kind, each, False) for kind, each in value])
        if tag in _NUMBERS:
            return _number(_NUMBERS[tag], value)
        if tag in _FLOATS:
            return struct.pack(_FLOATS[tag], value)
        if tag in _OCTETS and len(value) == _OCTETS[tag]:
            return bytes(value)
        return _WRITE[tag](value)
    except (KeyError, TypeError, OverflowError, AttributeError):
        raise AxdrError("{} is no value of the type {}".format(value, tag))


def _number(size, value):
    bits = 8 * abs(size)
    least = -(1 << bits - 1) if size < 0 else 0
    if not isinstance(value, int) or not least <= value < least + (1 << bits):
        raise TypeError
    return (value & (1 << bits) - 1).to_bytes(abs(size), "big")


def _write_bits(bits):
    if bits.strip("01"):
        raise TypeError
    padded = bits + "0" * (-len(bits) % 8)
    return length(len(bits)) + bytes([int(padded[at:at + 8], 2) for at in range(0, len(padded), 8)])


def _write_visible(text):
    codes = [ord(c) for c in text]
    if codes and max(codes) > 255:
        raise TypeError
    return _counted(bytes(codes))


def _counted(octets):
    if not isinstance(octets, (bytes, bytearray)):
        raise TypeError
    return length(len(octets)) + octets


_WRITE = {
    NULL: lambda value: b"", DONT_CARE: lambda value: b"",
    BOOLEAN: lambda value: b"\x01" if value else b"\x00",
    BIT_STRING: _write_bits,
    OCTET_STRING: _counted,
    VISIBLE: _write_visible,
    UTF8: lambda value: _counted(value.encode()),
}
