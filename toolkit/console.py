"""The interactive client of a node's shell: prompt, history, completion, a node that reboots."""
from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from toolkit.errors import LinkError, ToolkitError
from toolkit.inventory import Device
from toolkit.link.shell import ShellLink
from toolkit.session import failed

# Second words of the built-in commands; the keys complete the first word.
BUILT_INS: dict[str, tuple[str, ...]] = {
    "hello": (), "version": (), "help": ("lm",), "exit": (), "reboot": ("-h",), "webrepl": ("--update",),
    "conf": (), "noconf": (), "dump": (), "modules": (), "task": ("list", "show", "kill"),
    "cron": ("list", "add", "del"),
}
HISTORY_NAME = "shell_history"
HISTORY_LINES = 1000
REBOOT_S = 60.0
_REBOOT_PAUSES_S = (0.5, 0.5, 1.0)      # then the last one again and again
_SECRET = re.compile(r"pwd|passw|token|telegram|secret|psk", re.IGNORECASE)

_MODULE = re.compile(r"^ {3}([A-Za-z]\w*)$")
_FUNCTION = re.compile(r"^ {4,}([A-Za-z]\w*)$")
_REMARK = re.compile(r"\([^)]*\)")
# An argument in a row of a module's help: `state=<True,False>`, `sec=1.0`, `text='a b'`, `b`
_ARGUMENT = re.compile(r"""(?<!\S)([A-Za-z_]\w*)(?:=(<[^>]*>|'[^']*'|"[^"]*"|\S+))?(?!\S)""")
_CHOICE = re.compile(r"<(\w+(?:,\w+)+)>")

ReadLine = Callable[[str], str]         # prompt -> line, EOFError at the end

log = logging.getLogger(__name__)


class Vocabulary:
    """What can be typed at a node. modules: name -> its functions, as `help lm` tells them.

    The arguments of a module's functions are asked for when they are first wanted: `<module> help` loads that module.
    """

    def __init__(self) -> None:
        self.modules: dict[str, list[str]] = {}
        self.tell: Callable[[str], str] = lambda module: ""      # module -> its help
        self._arguments: dict[str, dict[str, list[str]]] = {}

    def learn(self, help_text: str) -> None:
        """Take an answer to `help lm`; one that tells nothing leaves all as it was."""
        modules = vocabulary(help_text)
        if modules:
            self.modules = modules
            self._arguments.clear()

    def completions(self, line: str, word: str) -> list[str]:
        """What word, the last of line, may become."""
        before = line[:len(line) - len(word)].split()
        return sorted({each for each in self._offered(before) if each.startswith(word)})

    def _offered(self, before: Sequence[str]) -> Iterable[str]:
        if not before:
            return (*BUILT_INS, *self.modules)
        if len(before) == 1:
            return self.modules.get(before[0]) or BUILT_INS.get(before[0], ())
        if before[0] not in self.modules:
            return ()
        typed = {each.partition("=")[0] for each in before[2:]}
        offered = self._of_module(before[0]).get(before[1], [])
        return [each for each in (*offered, ">json") if each.partition("=")[0] not in typed]

    def _of_module(self, module: str) -> dict[str, list[str]]:
        if module not in self._arguments:
            self._arguments[module] = arguments(self.tell(module))
        return self._arguments[module]


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


def arguments(help_text: str) -> dict[str, list[str]]:
    """Function -> what may follow it, from the rows of `<module> help`: `r=`, or `state=True`, `state=False`."""
    rows = [line.strip().rstrip(",").partition(" ") for line in help_text.splitlines()]
    return {function: [each for told in _ARGUMENT.finditer(_REMARK.sub("", rest)) for each in _values(*told.groups())]
            for function, _, rest in rows if function.isidentifier()}


def _values(name: str, value: str | None) -> list[str]:
    choice = _CHOICE.fullmatch(value or "")
    return [f"{name}={each}" for each in choice[1].split(",")] if choice else [f"{name}="]


def is_secret(line: str, prompt: str = "") -> bool:
    """True for a line that may hold a password or token, to be kept out of the history."""
    return prompt.startswith("[password]") or bool(_SECRET.search(line))


class Console:
    """One person, or a script, at one node.

    connect     makes a session; called again after a reboot
    read_line   gives the next line; raises EOFError at the end
    out         prints a line
    words       filled with what the node tells, for the completion
    failures    commands so far that the node refused, or that were lost with the link
    """

    def __init__(
        self, connect: Callable[[], ShellLink], read_line: ReadLine, out: Callable[[str], None], words: Vocabulary
    ) -> None:
        self.failures = 0
        self._connect = connect
        self._read_line = read_line
        self._out = out
        self._words = words
        self._link = connect()
        words.tell = self._help_of

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
            self.failures += 1
            self._again(f"{error}\nconnecting again; the command is not repeated")
            return
        except ToolkitError as error:
            self.failures += 1
            self._out(str(error))
            return
        self.failures += failed(answer)
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
        self._link = reopened(self._connect)
        self._out(f"connected to {self._link.name}")
        self._learn()

    def _learn(self, help_text: str | None = None) -> None:
        """News for the completion; a node that does not tell leaves it as it was."""
        with contextlib.suppress(ToolkitError):
            self._words.learn(help_text or self._link.ask("help lm"))

    def _help_of(self, module: str) -> str:
        if self._link.closed or self._link.prompt.startswith("["):      # configure mode calls no module
            return ""
        with contextlib.suppress(ToolkitError):
            return self._link.ask(f"{module} help")
        return ""


def reopened(connect: Callable[[], ShellLink]) -> ShellLink:
    """A session with a node that restarts. Raises LinkError when it has not come back after REBOOT_S."""
    deadline = time.monotonic() + REBOOT_S
    for pause_s in _growing(_REBOOT_PAUSES_S):
        time.sleep(pause_s)
        try:
            return connect()
        except LinkError:
            if time.monotonic() > deadline:
                raise
    raise AssertionError    # _growing has no end


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
    """A read_line with history and Tab; plain input() where Python has no readline, bare lines where nobody types.

    history    file that keeps the lines, secrets left out
    complete   (line so far, its last word) -> what it may become
    """
    if not sys.stdin.isatty():
        yield _piped
        return
    try:
        import readline
    except ImportError:     # Windows
        yield input
        return
    _prepare(readline, history, complete)
    try:
        yield lambda prompt: _remembered(readline, prompt, input(prompt))
    finally:
        _write(readline, history)


def _piped(prompt: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _prepare(readline: ModuleType, history: Path, complete: Callable[[str, str], list[str]]) -> None:
    def offer(word: str, state: int) -> str | None:
        offered = complete(readline.get_line_buffer()[:readline.get_endidx()], word)
        return _finished(offered[state]) if state < len(offered) else None

    is_libedit = "libedit" in (readline.__doc__ or "")      # macOS
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    readline.set_completer_delims(" ")
    readline.set_completer(offer)
    readline.set_history_length(HISTORY_LINES)
    readline.set_auto_history(False)
    with contextlib.suppress(OSError):
        readline.read_history_file(history)


def _finished(word: str) -> str:
    return word if word.endswith("=") else word + " "


def _write(readline: ModuleType, history: Path) -> None:
    """Nobody else may read it at any moment: it is made with its mode, not given it later."""
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(history, os.O_CREAT | os.O_WRONLY, 0o600))
        os.chmod(history, 0o600)
        readline.write_history_file(history)
    except OSError as error:
        log.warning("the history is not kept: %s cannot be written (%s)", history, error.strerror)


def _remembered(readline: ModuleType, prompt: str, line: str) -> str:
    if line.strip() and not is_secret(line, prompt):
        readline.add_history(line)
    return line
