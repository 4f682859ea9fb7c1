"""Where a named server is: who answers such questions, and how they are asked (JSON text over UDP)."""
import asyncio
import json

from . import ground
from .ground import wire

_PORT = 54
_WAIT_S = 2
_FILE = "/etc/vsoa.pos"        # lines of `address port`
_INET, _INET6 = 2, (10, 30)    # numbers of Linux; of macOS too for IPv6
_place = []                    # (address, port) of the position server that pos() named


def pos(addr, port=_PORT):
    """Ask this position server, and no other. addr: or a name; None: those of the environment and of the file again

    Raises ValueError.
    """
    _place[:] = [_server((addr, port))] if addr else []


class Position:
    """onquery(search, reply): search has `name` and `domain`; reply(None) or reply({"addr": ..., "port": ...})"""

    def __init__(self, onquery):
        self.onquery = onquery
        self._udp = self._task = None

    @ground.waiting
    async def run(self, host, port=_PORT):
        """Answer until close(). A question that cannot be answered costs one line."""
        self._udp = ground.Datagrams(host, port)
        self._task = asyncio.create_task(self._answer_all())
        try:
            await self._task
        except asyncio.CancelledError:
            if self._task:
                raise
        finally:
            self._udp.close()

    @ground.quick
    def close(self):
        task, self._task = self._task, None
        if task:
            task.cancel()

    async def _answer_all(self):
        while True:
            try:
                data, peer = await self._udp.receive()
                self._answer(data, peer)
            except Exception as error:       # outer wall: one question must not end the service
                ground.blame("position", error)

    def _answer(self, data, peer):
        search = json.loads(data)
        if not isinstance(search, dict) or not isinstance(search.get("name"), str):
            raise ValueError('a question is {"name": ...}, got ' + repr(data[:80]))
        search.setdefault("domain", _INET)

        def reply(found):
            answer = _checked(found) if found else {}
            self._udp.send(json.dumps(answer).encode(), ground.address(*peer))

        self.onquery(search, reply)


def _checked(found):
    """A dict that every client understands. Raises ValueError."""
    addr, port = found.get("addr"), found.get("port")
    if not isinstance(addr, str) or not wire.is_literal(addr) or not isinstance(port, int) or not 0 <= port < 65536:
        raise ValueError("a place is an address and a port 0-65535, got {} {}".format(addr, port))
    answer = {"addr": addr, "port": port, "domain": found.get("domain", _INET6[0] if ":" in addr else _INET)}
    if "security" in found:
        answer["security"] = bool(found["security"])
    return answer


async def find(name):
    """(address, port) of the server with this name, None when nobody knows it."""
    for row in _place or ground.position_rows(_FILE):
        try:
            found = row and await asyncio.wait_for(_asked(name, *_server(row)), _WAIT_S)
        except ValueError as error:          # one wrong row must not cost the others
            ground.blame("position server", error)
            continue
        except (OSError, asyncio.TimeoutError):
            continue
        if found:
            return found
    return None


def _server(row):
    """(address or name, port) of a row that has both, or no port. Raises ValueError."""
    port = str(row[1]) if len(row) > 1 else str(_PORT)
    if len(row) > 2 or not port.isdigit() or not 0 < int(port) < 65536:
        said = " ".join([str(word) for word in row])
        raise ValueError("an address and a port 1-65535 are wanted, got {}".format(said))
    return row[0], int(port)


async def _asked(name, host, port):
    place = ground.address(host, port)
    server = ground.sender(place)            # its numbers: host may be a name
    is_inet6 = ":" in server[0]
    link = ground.Datagrams("::" if is_inet6 else "", 0)
    try:
        link.send(json.dumps({"name": name, "domain": _INET6[0] if is_inet6 else _INET}).encode(), place)
        while True:
            data, peer = await link.receive()
            if peer == server:
                return _understood(data)
    finally:
        link.close()


def _understood(data):
    try:
        answer = json.loads(data)
        addr, port = answer["addr"], answer["port"]
    except (ValueError, KeyError, TypeError):
        return None
    is_place = isinstance(addr, str) and wire.is_literal(addr) and isinstance(port, int) and 0 < port < 65536
    return (addr, port) if is_place else None


class _Question:
    @ground.waiting
    async def ask(self, name):
        return await find(name)


def lookup(name, domain=-1):
    """(address, port), None when nobody knows it. domain: kept for its name. Raises TypeError."""
    if not isinstance(name, str) or not name:
        raise TypeError("the name of a server is text, got {}".format(name))
    return _Question().ask(name)
