"""A session with a node as commands open it: its password found, and whether an answer says that a command failed."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from getpass import getpass

from toolkit import archive
from toolkit.errors import RefusedError, UsageError
from toolkit.inventory import Device
from toolkit.link.shell import TIMEOUT_S, ShellLink

FAILURES = ("exec_lm_core", "SHELL:", "Failed", "Invalid key")
TYPED_TRIES = 3                                   # a node lets a peer try five times before it makes it wait
_NO_PASSWORDS = ("", "...", "********", "n/a")    # as a config has it when it lies elsewhere, or is masked

Ask = Callable[[str], str]                        # prompt -> what was typed, unseen


def failed(answer: str) -> bool:
    """True when the node says that a command failed: at the start, or at the end of what it streamed before."""
    lines = answer.strip().splitlines()
    return any(line.startswith(FAILURES) for line in (*lines[:1], *lines[-1:]))


def archived_password(device: Device) -> str | None:
    """The password in the archived config of a device; None without one, or when another board had that name."""
    try:
        config = archive.load(device.name)
    except (UsageError, OSError):
        return None
    password, uid = config.get("appwd"), config.get("hwuid", "n/a")
    is_other = device.uid != "" and uid not in ("n/a", device.uid)
    return None if is_other or password in _NO_PASSWORDS or not isinstance(password, str) else password


def person() -> Ask | None:
    """Asks for a password; None where nobody types."""
    return _typed if sys.stdin.isatty() else None


def _typed(prompt: str) -> str:
    try:
        return getpass(prompt)
    except EOFError:
        return ""


class Door:
    """Opens sessions with one node; what fits a locked one is remembered for the next.

    password   given by the user, and then the only one that is tried; None: that of the archive, then what ask returns
    ask        None: nobody is there to be asked; the session of a locked node stays locked
    """

    def __init__(
        self, device: Device, password: str | None = None, timeout_s: float = TIMEOUT_S, ask: Ask | None = None
    ) -> None:
        self.device = device
        self._password = password
        self._timeout_s = timeout_s
        self._ask = ask

    def open(self) -> ShellLink:
        """Raises LinkError when there is no node, RefusedError when it is busy or no password fits."""
        link = self._dial(self._password)
        refused: RefusedError | None = None
        for password in self._candidates() if link.locked else ():
            link.close()
            try:
                link = self._dial(password)
            except RefusedError as error:
                refused = error
                continue
            self._password = password
            return link
        if refused:
            raise refused
        return link

    def _dial(self, password: str | None) -> ShellLink:
        return ShellLink(self.device.address, self.device.port, password, self._timeout_s)

    def _candidates(self) -> Iterator[str]:
        archived = archived_password(self.device)
        if archived:
            yield archived
        for _ in range(TYPED_TRIES if self._ask else 0):
            typed = self._ask(f"password of {self.device.name}: ") if self._ask else ""
            if not typed:
                return
            yield typed
