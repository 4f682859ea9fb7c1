"""The WebREPL file protocol: websocket frames and file requests as bytes, for the board and for the host.

    request, one binary frame:  "WA" 2 | op 1 | flags 1 | offset 8 | size 4 | name length 2 | name 64
    status,  one binary frame:  "WB" 2 | code 2 (0 = done)
    put:  request, status, payload frames from the client, status
    get:  request, status, then for each byte the client sends:  length 2 | data  (length 0 ends), status
    version:  request, 3 bytes

All integers little endian. Sources: RFC 6455 section 5 (frames) and 4.2.2 (handshake);
MicroPython extmod/modwebrepl.c and tools of github.com/micropython/webrepl (names and layout).
"""
import binascii
import hashlib
import struct


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PUT, GET, VERSION = 1, 2, 3

_REQUEST = "<2sBBQLH64s"
REQUEST_BYTES = 82           # struct.calcsize(_REQUEST)
NAME_BYTES = 64
STATUS_BYTES = 4
MAX_FRAME_BYTES = 0x3FFFFFFF      # what a small int of a 32-bit board holds
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"    # RFC 6455 section 1.3


class FrameError(ValueError):
    """Raised when the peer's bytes are not this protocol."""


def accept_key(key):
    """Answer to Sec-WebSocket-Key (RFC 6455 section 4.2.2). key: bytes. Returns bytes."""
    return binascii.b2a_base64(hashlib.sha1(key + _GUID).digest()).strip()


def frame(payload, opcode=BINARY):
    """One unmasked frame that holds all of payload (bytes, less than 64 KiB)."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    return struct.pack(">BBH", 0x80 | opcode, 126, size) + payload


def request(op, name, size=0):
    """Payload that asks for op (PUT, GET, VERSION). name: str, at most 64 bytes as UTF-8."""
    raw = name.encode()
    if len(raw) > NAME_BYTES:
        raise FrameError("a file name takes up to {} bytes, got {}: {}".format(NAME_BYTES, len(raw), name))
    return struct.pack(_REQUEST, b"WA", op, 0, 0, size, len(raw), raw)


def parse_request(payload):
    """(op, name, size) of a request. payload: 82 bytes. Raises FrameError."""
    magic, op, _, _, size, length, raw = struct.unpack(_REQUEST, payload)
    if magic != b"WA" or op not in (PUT, GET, VERSION) or length > NAME_BYTES:
        raise FrameError("not a file request: {}".format(bytes(payload[:4])))
    try:
        return op, str(raw[:length], "utf-8"), size
    except UnicodeError:
        raise FrameError("the file name is not UTF-8")


def status(code):
    """Payload of a status; 0 = done, anything else = refused."""
    return struct.pack("<2sH", b"WB", code)


def parse_status(payload):
    """Code of a status. payload: 4 bytes. Raises FrameError."""
    magic, code = struct.unpack("<2sH", payload)
    if magic != b"WB":
        raise FrameError("expected a WB status, got {}".format(bytes(payload)))
    return code


class Frames:
    """Takes websocket bytes in any split, gives payload pieces; holds one header, never a whole frame."""

    def __init__(self):
        self._head = b""
        self._left = 0          # payload bytes of the running frame still to come
        self._mask = None       # 4 bytes, None: not masked
        self._at = 0            # place in the mask
        self.opcode = TEXT

    def feed(self, data):
        """list of (opcode, piece); a piece is part of a frame's payload, b"" for an empty frame. Raises FrameError."""
        pieces = []
        while data:
            if self._left:
                piece, data = data[:self._left], data[self._left:]
                self._left -= len(piece)
                pieces.append((self.opcode, self._plain(piece)))
                continue
            self._head, data = self._head + data[:1], data[1:]
            if len(self._head) == self._head_bytes():
                self._open()
                if not self._left:
                    pieces.append((self.opcode, b""))
        return pieces

    def _head_bytes(self):
        if len(self._head) < 2:
            return 2
        second = self._head[1]
        return 2 + {126: 2, 127: 8}.get(second & 127, 0) + (4 if second & 128 else 0)

    def _open(self):
        head, self._head = self._head, b""
        size = head[1] & 127
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(head[2:at], "big")
            if size > MAX_FRAME_BYTES:
                raise FrameError("a frame of {} bytes".format(size))
        if head[0] & 15:                      # 0 continues the frame before
            self.opcode = head[0] & 15
        self._mask = head[-4:] if head[1] & 128 else None
        self._left, self._at = size, 0

    def _plain(self, piece):
        if self._mask is None or self._mask == b"\0\0\0\0":
            return piece
        piece, mask, at = bytearray(piece), self._mask, self._at
        for i in range(len(piece)):
            piece[i] ^= mask[(at + i) & 3]
        self._at = at + len(piece)
        return piece
