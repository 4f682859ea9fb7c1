"""COSEM questions about values, and what the meter says when it refuses. cosem_write.py changes values.

    c0 kind invoke class 2 obis 6 attribute 1 selection      GET, and so SET c1 and ACTION c3
    c4 kind invoke result ...                                answers: c4, c5, c7
    d8 state service                                         exception; 0e: the same of old
Source: IEC 62056-5-3, abstract syntax of COSEM APDUs.
"""
from .axdr import length

GET, SET, ACTION = 0xC0, 0xC1, 0xC3
NORMAL, NEXT, WITH_LIST = 1, 2, 3
_RESULTS = ("1 hardware fault,2 temporary failure,3 read or write denied,4 object undefined,"
            "9 object class inconsistent,11 object unavailable,12 type unmatched,13 scope of access violated,"
            "14 data block unavailable,15 long transfer aborted,16 no long transfer in progress,17 long set aborted,"
            "18 no long set in progress,19 data block number invalid,250 other reason")
_STATES = "1 service not allowed,2 service unknown"
_SERVICES = ("1 operation not possible,2 service not supported,3 other reason,4 PDU too long,5 deciphering error,"
             "6 invocation counter error")


class CosemError(ValueError):
    """Raised for an answer that is none, or none to what was asked; says why."""


class AccessError(CosemError):
    """Raised when the meter refuses one value. code: data-access or action result; the association goes on."""

    def __init__(self, code):
        super().__init__("the meter says: {}".format(named(_RESULTS, code)))
        self.code = code


class RefusedError(CosemError):
    """Raised when the meter cannot do what it was asked at all (an exception response)."""


def named(table, number):
    """Text of a number in `1 one,2 two`; one text takes less memory than a dictionary."""
    for row in table.split(","):
        if row.split(" ", 1)[0] == str(number):
            return row.split(" ", 1)[1]
    return "number {}".format(number)


def obis(text):
    """The six octets of `1.0.1.8.0.255`, of `1-0:1.8.0*255`, or without the last number. Raises CosemError."""
    parts = text.replace("-", ".").replace(":", ".").replace("*", ".").split(".")
    if len(parts) == 5:
        parts.append("255")
    if len(parts) != 6 or not all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts):
        raise CosemError("an OBIS code is like 1.0.1.8.0.255, got {}".format(text))
    return bytes([int(part) for part in parts])


def obis_text(octets):
    return ".".join([str(octet) for octet in octets])


def target(class_id, name, number):
    """Which attribute or method is meant. name: six octets; number: of attribute or method, -128 to 127"""
    return class_id.to_bytes(2, "big") + name + bytes((number & 0xFF,))


def head(service, kind, number):
    """number: of the question, 0-15. High priority, and an answer is wanted."""
    return bytes((service, kind, 0xC0 | number))


def get(number, what, chosen=b"\0"):
    """what: target(); chosen: cosem_write.selection()"""
    return head(GET, NORMAL, number) + what + chosen


def get_list(number, whats):
    return head(GET, WITH_LIST, number) + length(len(whats)) + b"".join([what + b"\0" for what in whats])


def next_block(service, number, block):
    """Asks for the block after this one. service: GET or ACTION"""
    return head(service, NEXT, number) + block.to_bytes(4, "big")


def refusal(apdu):
    """The RefusedError that an exception or confirmed-service-error APDU stands for, None for another one."""
    if apdu[0] == 0xD8 and len(apdu) > 2:
        return RefusedError("the meter refuses: {}, {}".format(named(_STATES, apdu[1]), named(_SERVICES, apdu[2])))
    if apdu[0] in (0xD8, 0x0E):
        return RefusedError("the meter refuses: error {}".format(" ".join([str(octet) for octet in apdu[1:4]])))
    return None
