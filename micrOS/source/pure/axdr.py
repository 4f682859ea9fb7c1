"""A-XDR: how COSEM writes its data types as octets; reading. axdr_write.py has the names of the tags.

    tag 1 | value                fixed types
    tag 1 | length 1-5 | value   strings, arrays, structures; length: below 128 itself, else 0x80 + n and n octets
    19 | description | length | values without tags     compact array

Source: IEC 61334-6 (encoding), IEC 62056-6-2 / DLMS UA Blue Book, "Common data types" (tags).
"""
import struct

# octets of each fixed type by its tag, 0: another type; 0x80 more: a signed integer
_SIZES = (b"\0\0\0\0\0\x84\x04\0\0\0\0\0\0\x81\0\x81\x82\x01\x02\0\x88\x08\x01\x04\x08\x0c\x05\x04"
          b"\x81\x82\x84\x01\x02\x04")
_MOST_DEPTH = 10               # the deepest in use, the object list of an association, has 6
MOST_VALUES = 4096             # of one decoding: a short compact array can promise billions


class AxdrError(ValueError):
    """Raised for octets that are no A-XDR, and for values that have none; says why."""


class ShortError(AxdrError):
    """Raised when the octets end inside a value: more of them may make it whole."""


def plain(tag, value):
    """What a Reader makes of a value by default: array list, structure tuple, octet-string and dates bytes, text str,
    bit-string str of 0 and 1, null None."""
    return value


def pair(tag, value):
    """(tag, value): what axdr_write.encode() takes."""
    return tag, value


class Reader:
    """Takes one value after the other from octets.

    make   function(tag, value): plain or pair
    at     where the next value begins; after a ShortError where it stood before is the caller's to know
    left   values that may still come
    """

    def __init__(self, data, at=0, make=plain):
        self.data = data
        self.at = at
        self.make = make
        self.left = MOST_VALUES

    def take(self, count):
        """The next octets. Raises ShortError."""
        end = self.at + count
        if end > len(self.data):
            raise ShortError("{} octets are missing".format(end - len(self.data)))
        octets = self.data[self.at:end]
        self.at = end
        return bytes(octets)

    def octet(self):
        return self.take(1)[0]

    def length(self):
        first = self.octet()
        if first < 0x80:
            return first
        if not 0x81 <= first <= 0x84:
            raise AxdrError("a length that begins with {:#x}".format(first))
        return int.from_bytes(self.take(first & 0x7F), "big")

    def value(self, depth=0):
        """The next value. Raises AxdrError."""
        tag = self.octet()
        if tag == 19:
            from .axdr_compact import read
            return read(self, depth)
        return self.typed(tag, depth)

    def typed(self, tag, depth=0):
        """The next value, whose tag was read before, or stands elsewhere."""
        self.deeper(depth)
        if tag in (1, 2):                          # array, structure
            found = [self.value(depth + 1) for _ in range(self._count())]
            return self.make(tag, found if tag == 1 else tuple(found))
        size = _SIZES[tag] if tag < len(_SIZES) else 0
        return self.make(tag, self._fixed(tag, size) if size else self._other(tag))

    def deeper(self, depth):
        """Raises AxdrError when there are too many levels, or values."""
        self.left -= 1
        if depth > _MOST_DEPTH or self.left < 0:
            raise AxdrError("more than {} levels or {} values".format(_MOST_DEPTH, MOST_VALUES))

    def _count(self):
        count = self.length()
        if count > MOST_VALUES:
            raise AxdrError("{} values in one, at most {} are read".format(count, MOST_VALUES))
        if count > len(self.data) - self.at:       # each has an octet at least
            raise ShortError("{} values in {} octets".format(count, len(self.data) - self.at))
        return count

    def _fixed(self, tag, size):
        octets = self.take(size & 0x7F)
        if 25 <= tag <= 27:                        # date-time, date, time
            return octets
        if tag in (23, 24):
            return struct.unpack(">f" if tag == 23 else ">d", octets)[0]
        number = int.from_bytes(octets, "big")
        return number - (1 << 8 * len(octets)) if size & 0x80 and octets[0] & 0x80 else number

    def _other(self, tag):
        if tag in (0, 255):                        # null, don't care
            return None
        if tag == 3:
            return self.octet() != 0
        if tag == 4:
            count = self.length()
            octets = self.take((count + 7) // 8)
            return "".join(["1" if octets[at // 8] & 0x80 >> at % 8 else "0" for at in range(count)])
        if tag not in (9, 10, 12):
            raise AxdrError("no type has the tag {}".format(tag))
        return _text(tag, self.take(self.length()))


def _text(tag, octets):
    """Of octet-string, visible-string (one octet, one character) and UTF-8."""
    if tag == 9:
        return octets
    try:
        return "".join([chr(octet) for octet in octets]) if tag == 10 else str(octets, "utf-8")
    except UnicodeError:
        raise AxdrError("a text that is not UTF-8")


def decode(data, make=plain):
    """The one value that these octets are. Raises AxdrError, also when something follows."""
    reader = Reader(data, 0, make)
    value = reader.value()
    if reader.at != len(data):
        raise AxdrError("{} octets follow the value".format(len(data) - reader.at))
    return value


def length(count):
    """A length as octets."""
    if count < 0x80:
        return bytes((count,))
    octets = count.to_bytes(1 if count < 0x100 else 2 if count < 0x10000 else 4, "big")
    return bytes((0x80 + len(octets),)) + octets
