"""TLS of a board: waits on the socket below, since what is above it cannot be polled."""
import asyncio

import tls

from .ground import READ_BYTES

_queue = asyncio.core._io_queue


def server_side(sslopt):
    """Coroutine function(link) that gives the link below TLS. Raises OSError, KeyError without cert and key."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_read(sslopt["cert"]), _read(sslopt["key"]))
    if "ca_cert" in sslopt:
        _trust(context, sslopt)
    return _opener(context, server_side=True)


def client_side(sslopt, host):
    """The same for a client; host: whom the certificate has to name, unless sslopt has a `hostname`."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    if "cert" in sslopt:
        context.load_cert_chain(_read(sslopt["cert"]), _read(sslopt["key"]))
    if "ca_cert" in sslopt:
        _trust(context, sslopt)
    elif sslopt.get("verify_mode", 1) != 0:
        raise ValueError("a board knows no authorities: give ca_cert, or verify_mode=0 to trust whoever answers")
    else:
        context.verify_mode = tls.CERT_NONE
    return _opener(context, server_hostname=sslopt.get("hostname") or host)


def _trust(context, sslopt):
    context.load_verify_locations(_read(sslopt["ca_cert"]))
    context.verify_mode = tls.CERT_REQUIRED


def _read(value):
    if isinstance(value, bytes):
        return value
    with open(value, "rb") as file:
        return file.read()


def _opener(context, **how):
    async def opened(link):
        return _Link(context.wrap_socket(link.raw, do_handshake_on_connect=False, **how), link.raw)
    return opened


class _Link:
    """As ground.Link. The handshake runs inside of the first send or receive."""

    def __init__(self, secure, raw):
        self.secure, self.raw = secure, raw
        self._is_open = False            # the handshake is over

    def send(self, data):
        taken = self._tried(self.secure.write, data) or 0
        self._is_open = self._is_open or taken > 0
        return taken

    async def receive(self):
        while True:
            data = self._tried(self.secure.read, READ_BYTES)
            if data is not None:
                self._is_open = True
                return data
            yield _queue.queue_read(self.raw)

    def _tried(self, work, what):
        try:
            return work(what)
        except ValueError as error:      # of a certificate
            raise OSError(str(error).strip())

    async def writable(self):
        if self._is_open:
            yield _queue.queue_write(self.raw)
        else:                            # there is room, it is the other end's word that is missing
            yield _queue.queue_read(self.raw)

    def close(self):
        try:
            self.secure.close()
        finally:                         # a handshake that failed has let go of it without closing it
            self.raw.close()
