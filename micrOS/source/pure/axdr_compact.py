"""Compact arrays of A-XDR: one description, then values without tags. axdr.py reads the values themselves."""
from .axdr import MOST_VALUES, AxdrError, Reader, pair

COMPACT = 19
_ARRAY, _STRUCTURE = 1, 2


def read(reader, depth):
    """The compact array whose tag the reader has just taken: list of its values."""
    kind = description(reader, depth + 1)
    contents = Reader(reader.take(reader.length()), 0, reader.make)
    contents.left = reader.left
    found = []
    while contents.at < len(contents.data):
        found.append(row(contents, kind, depth + 1))
    reader.left = contents.left
    return reader.make(COMPACT, (kind, found) if reader.make is pair else found)


def description(reader, depth=0):
    """What stands before the values: a tag, (ARRAY, count, description), (STRUCTURE, (description, ...))."""
    reader.deeper(depth)
    tag = reader.octet()
    if tag == _ARRAY:
        return tag, int.from_bytes(reader.take(2), "big"), description(reader, depth + 1)
    if tag == _STRUCTURE:
        return tag, tuple([description(reader, depth + 1) for _ in range(reader.length())])
    return tag


def row(reader, kind, depth=0):
    """One value of the array."""
    begin = reader.at
    value = _described(reader, kind, depth)
    if reader.at == begin:
        raise AxdrError("a compact array of values without octets")
    return value


def _described(reader, kind, depth):
    if isinstance(kind, int):
        if kind in (_ARRAY, _STRUCTURE, COMPACT):
            raise AxdrError("a compact array of type {} without its parts".format(kind))
        return reader.typed(kind, depth)
    reader.deeper(depth)
    if kind[0] == _STRUCTURE:
        return reader.make(_STRUCTURE, tuple([_described(reader, each, depth + 1) for each in kind[1]]))
    if kind[1] > reader.left:
        raise AxdrError("more than {} values".format(MOST_VALUES))
    return reader.make(_ARRAY, [_described(reader, kind[2], depth + 1) for _ in range(kind[1])])
