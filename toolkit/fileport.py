"""A file session with a node as commands open it: its password found, nothing of it on a command line."""
from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit import discover
from toolkit.errors import LinkError, RefusedError
from toolkit.inventory import Device, Inventory
from toolkit.link.webrepl import PORT, TIMEOUT_S, BusyError, FileLink, WrongPasswordError
from toolkit.session import Ask, Door, archived_password

OURS = (2,)                        # the first version whose file port tells hashes and makes folders
DEFAULT_PASSWORD = "ADmin123"      # what every node has until it is provisioned, as in 1.20
TYPED_TRIES = 3                    # a node lets a peer try five times before it makes it wait


def locate(tag: str, inventory: Inventory) -> Device:
    """The node. By its address, even one in recovery, whose file port is up and the shell down."""
    try:
        return discover.resolve(tag, inventory)
    except LinkError:
        typed = discover.address_of(tag, inventory.find(tag))
        if typed is None:      # a name could lead to another node that has got the address since
            raise
        return Device("", *typed, name=tag)


def numbers(version: str) -> list[int]:
    """For comparison: 1.20.4-0 -> [1, 20, 4, 0]; an unknown version is the oldest."""
    return [int(digits) for digits in re.findall(r"\d+", version)]


def version_of(shell: Door) -> str:
    """Version of a node, "" when it does not tell: its shell is down, or locked without a password here."""
    try:
        with shell.open() as link:
            return link.ask("version").strip()
    except (LinkError, RefusedError):
        return ""


def is_ours(version: str, files: FileDoor) -> bool:
    """True for a node with a file port of ours. One that tells no version is asked at that port.

    Raises WrongPasswordError, BusyError.
    """
    if version:
        return tuple(numbers(version)) >= OURS
    try:
        with files.open() as link:
            return bool(link.held())
    except (WrongPasswordError, BusyError):
        raise
    except (LinkError, RefusedError):
        return False


class FileDoor:
    """Opens file sessions with one node; the password that fits is remembered for the next.

    password   given by the user, and then the only one that is tried; None: that of the archive, the default one of
               1.20, then what ask returns
    ask        None: nobody is there to be asked
    """

    def __init__(self, device: Device, password: str | None = None, port: int = PORT, ask: Ask | None = None,
                 timeout_s: float = TIMEOUT_S) -> None:
        self.device = device
        self.port = port
        self._password = password
        self._ask = ask
        self._timeout_s = timeout_s

    @property
    def password(self) -> str | None:
        """The one that was given, or that has fitted."""
        return self._password

    def open(self) -> FileLink:
        """Raises LinkError when there is no file port, RefusedError when it is busy or no password fits."""
        if self._password is not None:
            return self._dial(self._password)
        refused: WrongPasswordError | None = None
        for password in self._candidates():
            try:
                link = self._dial(password)
            except WrongPasswordError as error:
                refused = error
                continue
            self._password = password
            return link
        assert refused                      # there is always the default one
        raise refused

    def _dial(self, password: str) -> FileLink:
        return FileLink(self.device.address, password, self.port, self.device.name, self._timeout_s)

    def _candidates(self) -> Iterator[str]:
        archived = archived_password(self.device)
        yield from dict.fromkeys([archived, DEFAULT_PASSWORD] if archived else [DEFAULT_PASSWORD])
        for _ in range(TYPED_TRIES if self._ask else 0):
            typed = self._ask(f"password of {self.device.name} (appwd): ") if self._ask else ""
            if not typed:
                return
            yield typed
