"""What names and ports lead to when the board looks them up: itself, the table of a test, or the host's resolver."""
from collections.abc import Callable
from dataclasses import dataclass, field

from toolkit.simulator.address import SHELL_PORT, WEBREPL_PORT
from toolkit.simulator.errors import BoardFault
from toolkit.simulator.radio import EAI_FAIL, Radio, is_address
from toolkit.simulator.silicon import Identity

EHOSTUNREACH = 113             # what lwIP's connect() raises without a network
TIME_SERVER = ("pool.ntp.org", 123)

Place = tuple[str, int]


@dataclass
class World:
    """names: {name in lower case, or (name, port): (address, port)}; port 0 = the one that was asked for.

    radio     through which all goes that leaves the board; None: straight through the host
    inside    places that are in the board's own process, and know themselves that the network is down
    """

    identity: Identity
    is_up: Callable[[], bool]
    names: dict[str | Place, Place] = field(default_factory=dict)
    radio: Radio | None = None
    inside: set[Place] = field(default_factory=set)

    def resolve(self, host: str, port: int) -> Place:
        """Where a socket for (host, port) goes. An address, or a name that is left to the host's resolver.

        Raises BoardFault without a network.
        """
        own = self.identity.address
        if host in ("", "0.0.0.0", own):
            return own, self.own_port(port)
        if not self.is_up():
            # connect() to an address leads past us, so we say what it would
            raise BoardFault("OSError", EHOSTUNREACH if self.radio and is_address(host) else EAI_FAIL)
        if host == "255.255.255.255" and own.startswith("127."):
            return "127.255.255.255", port
        name = host.lower()
        address, at = self.names.get((name, port)) or self.names.get(name) or (host, port)
        place = address, at or port
        return self.radio.exit(place) if self.radio and place not in self.inside else place

    def own_port(self, port: int) -> int:
        """Where the program listens: lwIP has all ports to itself, the host has not."""
        ports = {SHELL_PORT: self.identity.shell_port, WEBREPL_PORT: self.identity.webrepl_port}
        port = ports.get(port, port)
        return self.radio.inner(port) if self.radio else port

    def answer(self, host: str, port: str) -> str:
        """The same for the wire. host: in hex"""
        return "{} {}".format(*self.resolve(bytes.fromhex(host).decode(), int(port)))
