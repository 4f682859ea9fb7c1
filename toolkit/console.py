"""The interactive client of a node's shell: prompt, history, completion, a node that reboots."""
from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from toolkit.errors import LinkError, ToolkitError
from toolkit.inventory import Device
from toolkit.link.shell import ShellLink

# Second words of the built-in commands; the keys complete the first word.
BUILT_INS: dict[str, tuple[str, ...]] = {
    "hello": (), "version": (), "help": ("lm",), "exit": (), "reboot": ("-h",), "webrepl": ("--update",),
    "conf": (), "noconf": (), "dump": (), "modules": (), "task": ("list", "show", "kill"),
}
HISTORY_NAME = "shell_history"
HISTORY_LINES = 1000
REBOOT_S = 60.0
_REBOOT_PAUSES_S = (0.5, 0.5, 1.0)      # then the last one again and again
_SECRET = re.compile(r"pwd|passw|token|telegram|secret|psk", re.IGNORECASE)

_MODULE = re.compile(r"^ {3}([A-Za-z]\w*)$")
_FUNCTION = re.compile(r"^ {4,}([A-Za-z]\w*)$")

ReadLine = Callable[[str], str]         # prompt -> line, EOFError at the end


def vocabulary(help_text: str) -> dict[str, list[str]]:
    """Module -> its functions, from a node's answer to `help lm`: indented lines of one word."""
    words: dict[str, list[str]] = {}
    functions: list[str] = []
    for line in help_text.splitlines():
        module, function = _MODULE.match(line), _FUNCTION.match(line)
        if module:
            functions = words.setdefault(module[1], [])
        elif function and words:
            functions.append(function[1])
    return words


def completions(line: str, word: str, known: dict[str, list[str]]) -> list[str]:
    """What word, the last of line, may become. known: module -> functions."""
    before = line[:len(line) - len(word)].split()
    if len(before) > 1:
        return []
    offered: Iterable[str] = (*BUILT_INS, *known)
    if before:
        offered = known.get(before[0]) or BUILT_INS.get(before[0], ())
    return sorted({each for each in offered if each.startswith(word)})


def is_secret(line: str) -> bool:
    """True for a line that may hold a password or token, to be kept out of the history."""
    return bool(_SECRET.search(line))


class Console:
    """One person at one node.

    connect     makes a session; called again after a reboot
    read_line   asks the person; raises EOFError when they leave
    out         prints a line
    known       filled with modules and their functions, for the completion
    """

    def __init__(
        self,
        connect: Callable[[], ShellLink],
        read_line: ReadLine,
        out: Callable[[str], None],
        known: dict[str, list[str]],
    ) -> None:
        self._connect = connect
        self._read_line = read_line
        self._out = out
        self._known = known
        self._link = connect()

    def run(self) -> None:
        """Until the person leaves. Raises ToolkitError when the node is gone for good."""
        try:
            self._learn()
            for line in self._lines():
                self._answer(line)
        finally:
            self._link.close()

    def _lines(self) -> Iterator[str]:
        while True:
            try:
                line = self._read_line(self._link.prompt).strip()
            except EOFError:
                return
            if line == "exit":
                return
            if line:
                yield line

    def _answer(self, line: str) -> None:
        try:
            answer = self._link.ask(line)
        except LinkError as error:
            self._again(f"{error}\nconnecting again; the command is not repeated")
            return
        except ToolkitError as error:
            self._out(str(error))
            return
        if answer:
            self._out(answer)
        self._follow(line, answer)

    def _follow(self, line: str, answer: str) -> None:
        """What a command entails here: a restart, or news for the completion."""
        if self._link.closed:
            self._again("waiting for the node to come back, Ctrl-C gives up")
        elif line.split()[0] == "help":
            self._learn(answer if "lm" in line else None)

    def _again(self, why: str) -> None:
        self._out(why)
        self._link.close()
        self._link = self._reconnected()
        self._out(f"connected to {self._link.name}")
        self._learn()

    def _reconnected(self) -> ShellLink:
        deadline = time.monotonic() + REBOOT_S
        for pause_s in _growing(_REBOOT_PAUSES_S):
            time.sleep(pause_s)
            try:
                return self._connect()
            except LinkError:
                if time.monotonic() > deadline:
                    raise
        raise AssertionError    # _growing has no end

    def _learn(self, help_text: str | None = None) -> None:
        """Modules and functions for the completion; a node that does not tell leaves it as it was."""
        with contextlib.suppress(ToolkitError):
            learned = vocabulary(help_text or self._link.ask("help lm"))
            if learned:
                self._known.clear()
                self._known.update(learned)


def _growing(pauses_s: Sequence[float]) -> Iterator[float]:
    yield from pauses_s
    while True:
        yield pauses_s[-1]


def choose(devices: Sequence[Device], read_line: ReadLine, out: Callable[[str], None]) -> Device:
    """The device a person picks from a menu, by number or name. Raises EOFError when they pick none."""
    for number, device in enumerate(devices, 1):
        out(f"{number:>3}  {device.name:<20} {device.where}")
    while True:
        word = read_line("number or name: ").strip()
        if word.isdigit() and 0 < int(word) <= len(devices):
            return devices[int(word) - 1]
        named = [device for device in devices if device.goes_by(word)]
        if named:
            return named[0]
        out(f"expected 1 to {len(devices)} or a name of the list, got {word!r}")


@contextlib.contextmanager
def line_editor(history: Path, complete: Callable[[str, str], list[str]]) -> Iterator[ReadLine]:
    """A read_line with history and Tab; plain input() where Python has no readline.

    history    file that keeps the lines, secrets left out
    complete   (line so far, its last word) -> what it may become
    """
    try:
        import readline
    except ImportError:     # Windows
        yield input
        return
    _prepare(readline, history, complete)
    try:
        yield lambda prompt: _remembered(readline, input(prompt))
    finally:
        history.parent.mkdir(parents=True, exist_ok=True)
        readline.write_history_file(history)
        os.chmod(history, 0o600)


def _prepare(readline: ModuleType, history: Path, complete: Callable[[str, str], list[str]]) -> None:
    def offer(word: str, state: int) -> str | None:
        offered = complete(readline.get_line_buffer()[:readline.get_endidx()], word)
        return offered[state] + " " if state < len(offered) else None

    is_libedit = "libedit" in (readline.__doc__ or "")      # macOS
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    readline.set_completer_delims(" ")
    readline.set_completer(offer)
    readline.set_history_length(HISTORY_LINES)
    readline.set_auto_history(False)
    with contextlib.suppress(OSError):
        readline.read_history_file(history)


def _remembered(readline: ModuleType, line: str) -> str:
    if line.strip() and not is_secret(line):
        readline.add_history(line)
    return line
