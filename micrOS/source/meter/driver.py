"""The electricity meter: its frames, its answers to what we ask, and our answers to what it asks."""
import asyncio

from micropython import const

from meter.link import Link
from pure import quectel
from pure.rfc1662 import QUECTEL, RECEIVERS, encode

_GAP_MS = const(100)             # of silence that ends a frame: a UART may hold octets back for some 10 ms
_ANSWER_MS = const(1000)
_PAUSES_MS = const((0, 200, 800))        # before each try
_PIECE_BYTES = const(1024)       # of a peer's bytes in one frame
_ANSWERS = (quectel.GET_RESP, quectel.GET_ERROR, quectel.SET_RESP)


class MeterError(Exception):
    """Raised when the meter did not do what was asked; says why."""


class Driver:
    """opened: see meter.link. Handed in, all functions:

    transparent  coroutine function(data): the bytes of a 0x2100 frame, in order
    asked        function(command, Info): (command, info) of the answer to the meter's get, set or event; None: none
    tell         function(topic, message): what happens
    """

    def __init__(self, name, opened, transparent, asked, tell, profile=QUECTEL):
        self.profile = profile
        self.receiver = RECEIVERS[profile]()
        self.link = Link(name, opened, self._take, self._told, self._gap_ms)
        self.answers = self.sent = self.tries = self.silences = self.strays = 0
        self._transparent = transparent
        self._asked = asked
        self._tell = tell
        self._turn = asyncio.Lock()      # one question at a time
        self._came = asyncio.Event()
        self._awaited = None             # (id, commands that answer) of the question
        self._answer = None              # Info

    async def get(self, ident):
        """Value of an id, as bytes. Raises MeterError."""
        info = await self._ask(ident, quectel.get(ident), _ANSWERS[:2])
        return info.request_data

    async def set(self, ident, data):
        """data: with its own length and type, as it goes out. Raises MeterError."""
        await self._ask(ident, quectel.set_to(ident, data), _ANSWERS[2:])

    async def pass_on(self, data):
        """A peer's bytes to the meter, in as many frames as it takes. False when some are lost."""
        is_whole = True
        for at in range(0, len(data), _PIECE_BYTES):
            is_whole &= await self._send(quectel.TRANSPARENT, quectel.SERIA_NET, data[at:at + _PIECE_BYTES])
        return is_whole

    async def _send(self, protocol, command, info):
        is_sent = await self.link.send(encode(protocol, command, info, self.profile))
        self.sent += is_sent
        return is_sent

    async def _ask(self, ident, message, answers):
        async with self._turn:
            for pause_ms in _PAUSES_MS:
                await asyncio.sleep_ms(pause_ms)
                info = await self._try(ident, message, answers)
                if info:
                    break
            else:
                self.silences += 1
                self._tell("meter.link", "no answer to 0x{:04x}".format(ident))
                raise MeterError("the meter gave no answer to 0x{:04x}, asked {} times{}".format(
                    ident, len(_PAUSES_MS), "" if self.link.is_up else "; it is not connected: " + self.link.why))
        if info.problem or info.failed:
            raise MeterError("the meter {} 0x{:04x}".format(
                "cannot be understood about" if info.problem else "refuses", ident))
        self._tell("meter.value", (ident, info.request_data))
        return info

    async def _try(self, ident, message, answers):
        self._awaited, self._answer = (ident, answers), None
        self._came.clear()
        self.tries += 1
        try:
            if await self._send(quectel.MODULE, *message):
                await asyncio.wait_for_ms(self._came.wait(), _ANSWER_MS)
        except asyncio.TimeoutError:
            pass
        finally:
            self._awaited = None
        return self._answer

    def _gap_ms(self):
        return None if self.receiver.is_idle() else _GAP_MS

    async def _take(self, data):
        for frame in self.receiver.feed(data) if data else self.receiver.silence():
            await self._handle(*frame)

    async def _handle(self, protocol, command, data):
        self._tell("meter.frame", (protocol, command, data))
        if protocol == quectel.TRANSPARENT:
            if data:
                await self._transparent(data)
            return
        info = quectel.parse(protocol, command, data)
        info.failed = command == quectel.GET_ERROR or command == quectel.SET_RESP and info.request_data != b"\0"
        if command in _ANSWERS:
            self._answered(command, info)
            return
        reply = self._asked(command, info)
        if reply:
            self.answers += 1
            await self._send(protocol & 0xFF00, *reply)

    def _answered(self, command, info):
        if self._awaited and info.param_id == self._awaited[0] and command in self._awaited[1]:
            self._answer = info
            self._came.set()
        else:
            self.strays += 1

    def _told(self, is_up, why):
        self.receiver = self._renewed()
        self._tell("meter.link", why)

    def _renewed(self):
        """A receiver for a new stream, with the counts of the one before."""
        receiver = RECEIVERS[self.profile]()
        old = self.receiver
        receiver.frames, receiver.broken, receiver.noise = old.frames, old.broken, old.noise
        return receiver
