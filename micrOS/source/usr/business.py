"""The electricity meter solution's business: what comes from the TCP server goes to the meter, and back."""
import time

from micropython import const

from Debug import errlog_add, trace
from pure.rfc1662 import LengthReceiver
from usr.protocol import RFC1662Protocol, RFC1662ProtocolResolver
from usr.qframe import CurrentApp, TcpClient, Uart

_PIECE_BYTES = const(1024)           # in one frame for the meter
_GAP_MS = const(100)                 # a frame that stood still for so long is not gone on with: a new one begins
_HEAD = b"\x7e\xff\x03"


class BusinessClient(TcpClient):
    """The TCP client. lost: messages that the server did not get"""

    lost = 0

    def send(self, data):
        is_sent = super().send(data)
        self.lost += not is_sent
        return is_sent

    def recv_callback(self, data):
        for at in range(0, len(data), _PIECE_BYTES):
            CurrentApp().uart.write(RFC1662Protocol.build_rfc_0x2100(data[at:at + _PIECE_BYTES]))


class UartBusiness(Uart):
    """The meter's line: bytes in any split become messages, each resolved in turn.

    lost: frames that did not go out whole; what comes in harmed, the receiver counts
    """

    lost = 0

    def __init__(self, name, app=None):
        self.receiver = LengthReceiver()
        self._heard_ms = 0
        super().__init__(name, app)

    def recv_callback(self, data):
        now_ms = time.ticks_ms()
        # what goes on has come in time, and only this thread was late
        is_late = (not self.receiver.is_idle() and time.ticks_diff(now_ms, self._heard_ms) > _GAP_MS
                   and _HEAD.startswith(bytes(data[:3])))
        self._heard_ms = now_ms
        frames = self.receiver.silence() if is_late else []
        for frame in frames + self.receiver.feed(data):
            self._resolve(frame)

    def write(self, data):
        """How many bytes went out. Raises TypeError when the line is closed."""
        count = 0
        try:
            count = super().write(data)
        finally:
            self.lost += count != len(data)
        return count

    def _resolve(self, frame):
        try:
            rfc1662resolver.resolve(RFC1662Protocol(*frame))
        except Exception as error:       # outer wall: a program's handler must not cost the next message
            trace(error)
            errlog_add("[ERR] meter message 0x{:04x}: {}".format(frame[0], error))


rfc1662resolver = RFC1662ProtocolResolver()
client = BusinessClient("client")
uart = UartBusiness("uart")


@rfc1662resolver.register_default(0x2100)
def handle2100(msg):
    """The meter's bytes go to the TCP server."""
    data = msg.info().request_data()
    if data:
        CurrentApp().client.send(data)
