"""A link with TLS by a key that both sides know: no certificates, no authorities. Source: RFC 4279."""
import asyncio
import socket
import tls
from binascii import unhexlify

from Udp import connect
from pure.lazy import unload

from .ground import Link, option

unload("Udp")


async def opened(host, port, identity, key):
    """Link to a server. identity: text; key: hex digits. Raises OSError, ValueError that does not tell the key."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE
    try:
        context.psk_identity, context.psk_key = identity.encode(), unhexlify(key)
    except AttributeError:
        raise OSError("this firmware has no TLS by a shared key; it came with MicroPython 1.29")
    except ValueError:
        raise OSError("psk is to be hex digits")
    raw = socket.socket()
    try:
        connect(raw, host, port)
        yield asyncio.core._io_queue.queue_write(raw)
        option(raw, 6, 1, 1)             # TCP_NODELAY, which this port does not name
        return Link(raw, context.wrap_socket(raw, do_handshake_on_connect=False))
    except BaseException:
        raw.close()
        raise
