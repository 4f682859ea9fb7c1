"""Small web servers of a test, plain or with TLS: they answer what the test says, and remember what they were asked."""
import contextlib
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from typing import NamedTuple

WAIT_S = 30.0

# Made for these tests, worth nothing anywhere: openssl req -x509 -newkey ec -subj /CN=test.invalid -days 36500
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnKq4xBw055iKn2vJ
U6hEihH//4xh5J4HqdiwrxoShTyhRANCAAQIIVLnpbtgqzOilJNiO1G7667eaW20
F2r0UFgrP7YPnrGuezYzjFIT5SNU+0bXej7wgNUN6g2oTy/q634JWNzL
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBhjCCASugAwIBAgIUdYwXcc2tPVr2L8Aqa8WGP7kC+PEwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMdGVzdC5pbnZhbGlkMCAXDTI2MTEyMTEzMTc1NVoYDzIxMjYx
MDI4MTMxNzU1WjAXMRUwEwYDVQQDDAx0ZXN0LmludmFsaWQwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQIIVLnpbtgqzOilJNiO1G7667eaW20F2r0UFgrP7YPnrGu
ezYzjFIT5SNU+0bXej7wgNUN6g2oTy/q634JWNzLo1MwUTAdBgNVHQ4EFgQUofoR
AWmhBbH1Kx4a1PbYdDqbxgwwHwYDVR0jBBgwFoAUofoRAWmhBbH1Kx4a1PbYdDqb
xgwwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEApitaYXIMnsi0
3nf9lmJxHT726aTduSb3nC+YlAkZglcCIQD3ERaAz9Z5lntb33qd/IH6AP3nLcDL
RTfJ8taU6/0YXQ==
-----END CERTIFICATE-----
"""


class Asked(NamedTuple):
    """One request: target as it stood in the request line; fields: {name in lower case: value}."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


def answer(body: bytes | str = b"", status: str = "200 OK", fields: str = "") -> bytes:
    """A whole answer with its length."""
    content = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(content)}\r\n\r\n".encode() + content


class Web:
    """A server on 127.0.0.1 for a `with` statement.

    reply   bytes, or function(Asked) -> bytes, or an iterable of them: sent one by one. The connection is closed then
    tls     with a certificate that nobody has signed
    Set hold to keep the next clients without an answer until release() or the end.
    """

    def __init__(self, reply: bytes | Callable = b"", tls: bool = False) -> None:
        self.reply = reply
        self.asked: list[Asked] = []
        self.errors: list[str] = []
        self.hold = False
        self._go = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self._context = _context() if tls else None
        self.place = self._door.getsockname()

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.release()
        self._door.close()

    def release(self) -> None:
        self._go.set()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._client, args=(link,), daemon=True).start()

    def _client(self, link: socket.socket) -> None:
        link.settimeout(WAIT_S)
        try:
            if self._context:
                link = self._context.wrap_socket(link, server_side=True)
            asked = _read(link)
            if asked:
                self.asked.append(asked)
                self._say(link, asked)
        except OSError as error:
            self.errors.append(str(error))
        finally:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _say(self, link: socket.socket, asked: Asked) -> None:
        if self.hold:
            self._go.wait(WAIT_S)
        reply = self.reply(asked) if callable(self.reply) else self.reply
        for piece in [reply] if isinstance(reply, bytes) else reply:
            link.sendall(piece)


def _read(link: socket.socket) -> Asked | None:
    received = b""
    while b"\r\n\r\n" not in received:
        data = link.recv(65536)
        if not data or data[0] == 0x16:              # the beginning of TLS, at a plain server
            return None
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(fields.get("content-length", 0)):
        body += link.recv(65536)
    method, target, _ = first.split(" ")
    return Asked(method, target, fields, body)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(CERTIFICATE)
        file.flush()
        context.load_cert_chain(file.name)
    return context
