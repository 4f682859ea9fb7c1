"""The client's side of a websocket over a link: a connection of bytes for MQTT, one of messages for the relay.

Source: RFC 6455, sections 4.1 (opening), 5 (frames), 7 (closing).
"""
import asyncio
import binascii
import hashlib
import random
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MOST_BYTES = 65536             # of a message
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"    # section 1.3
_HEAD_BYTES = 4096
_NORMAL = b"\x03\xe8"          # status 1000, section 7.4.1


async def opened(link, host, path, protocol=None):
    """WebSocket over a link that is open. Raises OSError."""
    key = binascii.b2a_base64(_random(16)).strip()
    lines = ["GET {} HTTP/1.1".format(path), "Host: " + host, "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: " + str(key, "ascii"), "Sec-WebSocket-Version: 13"]
    if protocol:
        lines.append("Sec-WebSocket-Protocol: " + protocol)
    await link.write("\r\n".join(lines + ["", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        data = await link.read()
        head += data
        if not data or len(head) > _HEAD_BYTES:
            raise OSError("no websocket there: the answer is no head")
    head, _, rest = head.partition(b"\r\n\r\n")
    wanted = binascii.b2a_base64(hashlib.sha1(key + _GUID).digest()).strip()
    if head.split(b" ")[1:2] != [b"101"] or not _has(head, b"sec-websocket-accept", wanted):
        raise OSError("no websocket there: {}".format(str(head.split(b"\r\n")[0][:60], "utf-8")))
    return WebSocket(link, rest)


def _has(head, name, value):
    for line in head.split(b"\r\n")[1:]:
        found, _, said = line.partition(b":")
        if found.strip().lower() == name and said.strip() == value:
            return True
    return False


def _random(count):
    return bytes([random.getrandbits(8) for _ in range(count)])


def frame(payload, opcode=BINARY):
    """One masked frame, the last of its message."""
    size, first = len(payload), 0x80 | opcode
    if size < 126:
        head = struct.pack(">BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", first, 0xFE, size)
    else:
        head = struct.pack(">BBQ", first, 0xFF, size)
    mask = _random(4)
    return head + mask + masked(payload, mask)


def masked(payload, mask):
    """As one great number: a loop over bytes is slow on a board."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big") if size else b""


class WebSocket:
    """As a Link: read() and write() are bytes. message() and send() keep the messages apart."""

    def __init__(self, link, rest=b""):
        self._link, self._rest = link, rest
        self._turn = asyncio.Lock()      # frames of several writers do not mix

    async def read(self):
        opcode, payload = await self.message()
        return b"" if opcode == CLOSE else payload

    async def write(self, data):
        await self.send(data)

    async def send(self, payload, opcode=BINARY):
        async with self._turn:
            await self._link.write(frame(payload, opcode))

    async def message(self):
        """(opcode, bytes) of the next one; (CLOSE, ...) when the other end is done. Raises OSError."""
        kind, whole = None, b""
        while True:
            is_last, opcode, payload = await self._frame()
            if opcode == PING:
                await self.send(payload, PONG)
            elif opcode == CLOSE:
                return CLOSE, payload
            elif opcode != PONG:
                kind, whole = opcode or kind, whole + payload
                if len(whole) > MOST_BYTES:
                    raise OSError("a message of more than {} bytes".format(MOST_BYTES))
                if is_last and whole:
                    return kind, whole

    async def _frame(self):
        if not self._rest:
            self._rest = await self._link.read()
            if not self._rest:           # gone without a word
                return True, CLOSE, b""
        first, second = await self._bytes(2)
        size = second & 127
        if size > 125:
            size = int.from_bytes(await self._bytes(2 if size == 126 else 8), "big")
        if size > MOST_BYTES or second & 128 or first & 0x70:
            raise OSError("no frame for us: {:02x} {:02x}, {} bytes".format(first, second, size))
        return first & 128, first & 15, await self._bytes(size)

    async def _bytes(self, count):
        while len(self._rest) < count:
            data = await self._link.read()
            if not data:
                raise OSError("the websocket ends amid a frame")
            self._rest += data
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    async def bye(self):
        """Say that we are done."""
        await self.send(_NORMAL, CLOSE)

    def close(self):
        self._link.close()
