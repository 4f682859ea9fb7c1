"""What the public webrepl_cli.py puts on the wire, byte for byte, in our words: one file, one process, one connection.

    webrepl_cli.py -p PASSWORD LOCAL HOST[:PORT]:REMOTE       as the toolkit of 1.20 calls it for each file
    webrepl_cli.py -p PASSWORD HOST[:PORT]:REMOTE LOCAL

Frames are not masked, a put announces itself in two of them and sends 1024 bytes in each; text frames are skipped.
Written from spec/micros_core.md 10 and the frames that github.com/micropython/webrepl sends.
"""
import socket
import struct
import sys
from pathlib import Path

REQUEST = "<2sBBQLH64s"
PUT, GET, VERSION = 1, 2, 3
TEXT, BINARY = 0x81, 0x82
PIECE_BYTES = 1024
SILENCE_S = 30


class Client:
    """A session, logged in or refused: the public client does not look."""

    def __init__(self, host, port=8266, password="ADmin123"):
        self.socket = socket.create_connection((host, port), SILENCE_S)
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: echo.websocket.org\r\nConnection: Upgrade\r\n"
                            b"Upgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        self.buffer = b""
        prompt = b""
        while not prompt.endswith(b":"):
            prompt += self.read(1, text=True)
        self.read(1, text=True)
        self.write(password.encode() + b"\r")

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def write(self, data, first=BINARY):
        size = len(data)
        head = struct.pack(">BB", first, size) if size < 126 else struct.pack(">BBH", first, 126, size)
        self.socket.sendall(head)
        self.socket.sendall(data)

    def read(self, count, text=False):
        """count bytes of payload; before the login text counts, later it is skipped."""
        while len(self.buffer) < count:
            kind, size = struct.unpack(">BB", self.exactly(2))
            if size == 126:
                size, = struct.unpack(">H", self.exactly(2))
            payload = self.exactly(size)
            if kind == BINARY or (text and kind == TEXT):
                self.buffer += payload
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def status(self):
        magic, code = struct.unpack("<2sH", self.read(4))
        assert magic == b"WB"
        return code

    def ask(self, op, name="", size=0, parts=1):
        request = struct.pack(REQUEST, b"WA", op, 0, 0, size, len(name), name.encode())
        for piece in (request[:10], request[10:]) if parts == 2 else (request,):
            self.write(piece)

    def version(self):
        self.ask(VERSION)
        return tuple(self.read(3))

    def put(self, name, data):
        """The status that is not 0, else that after the file."""
        self.ask(PUT, name, len(data), parts=2)
        code = self.status()
        if code:
            return code
        for at in range(0, len(data), PIECE_BYTES):
            self.write(data[at:at + PIECE_BYTES])
        return self.status()

    def get(self, name):
        self.ask(GET, name)
        assert self.status() == 0
        data = b""
        while True:
            self.write(b"\0")
            size, = struct.unpack("<H", self.read(2))
            if not size:
                break
            data += self.read(size)
        assert self.status() == 0
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def main(option, password, source, target):
    assert option == "-p"
    is_put = ":" in target
    place, _, remote = (target if is_put else source).rpartition(":")
    host, _, port = place.partition(":")
    with Client(host, int(port or 8266), password) as client:
        client.version()
        if is_put:
            assert client.put(remote, Path(source).read_bytes()) == 0
        else:
            Path(target).write_bytes(client.get(remote))


if __name__ == "__main__":
    main(*sys.argv[1:])
