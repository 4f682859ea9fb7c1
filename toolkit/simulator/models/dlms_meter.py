"""A COSEM meter: what it answers to each APDU. Written from the standard; how octets reach it is dlms_meter_lines.py.

    meter = DlmsMeter(house_objects(House()))
    answer = meter.client(16).answer(apdu)

Source: IEC 62056-5-3: services, association, HLS, ciphering, block transfer.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrOS.source.pure import acse, axdr, axdr_write, cosem
from micrOS.source.pure.ciphering import Ciphering
from micrOS.source.pure.ciphering_errors import SecurityError
from micrOS.source.pure.gcm import Gcm
from micrOS.source.pure.secret import same
from toolkit.simulator.models.dlms_meter_objects import (
    CLASS_WRONG,
    DENIED,
    OTHER,
    SUCCESS,
    TYPE_WRONG,
    UNDEFINED,
    CosemObject,
    Refused,
    Typed,
    table,
)

GOT, WAS_SET, ACTED, EXCEPTION = 0xC4, 0xC5, 0xC7, 0xD8
ASSOCIATION = b"\0\0\x28\0\0\xff"
COUNTER = b"\0\0\x2b\x01\0\xff"
TITLE = b"MIC\0\0\0\0\x01"
CHALLENGE_OCTETS = 16
MOST_SET_OCTETS = 65536
NO_LONG_GET, BAD_BLOCK = 16, 19
# exception response: state error, service error
NOT_ASSOCIATED, UNKNOWN, OPERATION, DECIPHERING, COUNTER_WRONG = (1, 1), (2, 2), (1, 1), (1, 5), (1, 6)


@dataclass
class Security:
    """What a meter asks of a client.

    least     acse.NONE, acse.LLS or acse.GMAC: the weakest mechanism that it lets in
    keys      encryption and authentication key, for GMAC and ciphering
    must_cipher   only ciphered associations
    counter   its own invocation counter, the next to use
    """

    least: int = acse.NONE
    password: bytes = b"12345678"
    keys: tuple[bytes, bytes] | None = None
    must_cipher: bool = False
    title: bytes = TITLE
    counter: int = 1
    challenge: Callable[[], bytes] = lambda: secrets.token_bytes(CHALLENGE_OCTETS)
    heard: dict[bytes, int] = field(default_factory=dict)      # {client's title: its last counter}


class DlmsMeter:
    """most_octets: of an APDU that it takes; conformance: what it can do"""

    def __init__(self, objects: Sequence[CosemObject], security: Security | None = None,
                 most_octets: int = 0xFFFF, conformance: int = acse.CONFORMANCE) -> None:
        self.objects = table(objects)
        self.security = security or Security()
        self.most_octets = most_octets
        self.conformance = conformance
        self.restarts = 0
        self.asked: list[str] = []           # the last questions, for tests
        self.blocks = 0                      # that it gave
        self.reset_after: int | None = None  # fault: it starts anew after so many more blocks
        self.replays = False                 # fault: the same ciphered answer again and again
        self._last: bytes | None = None
        self._clients: dict[int, Client] = {}
        self._add_own_objects()

    def client(self, address: int) -> Client:
        """The association of a client, open or not."""
        return self._clients.setdefault(address, Client(self))

    def restart(self) -> None:
        """Power was lost: all associations are gone; registers and counters stay."""
        self.restarts += 1
        self._clients = {}

    def next_counter(self) -> int:
        self.security.counter += 1
        return self.security.counter - 1

    def may_reset(self) -> bool:
        """Counts a block; True when this one is not given any more."""
        self.blocks += 1
        if self.reset_after is None:
            return False
        self.reset_after -= 1
        if self.reset_after >= 0:
            return False
        self.reset_after = None
        self.restart()
        return True

    def _add_own_objects(self) -> None:
        self.objects[1, COUNTER] = CosemObject(
            1, COUNTER, {2: lambda: (axdr_write.UINT32, max(self.security.heard.values(), default=0))})
        association = CosemObject(15, ASSOCIATION, {2: (axdr_write.ARRAY, [])})
        self.objects[15, ASSOCIATION] = association
        association.attributes[2] = lambda: (axdr_write.ARRAY, [each.row() for each in self.objects.values()])


class Client:
    """The meter's side of one association."""

    def __init__(self, meter: DlmsMeter) -> None:
        self._meter = meter
        self._forget()

    def _forget(self) -> None:
        self.mechanism: int | None = None    # of the open association
        self._proving: bytes | None = None   # our challenge, while the client has to prove itself
        self._theirs = b""                   # its challenge
        self._ciphering: Ciphering | None = None
        self._is_ciphered = False
        self._takes = 0xFFFF
        self._blocks: Iterator[bytes] | None = None
        self._rest, self._is_end, self._block = b"", False, 0
        self._long: tuple[Any, ...] | None = None

    @property
    def is_open(self) -> bool:
        return self.mechanism is not None and self._proving is None

    def answer(self, data: bytes) -> bytes | None:
        """None: the meter was reset and says nothing."""
        try:
            return self._answered(data)
        except (ValueError, LookupError):          # of the codecs: an APDU that cannot be read
            return _exception(*OPERATION)

    def _answered(self, data: bytes) -> bytes | None:
        if data[0] == acse.AARQ:
            self._forget()
            return self._associated(data)
        if self.mechanism is None:
            return _exception(*NOT_ASSOCIATED)
        if data[0] == acse.RLRQ:
            self._forget()
            return bytes.fromhex("6303800100")
        if not self._is_ciphered:
            return self._served(data)
        ciphering = self._ciphering              # a proof that fails ends the association, and says so in it
        assert ciphering
        try:
            apdu = ciphering.unprotect(data)
        except SecurityError as error:
            if "replay" in str(error):
                return bytes(_exception(*COUNTER_WRONG) + (ciphering.heard + 1).to_bytes(4, "big"))
            return _exception(*DECIPHERING)
        self._meter.security.heard[ciphering.other] = ciphering.heard
        answer = self._served(apdu)
        if answer is None or answer[0] == EXCEPTION:
            return answer
        if not (self._meter.replays and self._meter._last):
            self._meter._last = ciphering.protect(answer)
        return bytes(self._meter._last)

    # -- the association
    def _associated(self, data: bytes) -> bytes:
        meter, security = self._meter, self._meter.security
        fields = acse.asked(data)
        context = fields[0xA1][-1]
        mechanism = fields[0x8B][-1] if 0x8B in fields else acse.NONE
        value = fields[0xAC][2:] if 0xAC in fields else b""
        title = fields[0xA6][2:] if 0xA6 in fields else b""
        is_ciphered = context == acse.CIPHERED
        if is_ciphered or mechanism == acse.GMAC:
            if not security.keys:
                return self._refused(context, 2 if is_ciphered else 11)
            try:
                self._met(title)
            except SecurityError:
                return self._refused(context, 3)
        user = fields[0xBE][2:]
        if is_ciphered:
            assert self._ciphering
            try:
                user = self._ciphering.unprotect(user)
            except SecurityError:
                return self._refused(context, 1)
            security.heard[title] = self._ciphering.heard
        offered, takes = _initiate(user)
        self._takes = min(takes or 0xFFFF, meter.most_octets)
        initiated = (b"\x08\x00\x06\x5f\x1f\x04\x00" + (offered & meter.conformance).to_bytes(3, "big")
                     + self._takes.to_bytes(2, "big") + b"\x00\x07")
        problem = self._problem(mechanism, value, is_ciphered)
        if problem:
            return self._refused(context, problem, initiated)
        self.mechanism, self._is_ciphered, self._theirs = mechanism, is_ciphered, value
        if mechanism == acse.GMAC:
            self._proving = security.challenge()
        return self._accepted(context, initiated)

    def _met(self, title: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        security = self._meter.security
        assert security.keys
        encryption, authentication = security.keys
        cipher = Cipher(algorithms.AES(encryption), modes.ECB())  # noqa: S305 - the block cipher below GCM
        self._ciphering = Ciphering(Gcm(lambda octets: cipher.encryptor().update(octets)), authentication,
                                    security.title, self._meter.next_counter, security.heard.get(title, -1))
        self._ciphering.meet(title)

    def _problem(self, mechanism: int, value: bytes, is_ciphered: bool) -> int:
        """Diagnostic, 0: none."""
        security = self._meter.security
        if mechanism not in (acse.NONE, acse.LLS, acse.GMAC):
            return 11
        if mechanism < security.least:
            return 12 if mechanism == acse.NONE else 11
        if security.must_cipher and not is_ciphered:
            return 2
        if mechanism == acse.LLS and not same(value, security.password):
            return 13
        if mechanism == acse.GMAC and not 8 <= len(value) <= 64:
            return 13
        return 0

    def _refused(self, context: int, diagnostic: int, user: bytes = b"") -> bytes:
        self._forget()
        fields = _result(context, 1, diagnostic)
        return bytes(acse.field(acse.AARE, fields + (acse.field(0xBE, acse.field(4, user)) if user else b"")))

    def _accepted(self, context: int, initiated: bytes) -> bytes:
        fields = _result(context, 0, 14 if self._proving else 0)
        if self._ciphering:
            fields += acse.field(0xA4, acse.field(4, self._meter.security.title))
        if self._proving:
            fields += (acse.field(0x88, b"\x07\x80") + acse.field(0x89, acse.name(2, acse.GMAC))
                       + acse.field(0xAA, acse.field(0x80, self._proving)))
        if self._is_ciphered:
            assert self._ciphering
            initiated = self._ciphering.protect(initiated)
        return bytes(acse.field(acse.AARE, fields + acse.field(0xBE, acse.field(4, initiated))))

    def _proved(self, parameter: Typed | None) -> Typed:
        assert self._ciphering and self._proving
        challenge, self._proving = self._proving, None
        try:
            if not parameter or not isinstance(parameter[1], bytes):
                raise SecurityError("no proof")
            self._ciphering.check(parameter[1], challenge)
        except SecurityError:
            self._forget()
            raise Refused(DENIED) from None
        self._meter.security.heard[self._ciphering.other] = self._ciphering.heard
        return axdr_write.OCTET_STRING, self._ciphering.proof(self._theirs)

    # -- services
    def _served(self, apdu: bytes) -> bytes | None:
        service = _SERVICES.get((apdu[0], apdu[1]))
        if not service:
            return _exception(*UNKNOWN)
        reader = axdr.Reader(apdu, 3, axdr.pair)
        if self._proving is not None and apdu[:1] != b"\xc3":
            return _exception(*NOT_ASSOCIATED)
        return service(self, apdu[2], reader)

    def _find(self, reader: Any) -> tuple[CosemObject, int]:
        class_id, name = int.from_bytes(reader.take(2), "big"), reader.take(6)
        number = int.from_bytes(reader.take(1), "big", signed=True)
        self._meter.asked = [*self._meter.asked[-99:], cosem.obis_text(name) + f" {number}"]
        found = self._meter.objects.get((class_id, name))
        if found:
            return found, number
        raise Refused(CLASS_WRONG if any(each == name for _, each in self._meter.objects) else UNDEFINED)

    def _selected(self, reader: Any) -> tuple[int, Typed] | None:
        return (reader.octet(), reader.value()) if reader.octet() else None

    def _one(self, reader: Any) -> Iterator[bytes]:
        """The value of one attribute, in pieces. Raises Refused, before the first piece; reads all of its question."""
        try:
            found, number = self._find(reader)
        finally:
            selection = self._selected(reader)
        pieces = found.read(number, selection)
        first = next(pieces)
        return _chain(first, pieces)

    def _get(self, invoke: int, reader: Any) -> bytes | None:
        self._blocks = None
        try:
            pieces = self._one(reader)
        except Refused as refused:
            return bytes((GOT, 1, invoke, 1, refused.code))
        return self._given(invoke, 1, pieces)

    def _get_list(self, invoke: int, reader: Any) -> bytes | None:
        count = reader.length()
        results = [axdr.length(count)]
        for _ in range(count):
            try:
                results.append(b"\0" + b"".join(self._one(reader)))
            except Refused as refused:
                results.append(bytes((1, refused.code)))
        return self._given(invoke, 3, iter(results))

    def _given(self, invoke: int, kind: int, pieces: Iterator[bytes]) -> bytes | None:
        """In one APDU when there is room, else the first block."""
        self._blocks, self._rest, self._is_end, self._block = pieces, b"", False, 0
        self._fill(self._room())
        if self._is_end and len(self._rest) + 4 <= self._room():
            self._blocks = None
            return bytes((GOT, kind, invoke, *(b"\0" if kind == 1 else b""))) + self._rest
        return self._next(invoke)

    def _room(self) -> int:
        return self._takes - (20 if self._is_ciphered else 0)

    def _fill(self, size: int) -> None:
        assert self._blocks is not None
        while not self._is_end and len(self._rest) < size:
            piece = next(self._blocks, None)
            self._is_end = piece is None
            self._rest += piece or b""

    def _next(self, invoke: int) -> bytes | None:
        size = self._room() - 9
        size -= len(axdr.length(size))
        self._fill(size + 1)
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._block += 1
        if self._meter.may_reset():
            return None
        is_last = self._is_end and not self._rest
        head = bytes((GOT, 2, invoke, is_last)) + self._block.to_bytes(4, "big")
        if is_last:
            self._blocks = None
        return bytes(head + b"\0" + axdr.length(len(piece)) + piece)

    def _get_next(self, invoke: int, reader: Any) -> bytes | None:
        number = reader.take(4)
        if self._blocks is None or int.from_bytes(number, "big") != self._block:
            code = BAD_BLOCK if self._blocks else NO_LONG_GET
            self._blocks = None
            return bytes((GOT, 2, invoke, 1, *number, 1, code))
        return self._next(invoke)

    def _set_one(self, found: CosemObject, number: int, value: Typed) -> int:
        try:
            found.write(number, value)
        except Refused as refused:
            return refused.code
        return SUCCESS

    def _set(self, invoke: int, reader: Any) -> bytes:
        try:
            found, number = self._find(reader)
        except Refused as refused:
            return bytes((WAS_SET, 1, invoke, refused.code))
        self._selected(reader)
        return bytes((WAS_SET, 1, invoke, self._set_one(found, number, reader.value())))

    def _set_list(self, invoke: int, reader: Any) -> bytes:
        targets: list[tuple[CosemObject, int] | int] = []
        for _ in range(reader.length()):
            try:
                targets.append(self._find(reader))
            except Refused as refused:
                targets.append(refused.code)
            self._selected(reader)
        if reader.length() != len(targets):
            return bytes((WAS_SET, 1, invoke, TYPE_WRONG))
        codes = []
        for target in targets:
            value = reader.value()
            codes.append(target if isinstance(target, int) else self._set_one(*target, value))
        return bytes((WAS_SET, 5, invoke, *axdr.length(len(codes)), *codes))

    def _set_first(self, invoke: int, reader: Any) -> bytes:
        try:
            target: Any = self._find(reader)
        except Refused as refused:
            target = refused.code
        self._selected(reader)
        self._long = (target, b"", 0)
        return self._set_block(invoke, reader)

    def _taken(self, reader: Any, codes: tuple[int, int, int]) -> tuple[bool, Any, bytes, int]:
        """(whether it was the last, target, all octets so far, number) of a block that came."""
        if self._long is None:
            raise Refused(codes[0])
        target, before, last_number = self._long
        is_last, number = bool(reader.octet()), int.from_bytes(reader.take(4), "big")
        whole = before + reader.take(reader.length())
        self._long = None if is_last else (target, whole, number)
        if number != last_number + 1 or len(whole) > MOST_SET_OCTETS:
            self._long = None
            raise Refused(codes[1] if number != last_number + 1 else codes[2])
        return is_last, target, whole, number

    def _set_block(self, invoke: int, reader: Any) -> bytes:
        try:
            is_last, target, whole, number = self._taken(reader, (18, BAD_BLOCK, 17))
        except Refused as refused:
            return bytes((WAS_SET, 3, invoke, refused.code, 0, 0, 0, 0))
        if not is_last:
            return bytes((WAS_SET, 2, invoke)) + number.to_bytes(4, "big")
        code = target if isinstance(target, int) else self._set_one(target[0], target[1], axdr.decode(whole, axdr.pair))
        return bytes((WAS_SET, 3, invoke, code)) + number.to_bytes(4, "big")

    def _act_one(self, found: CosemObject, number: int, parameter: Typed | None) -> bytes:
        """Result of one method, with what it gives."""
        try:
            if self._proving is not None:
                if (found.class_id, number) != (15, 1):
                    raise Refused(DENIED)
                given: Typed | None = self._proved(parameter)
            else:
                given = found.act(number, parameter)
        except Refused as refused:
            return bytes((refused.code, 0))
        return b"\0\0" if given is None else bytes(b"\0\x01\0" + axdr_write.encode(given))

    def _act(self, invoke: int, reader: Any) -> bytes:
        try:
            found, number = self._find(reader)
        except Refused as refused:
            return bytes((ACTED, 1, invoke, refused.code, 0))
        parameter = reader.value() if reader.octet() else None
        return bytes((ACTED, 1, invoke)) + self._act_one(found, number, parameter)

    def _act_list(self, invoke: int, reader: Any) -> bytes:
        targets: list[tuple[CosemObject, int] | int] = []
        for _ in range(reader.length()):
            try:
                targets.append(self._find(reader))
            except Refused as refused:
                targets.append(refused.code)
        results = []
        for target, _ in zip(targets, range(reader.length()), strict=True):
            value = reader.value()
            results.append(bytes((target, 0)) if isinstance(target, int) else self._act_one(*target, value))
        return bytes((ACTED, 3, invoke, *axdr.length(len(results)))) + b"".join(results)

    def _act_first(self, invoke: int, reader: Any) -> bytes:
        try:
            target: Any = self._find(reader)
        except Refused as refused:
            target = refused.code
        self._long = (target, b"", 0)
        return self._act_block(invoke, reader)

    def _act_block(self, invoke: int, reader: Any) -> bytes:
        try:
            is_last, target, whole, number = self._taken(reader, (16, OTHER, 15))
        except Refused as refused:
            return bytes((ACTED, 1, invoke, refused.code, 0))
        if not is_last:
            return bytes((ACTED, 4, invoke)) + number.to_bytes(4, "big")
        if isinstance(target, int):
            return bytes((ACTED, 1, invoke, target, 0))
        return bytes((ACTED, 1, invoke)) + self._act_one(
            target[0], target[1], axdr.decode(whole, axdr.pair))


Service = Callable[[Client, int, Any], "bytes | None"]
_SERVICES: dict[tuple[int, int], Service] = {
    (cosem.GET, 1): Client._get, (cosem.GET, 2): Client._get_next, (cosem.GET, 3): Client._get_list,
    (cosem.SET, 1): Client._set, (cosem.SET, 2): Client._set_first, (cosem.SET, 3): Client._set_block,
    (cosem.SET, 4): Client._set_list,
    (cosem.ACTION, 1): Client._act, (cosem.ACTION, 3): Client._act_list,
    (cosem.ACTION, 4): Client._act_first, (cosem.ACTION, 6): Client._act_block,
}


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _exception(state: int, service: int) -> bytes:
    return bytes((EXCEPTION, state, service))


def _result(context: int, result: int, diagnostic: int) -> bytes:
    return bytes(acse.field(0xA1, acse.field(6, acse.name(1, context))) + acse.field(0xA2, bytes((2, 1, result)))
                 + acse.field(0xA3, b"\xa1\x03\x02\x01" + bytes((diagnostic,))))


def _initiate(user: bytes) -> tuple[int, int]:
    """(conformance, most octets) that a client proposes. Raises AxdrError."""
    reader = axdr.Reader(user)
    if reader.octet() != acse.INITIATE:
        raise axdr.AxdrError("no initiate request")
    if reader.octet():
        reader.take(reader.octet())              # a dedicated key, which is not used
    for _ in range(2):                           # response allowed, quality of service: left out, or one octet
        if reader.octet():
            reader.octet()
    if reader.octet() != 6 or reader.take(4) != b"\x5f\x1f\x04\0":
        raise axdr.AxdrError("another DLMS version")
    return int.from_bytes(reader.take(3), "big"), int.from_bytes(reader.take(2), "big")
