"""Changing a meter: SET and ACTION, at once, in blocks or in lists; and which rows of a profile are wanted.

Source: IEC 62056-5-3, SET and ACTION services and their block transfer; Blue Book, class 7 (access selectors).
"""
from . import axdr_write, cosem
from .axdr import Reader, length
from .axdr_write import encode
from .cosem import AccessError, CosemError
from .cosem_client import Client, counted, given, listed, long

_BLOCK_HEAD = 12               # octets of a request before a block of its value, at most; the target apart
_LEAST_OCTETS = 139            # in which a block has room beside its target and a selection by range
_BLOCKS = {cosem.SET: (2, 3, 2), cosem.ACTION: (4, 6, 4)}     # kinds: first block, next block, "go on" of the meter


def selection(selector=0, parameter=None):
    """selector: 0 none; parameter: typed as encode() takes it"""
    return bytes((1, selector)) + encode(parameter) if selector else b"\0"


def by_range(begin, end, column=None):
    """Selection of the rows of a profile between two moments. begin, end: 12 octets of a date-time

    column: (class, obis, attribute) of the moments, the clock by default. Class 7, access selector 1.
    """
    class_id, name, number = column or (8, b"\0\0\x01\0\0\xff", 2)
    restricting = (axdr_write.STRUCTURE, (
        (axdr_write.UINT16, class_id), (axdr_write.OCTET_STRING, name), (axdr_write.INT8, number),
        (axdr_write.UINT16, 0)))
    return selection(1, (axdr_write.STRUCTURE, (
        restricting, (axdr_write.OCTET_STRING, begin), (axdr_write.OCTET_STRING, end), (axdr_write.ARRAY, ()))))


def by_entry(first, last=0, first_column=1, last_column=0):
    """Selection of rows and columns of a profile by number, from 1; 0: to the last. Class 7, access selector 2."""
    return selection(2, (axdr_write.STRUCTURE, (
        (axdr_write.UINT32, first), (axdr_write.UINT32, last), (axdr_write.UINT16, first_column),
        (axdr_write.UINT16, last_column))))


def set_list(number, whats, values):
    """values: octets of each value"""
    return (cosem.head(cosem.SET, 4, number) + length(len(whats)) + b"".join([what + b"\0" for what in whats])
            + length(len(values)) + b"".join(values))


def action_list(number, whats, values):
    """values: octets of each parameter, b"\\0" for none"""
    return (cosem.head(cosem.ACTION, cosem.WITH_LIST, number) + length(len(whats)) + b"".join(whats)
            + length(len(values)) + b"".join(values))


def block(last, number, octets):
    """One block, behind the head of its request."""
    return bytes((1 if last else 0,)) + number.to_bytes(4, "big") + length(len(octets)) + octets


class Writer(Client):
    """A Client that changes values too."""

    def set(self, what, typed, chosen=b"\0"):
        """typed: as encode() takes it; result: None"""
        return self._send(cosem.SET, what + chosen, b"", encode(typed))

    def action(self, what, typed=None):
        """typed: parameter or None; result: what the method gives, or None

        It is held whole, up to most_value octets: what methods give is short (an image block, a proof).
        """
        return self._send(cosem.ACTION, what, b"\x01", b"" if typed is None else encode(typed))

    def set_list(self, whats, typed):
        """result: list of None, or an AccessError where the meter refuses"""
        return self._ask(set_list(self._numbered(), whats, [encode(each) for each in typed]), len(whats))

    def action_list(self, whats, typed):
        """result: list of what the methods give, or an AccessError"""
        return self._ask(action_list(self._numbered(), whats, [encode(each) for each in typed]), len(whats))

    # -- inside
    def _send(self, service, what, mark, octets):
        """At once, or in blocks when it is too long for one APDU. mark: says that a value follows"""
        number = self._numbered()
        whole = what + (mark if octets else b"\0" if mark else b"") + octets
        if len(whole) + 3 <= self._takes:
            return self._ask(cosem.head(service, cosem.NORMAL, number) + whole)
        if self._takes < _LEAST_OCTETS:
            raise CosemError("the meter takes {} octets, too few for blocks".format(self._takes))
        self._see("send blocks")
        self.result = None
        self._forget()
        self._service, self._rest = service, octets
        return self._next(_BLOCKS[service][0], what)

    def _next(self, kind, what=b""):
        size = self._takes - _BLOCK_HEAD - len(what)
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._block += 1
        if not self._rest:
            self._see("all sent")
        return self._out(cosem.head(self._service, kind, self._number) + what
                         + block(not self._rest, self._block, piece))

    def _handler(self, service, kind):
        if service == 0xC4:
            return super()._handler(service, kind)
        return {(0xC5, 1): self._was_set, (0xC5, 2): self._go_on, (0xC5, 3): self._was_set_last,
                (0xC5, 5): self._was_set_list, (0xC7, 1): self._acted, (0xC7, 2): self._acted_block,
                (0xC7, 3): self._acted_list, (0xC7, 4): self._go_on}.get((service, kind))

    def _go_on(self, apdu):
        """The meter has a block and wants the next."""
        if self.state != "sending" or len(apdu) != 7 or long(apdu, 3) != self._block:
            raise CosemError("the meter acknowledges another block")
        self._see("next")
        return self._next(_BLOCKS[self._service][1])

    def _was_set(self, apdu):
        if len(apdu) != 4:
            raise CosemError("octets follow the answer")
        return self._denied(apdu[3]) if apdu[3] else self._done(None)

    def _was_set_last(self, apdu):
        if long(apdu, 4) != self._block:
            raise CosemError("the meter acknowledges another block")
        return self._denied(apdu[3]) if apdu[3] else self._done(None)

    def _was_set_list(self, apdu):
        codes = counted(apdu, 3)
        if len(codes) != self._count:
            raise CosemError("{} results for {} values".format(len(codes), self._count))
        return self._done([AccessError(code) if code else None for code in codes])

    def _acted(self, apdu):
        reader = Reader(apdu, 3)
        result = _acted_one(reader)
        if reader.at != len(apdu):
            raise CosemError("octets follow the answer")
        return self._denied(result.code) if isinstance(result, AccessError) else self._done(result)

    def _acted_list(self, apdu):
        return self._done(listed(apdu[3:], self._count, _acted_one))

    def _acted_block(self, apdu):
        if not self._parts:
            self._block = 0                      # so far it has numbered the blocks of the question
        self._count_block(apdu)
        return self._took(apdu, counted(apdu, 8))


def _acted_one(reader):
    """Result of one method: what it gives, None, or an AccessError."""
    code = reader.octet()
    result = given(reader) if reader.octet() else None
    return AccessError(code) if code else result
