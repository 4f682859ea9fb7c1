"""Opening an association: AARQ, AARE and the initiate APDUs inside them.

AARQ 60 and AARE 61 are BER: tag 1, length, fields. Source: IEC 62056-5-3, abstract syntax of ACSE APDUs; the
numbers of names: DLMS UA Green Book, "Registered COSEM names".
"""
import struct

from .axdr import AxdrError, Reader, length
from .cosem import named

AARQ, AARE, RLRQ = 0x60, 0x61, 0x62
INITIATE, INITIATED = 0x01, 0x08
PLAIN, CIPHERED = 1, 3         # application contexts that use logical names
NONE, LLS, MD5, SHA1, GMAC, SHA256 = 0, 1, 3, 4, 5, 6        # mechanisms
# block transfer of get, set and action, several references, get, set, selective access, action
CONFORMANCE = 0x001E1D
_NAMES = b"\x60\x85\x74\x05\x08"         # 2.16.756.5.8
_CONTEXT, _RESULT, _DIAGNOSTIC, _TITLE_ASKING, _TITLE_ANSWERING = 0xA1, 0xA2, 0xA3, 0xA6, 0xA4
_REQUIRES_ASKING, _MECHANISM_ASKING, _VALUE_ASKING = 0x8A, 0x8B, 0xAC
_MECHANISM_ANSWERING, _VALUE_ANSWERING, _USER = 0x89, 0xAA, 0xBE
_DIAGNOSTICS = ("1 no reason given,2 the application context is not supported,3 the system title is not recognized,"
                "11 the authentication mechanism is not recognized,12 an authentication mechanism is required,"
                "13 authentication failure,14 authentication required")
PROOF_WANTED = 14


class AcseError(ValueError):
    """Raised for octets that open or close no association; says why."""


def field(tag, octets):
    """One field. Also for the AARE of a meter."""
    return bytes((tag,)) + length(len(octets)) + octets


def name(arc, number):
    """arc: 1 context, 2 mechanism"""
    return _NAMES + bytes((arc, number))


def initiate(conformance=CONFORMANCE, most_octets=0xFFFF):
    """The request that stands in an AARQ: no key of its own, DLMS version 6."""
    return b"\x01\0\0\0\x06\x5f\x1f\x04\0" + conformance.to_bytes(3, "big") + struct.pack(">H", most_octets)


def aarq(user, context=PLAIN, mechanism=NONE, value=b"", title=b""):
    """user: initiate(), maybe ciphered; value: password or challenge; title: system title, 8 octets or none"""
    fields = [field(_CONTEXT, field(6, name(1, context)))]
    if title:
        fields.append(field(_TITLE_ASKING, field(4, title)))
    if mechanism:
        fields.append(field(_REQUIRES_ASKING, b"\x07\x80") + field(_MECHANISM_ASKING, name(2, mechanism))
                      + field(_VALUE_ASKING, field(0x80, value)))
    return field(AARQ, b"".join(fields) + field(_USER, field(4, user)))


class Aare:
    """What a meter answered to the wish for an association.

    result      0 accepted, 1 refused for ever, 2 refused for now
    diagnostic  0 none, 14 it waits for a proof, others: why()
    context, mechanism   numbers, None where it does not say
    title, challenge, user   octets, maybe none; user: the initiate response, maybe ciphered, or an error
    """

    def __init__(self, data):
        fields = _fields(data, AARE)
        self.result = _integer(_inner(fields.get(_RESULT), 2))
        self.by_provider, self.diagnostic = _diagnosed(fields.get(_DIAGNOSTIC))
        self.context = _named(_inner(fields.get(_CONTEXT), 6), 1)
        self.mechanism = _named(fields.get(_MECHANISM_ANSWERING), 2)
        self.title = _inner(fields.get(_TITLE_ANSWERING), 4) or b""
        self.challenge = _inner(fields.get(_VALUE_ANSWERING), 0x80) or b""
        self.user = _inner(fields.get(_USER), 4) or b""

    def why(self):
        """Why the meter refused, in words."""
        return "diagnostic {}".format(self.diagnostic) if self.by_provider else named(_DIAGNOSTICS, self.diagnostic)


def initiated(user):
    """(conformance, most octets of an APDU to the meter) of an initiate response. Raises AcseError."""
    reader = Reader(user)
    try:
        if reader.octet() != INITIATED:
            raise AcseError("the meter refused the association: {}".format(bytes(user[:4]).hex()))
        if reader.octet():
            reader.take(1)                       # quality of service, of no meaning
        if reader.octet() != 6 or reader.take(4) != b"\x5f\x1f\x04\0":
            raise AcseError("an initiate response of another DLMS version")
        conformance = int.from_bytes(reader.take(3), "big")
        most_octets = int.from_bytes(reader.take(2), "big")
    except AxdrError:
        raise AcseError("an initiate response that is cut off")
    if most_octets and most_octets < 12:         # IEC 62056-5-3: 0 is no limit, below 12 nothing can be said
        raise AcseError("the meter takes {} octets".format(most_octets))
    return conformance, most_octets or 0xFFFF


def asked(data):
    """{tag: octets} of the fields of an AARQ, for a meter. Raises AcseError."""
    return _fields(data, AARQ)


def _fields(data, tag):
    try:
        reader = Reader(data)
        if reader.octet() != tag or reader.length() != len(data) - reader.at:
            raise AcseError("no {:#x} of {} octets".format(tag, len(data)))
        found = {}
        while reader.at < len(data):
            key = reader.octet()
            if key in found:
                raise AcseError("the field {:#x} comes twice".format(key))
            found[key] = reader.take(reader.length())
        return found
    except AxdrError as error:
        raise AcseError("a field that is cut off: {}".format(error))


def _inner(octets, tag):
    """What is in the one field inside a field, None for no field."""
    if octets is None:
        return None
    if len(octets) < 2 or octets[0] != tag:
        raise AcseError("expected {:#x} in a field, got {}".format(tag, octets[:2].hex()))
    try:
        reader = Reader(octets, 1)
        inner = reader.take(reader.length())
    except AxdrError:
        raise AcseError("a field that is cut off")
    if reader.at != len(octets):
        raise AcseError("octets follow a field")
    return inner


def _integer(octets):
    if octets is None or len(octets) != 1:
        raise AcseError("a result of one octet is missing")
    return octets[0]


def _diagnosed(octets):
    """(whether the provider said so, number)"""
    if octets is None:
        raise AcseError("the diagnostic is missing")
    by_provider = octets[:1] == b"\xa2"
    return by_provider, _integer(_inner(_inner(octets, 0xA2 if by_provider else 0xA1), 2))


def _named(octets, arc):
    if octets is None:
        return None
    if len(octets) != 7 or octets[:6] != name(arc, 0)[:6]:
        raise AcseError("a name that is none of COSEM: {}".format(octets.hex()))
    return octets[6]
