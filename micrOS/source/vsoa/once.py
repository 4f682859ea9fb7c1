"""One question to a server, with a connection of its own."""
from . import ground
from .client import CONNECT_OK, SERVER_NOT_FOUND, Client
from .ground import wire


class _Once:
    @ground.waiting
    async def ask(self, url, passwd, method, payload, timeout, raw, sslopt):
        try:
            host, port, path = wire.split_url(url)
        except ValueError:
            return None, None, SERVER_NOT_FOUND
        client = Client(raw)
        try:
            place = "[{}]".format(host) if ":" in host else host
            code = await client.link("vsoa://{}{}".format(place, ":{}".format(port) if port else ""), passwd or "",
                                     timeout, sslopt)
            if code != CONNECT_OK:
                return None, None, code
            return await client.ask(path or "/", method, payload, timeout)
        finally:
            client.drop()


def fetch(url, passwd=None, method=0, payload=None, timeout=10, raw=False, sslopt=None):
    """(Header, Payload, 0), or (None, None, code) as Client.connect() has them. url: `vsoa://host[:port]/path`"""
    return _Once().ask(url, passwd, method, payload, timeout, raw, sslopt)


def resource_recycle(*_):
    """Kept for its name: what is closed here is gone at once."""
