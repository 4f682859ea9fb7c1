"""The first words of a node that was just started: at its console, then over the network."""
from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from toolkit.archive import Config
from toolkit.errors import LinkError, ToolkitError
from toolkit.inventory import Device
from toolkit.link.rawrepl import SilenceError
from toolkit.link.serial import SerialLink
from toolkit.link.shell import ShellLink

BOOT_S = 45.0                  # a slow router takes 30 of them
HELLO_S = 3.0

_LISTENS = re.compile(r"\[shell\] listens on port (\d+)")
_NETWORK = re.compile(r"\[NW\] (\w+) (\d+\.\d+\.\d+\.\d+)")


@dataclass(frozen=True)
class Greeting:
    """What a node told. mode: STA, AP; device: None when this machine does not reach it."""

    mode: str
    address: str
    shell_port: int
    device: Device | None = None


class NodeLink(SerialLink):
    """A session with a board that can end with the first words of its node."""

    def boot(self, config: Config, limit_s: float = BOOT_S) -> Greeting | None:
        """Start main.py, and listen until the shell does; the session is over.

        Returns None when config says that its console is silent. Raises LinkError when the shell does not come up.
        """
        # A soft reset: port and line stay, so no word is lost, and the boot ladder of the node does not count it.
        self.reset(hard=False)
        return None if config.get("dbg") is False else greeted(self._lines(limit_s), self.name)

    def _lines(self, limit_s: float) -> Iterator[str]:
        end_s = time.monotonic() + limit_s
        while (rest_s := end_s - time.monotonic()) > 0:
            try:
                yield self._wire.until(b"\n", rest_s).decode("utf-8", "replace").strip()
            except SilenceError:
                return


def greeted(lines: Iterable[str], name: str) -> Greeting:
    """What the lines of a boot tell. Raises LinkError with the last one when they end without a shell."""
    mode = address = last = ""
    for line in lines:
        last = line or last
        if found := _NETWORK.match(line):
            mode, address = found[1], found[2]
        if found := _LISTENS.match(line):
            return _introduced(Greeting(mode, address, int(found[1])))
    raise LinkError(f"the node at {name} did not say that its shell listens; its last words: {last or 'none'}. "
                    "Repeat the command, or look at it with devToolKit.py -u")


def _introduced(greeting: Greeting) -> Greeting:
    """With its name and uid, if it can be reached."""
    try:
        with ShellLink(greeting.address, greeting.shell_port, timeout_s=HELLO_S) as shell:
            name, uid = shell.hello()
    except ToolkitError:
        return greeting
    return replace(greeting, device=Device(uid, greeting.address, greeting.shell_port, name))
