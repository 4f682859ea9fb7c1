"""RFC 1662 messages of the electricity meter solution, under its names: one message, and who handles which."""
from console import say
from pure import quectel
from pure.crc import fcs16
from pure.rfc1662 import FrameError, decode, encode

_LAYOUT = """{{
    header=0x7e
    address=0xff
    control=0x03
    protocol=0x{:04x}
    info_len={}
    info_cmd=0x{:02x}
    info_data={{
       {}
    }}
    fcs={}
    end=0x7e
}}
"""
_FIELDS = """InfoEntity={{
            param_id     = {}
            param_len    = {}
            request_id   = {}
            request_type = {}
            request_data = {}
         }}"""


class FCSUtil:
    """The check as the solution writes it: a number whose octets are swapped, for it goes out low octet first."""

    @staticmethod
    def calc_crc(frame_buffer):
        """FCS of a frame, over all of it but the first flag, the FCS and the last flag."""
        value = fcs16(bytes(frame_buffer[1:-3]))
        return value >> 8 | (value & 0xFF) << 8

    @staticmethod
    def check(frame_buffer):
        """True when the frame ends with its own FCS."""
        return len(frame_buffer) > 3 and FCSUtil.calc_crc(frame_buffer) == frame_buffer[-3] | frame_buffer[-2] << 8


class InfoEntity:
    """The parts of a message's content; None is one that it has not."""

    def __init__(self, info):
        self._info = info

    def param_id(self):
        return self._info.param_id

    def param_len(self):
        return self._info.param_len

    def request_id(self):
        return self._info.request_id

    def request_type(self):
        return self._info.request_type

    def request_data(self):
        return self._info.request_data

    def get_request_data_len(self):
        return self._info.request_data_len

    def set_param_id(self, value):
        self._info.param_id = value

    def set_param_len(self, value):
        self._info.param_len = value

    def set_request_id(self, value):
        self._info.request_id = value

    def set_request_type(self, value):
        self._info.request_type = value

    def set_request_data(self, value):
        self._info.request_data = value

    def replay_event(self):
        """None: the solution left it open; RFC1662Protocol.reply_event() is the one that answers."""

    def __str__(self):
        info = self._info
        return _FIELDS.format(_hex(info.param_id), info.param_len, _hex(info.request_id), info.request_type,
                              info.request_data)


def _hex(number):
    return number if number is None else hex(number)


class RFC1662Protocol:
    """One message. data: its content as bytes"""

    def __init__(self, protocol, cmd, data):
        self._protocol = protocol
        self._cmd = cmd
        self._data = data
        self._info = InfoEntity(quectel.parse(protocol, cmd, data))
        if self._info._info.problem:
            say("e " + self._info._info.problem)

    @classmethod
    def build(cls, frame):
        """The message of exactly one frame; None after a line on the console when it is none."""
        frame = bytes(frame)
        try:
            return cls(*decode(frame))
        except FrameError:
            say(_fault(frame))
            return None

    @staticmethod
    def build_rfc_0x2100(data=None):
        """Frame with a TCP peer's bytes for the meter; None without any. Raises FrameError for more than 2047."""
        return encode(quectel.TRANSPARENT, quectel.SERIA_NET, data) if data else None

    @staticmethod
    def build_rfc_0x2200(data):
        """Frame with the module's own question. data: [COSEM.GET or SET, id, bytes as they go out]"""
        if len(data) != 3:
            say("RFC2200 parameter error")
            return None
        mode, ident, value = data
        return encode(quectel.MODULE, *(quectel.get(ident) if mode == quectel.GET
                                        else quectel.set_to(ident, value, mode)))

    def protocol(self):
        return self._protocol

    def cmd(self):
        return self._cmd

    def info(self):
        return self._info

    def replay_get(self, data_type=None, data=None, success=True):
        """Frame that answers a get. data: bytes, without data_type an int; see quectel.got()"""
        ident = self._info.param_id()
        return self._reply(*(quectel.got(ident, self._info.request_id(), data_type, data) if success
                             else quectel.refused(ident)))

    def replay_set(self, success=True):
        return self._reply(*quectel.taken(self._info.param_id(), success))

    def reply_event(self):
        return self._reply(*quectel.heard())

    def image_replay_get(self, data):
        return self._reply(*quectel.image(self._info.param_id(), data))

    def image_replay_set(self, data):
        return self._reply(*quectel.image(self._info.param_id(), data, quectel.SET_RESP))

    def frame(self):
        """The octets that it came as."""
        return encode(self._protocol, self._cmd, self._data)

    def hex(self):
        return self.frame().hex()

    def __str__(self):
        return _LAYOUT.format(self._protocol, 1 + len(self._data), self._cmd, self._info,
                              FCSUtil.calc_crc(self.frame()))

    def _reply(self, command, info):
        return encode(self._protocol & 0xFF00, command, info)


def _fault(frame):
    if frame[:3] != b"\x7e\xff\x03":
        return "head error"
    return "build error" if frame[-1:] != b"\x7e" or FCSUtil.check(frame) else "fcs error"


class RFC1662ProtocolResolver:
    """Hands messages to the functions that registered for their protocol; all resolvers share one table."""

    name = "rfc1662resolver"
    _handlers = {}
    _defaults = []                   # protocols whose handler came with the solution: a program may replace it once

    def __init__(self, app=None):
        if app:
            self.init_app(app)

    def init_app(self, app):
        app.append_extension(self)

    def register(self, protocol):
        """Decorator: function(msg) handles this protocol. Raises ValueError when another one does."""
        if protocol in self._handlers and protocol not in self._defaults:
            raise ValueError('mode "0x{:04x}" already registered!'.format(protocol))

        def keep(handler):
            if protocol in self._defaults:
                self._defaults.remove(protocol)
            self._handlers[protocol] = handler
            return handler
        return keep

    def register_default(self, protocol):
        """Decorator: the same until a program registers its own."""
        def keep(handler):
            self.register(protocol)(handler)
            self._defaults.append(protocol)
            return handler
        return keep

    def resolve(self, msg):
        """Have a message handled. Raises ValueError when nobody has registered for it, else what the handler does."""
        handler = self._handlers.get(msg.protocol())
        if not handler:
            raise ValueError('mode "0x{:04x}" is not registered'.format(msg.protocol()))
        handler(msg)

    @staticmethod
    def tcp_to_meter_packet(data=None):
        return RFC1662Protocol.build_rfc_0x2100(data)

    @staticmethod
    def module_to_meter_packet(data):
        return RFC1662Protocol.build_rfc_0x2200(data)
