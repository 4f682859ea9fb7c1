"""TLS of a host: sockets of `ssl` that never wait."""
import ssl

from .ground import blame, ready

_READ_BYTES = 65536


def server_side(sslopt):
    """Coroutine function(link) that gives the link below TLS. Raises OSError, KeyError without cert and key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if "ca_cert" in sslopt:              # what makes it two-way; without it no certificate is asked for
        context.verify_mode = ssl.CERT_REQUIRED
        _fill(context, sslopt, ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sslopt["cert"], sslopt["key"], sslopt.get("passwd"))
    named = sslopt.get("sni_callback")
    if named:
        context.sni_callback = lambda *args: _alert(named(*args))
    return _opener(context, sslopt, server_side=True)


def _alert(answer):
    """Number of the alert, None for none: the papers show a callback that gives back the name."""
    return answer if isinstance(answer, int) else None


def client_side(sslopt, host):
    """The same for a client; host: whom the certificate has to name, unless sslopt has a `hostname`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _fill(context, sslopt, ssl.Purpose.SERVER_AUTH)
    if "cert" in sslopt:
        context.load_cert_chain(sslopt["cert"], sslopt["key"], sslopt.get("passwd"))
    return _opener(context, sslopt, server_hostname=sslopt.get("hostname") or host)


def _fill(context, sslopt, purpose):
    if sslopt.get("load_default_certs", True):
        context.load_default_certs(purpose)
    if "ca_cert" in sslopt:
        context.load_verify_locations(sslopt["ca_cert"])
    if "verify_mode" in sslopt:
        if sslopt["verify_mode"] == ssl.CERT_NONE:
            context.check_hostname = False
        context.verify_mode = sslopt["verify_mode"]


def _opener(context, sslopt, **how):
    async def opened(link):
        secure = context.wrap_socket(link.raw, do_handshake_on_connect=False, **how)
        link.raw = secure                # who closes the link closes this one
        try:
            await _done(secure, secure.do_handshake)
        except OSError as error:
            if sslopt.get("handsake_error_log"):
                blame("TLS", error)
            raise
        return _Link(secure)
    return opened


async def _done(link, work, *args):
    """What work gives, as soon as TLS can do it."""
    while True:
        try:
            return work(*args)
        except ssl.SSLWantReadError:
            await ready(link, "reader")
        except ssl.SSLWantWriteError:
            await ready(link, "writer")


class _Link:
    """As ground.Link."""

    def __init__(self, link):
        self.raw = link

    def send(self, data):
        try:
            return self.raw.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    async def receive(self):
        return await _done(self.raw, self.raw.recv, _READ_BYTES)

    async def writable(self):
        await ready(self.raw, "writer")

    def close(self):
        self.raw.close()
