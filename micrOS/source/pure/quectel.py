"""What the frames of the electricity meter solution carry: 0x2100 the bytes of a TCP peer, 0x2200 get, set and events.

An id is low octet first, a request's number and values are high octet first. The layouts are those that the public
solution was seen to read and write; what its ids 28xx and 30xx mean, nobody has told.
"""
from struct import pack, unpack

TRANSPARENT, MODULE = 0x2100, 0x2200
GET, SET, EVENT, ACTION = 0xC0, 0xC1, 0xC2, 0xC3
GET_RESP, SET_RESP, EVENT_RESP, ACTION_RESP, GET_ERROR = 0xC4, 0xC5, 0xC6, 0xC7, 0xC8
SERIA_NET = 0xBF
DONE, FAILED = 0x00, 0x0C
CHAR, STR, INT8U, INT16U, INT32U = 0x0A, 0x09, 0x11, 0x12, 0x06

STATE_ID, SIGNAL_ID, SERIAL_ID, NAME_ID = 0x8002, 0x8003, 0x8005, 0x8007
_PLAIN_IDS = (SIGNAL_ID, SERIAL_ID, NAME_ID)
_IMAGE_IDS = (0x3007, 0x3008, 0x3009, 0x300A)
_METER_IDS = (0x280F, 0x2801, 0x2802, 0x2803, 0x2804, 0x2805, 0x2806, 0x2807, 0x2860, 0x2861)
_NUMBERS = {INT8U: (">B", 1), INT16U: (">H", 2), INT32U: (">I", 4)}
_TEXTS = (CHAR, STR)


class InfoError(ValueError):
    """Raised when the octets of a message are not laid out as its kind wants."""


class Info:
    """One message taken apart; a field that it has not, or that stands behind a mistake, is None.

    problem: text of the mistake, None without one
    """

    def __init__(self, data=b""):
        self.param_id = self.param_len = self.request_id = self.request_type = None
        self.request_data = self.request_data_len = self.problem = None
        self._rest = bytes(data)

    def take(self, count):
        if count > len(self._rest):
            raise InfoError("wants {} more bytes, {} are there".format(count, len(self._rest)))
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def number(self, layout, size):
        return unpack(layout, self.take(size))[0]

    def left(self):
        return len(self._rest)


def _id(info):
    info.param_id = info.number("<H", 2)


def _length(info):
    info.param_len = info.take(1)[0]


def _request(info):
    info.request_id = info.number(">H", 2)


def _type(info):
    info.request_type = info.take(1)[0]


def _value(info):
    kind = info.request_type
    if kind in _TEXTS:
        info.request_data = info.take(info.take(1)[0])
    elif kind in _NUMBERS:
        info.request_data = info.number(*_NUMBERS[kind])
    else:
        raise InfoError("no value of type 0x{:02x} is known".format(kind))


def _exactly(info):
    info.request_data = info.take(info.param_len)


def _inner_length(info):
    info.request_data_len = info.param_len - 3


def _all(info):
    info.request_data = info.take(info.left())


def _image(info):
    info.take(1)
    info.param_len = info.left()


# what a message holds, by id (None: any) and command (None: any): the first row that fits; without one the id alone
_LAYOUTS = (
    (None, (SERIA_NET,), (_all,)),
    (_IMAGE_IDS, None, (_id, _image, _all)),
    (_METER_IDS, (GET_RESP,), (_id, _length, _exactly, _inner_length)),
    (_PLAIN_IDS, None, (_id, _length, _exactly)),
    (None, (GET_RESP, GET_ERROR, SET_RESP), (_id, _length, _exactly)),
    (None, (SET,), (_id, _length, _request, _type, _value)),
)


def parse(protocol, command, data):
    """Info of one message. Never raises: a wrong one has its `problem`, and the fields before that."""
    info = Info(data)
    try:
        for step in _layout(protocol, command, data):
            step(info)
    except InfoError as error:
        info.problem = str(error)
    return info


def _layout(protocol, command, data):
    if protocol != MODULE:
        return (_all,)
    if command == GET and len(data) <= 4:
        return (_id, _request)
    ident = data[0] | data[1] << 8 if len(data) > 1 else None
    for ids, commands, layout in _LAYOUTS:
        if (not ids or ident in ids) and (not commands or command in commands):
            return layout
    return (_id,)


# -- messages: (command, info), ready for rfc1662.encode()


def get(ident):
    return GET, pack("<H", ident)


def set_to(ident, data, command=SET):
    """data: as it goes out, with its own length and type"""
    return command, pack("<H", ident) + data


def got(ident, request_id, kind, value):
    """Answer to a get. kind: CHAR, STR, INT8U, INT16U, None for one octet without type; value: bytes, then an int

    Another kind has no value, as the public solution has it. Raises TypeError when a kind, but no request_id is there.
    """
    if kind is None:
        return GET_RESP, pack("<HBB", ident, 1, value)
    if kind in _TEXTS:
        value = bytes((len(value),)) + value
    elif kind not in (INT8U, INT16U):
        return GET_RESP, pack("<HB", ident, 0)
    if request_id is None:
        raise TypeError("a value with a type answers a request with a number, and this one has none")
    body = pack(">HB", request_id, kind) + value
    return GET_RESP, pack("<HB", ident, len(body)) + body


def refused(ident):
    """Answer to a get that failed."""
    return GET_ERROR, pack("<HBB", ident, 1, FAILED)


def taken(ident, is_done=True):
    """Answer to a set."""
    return SET_RESP, pack("<HBB", ident, 1, DONE if is_done else FAILED)


def heard():
    """Answer to an event."""
    return SERIA_NET, bytes((1, DONE))


def image(ident, data, command=GET_RESP):
    """Answer to a piece of an image transfer. command: GET_RESP, SET_RESP"""
    return command, pack("<HB", ident, len(data)) + data
