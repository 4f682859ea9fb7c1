"""What the apps of dashboard_apps share: a node to talk to, and a way to show what it answers.

An app is a file with a docstring (its first line is what `--applications list` prints) and
    app(devfid=None)         devfid: name, uid or address of a node, or a Node; None: the board of `--simulate`
which gives, one after the other, texts to print and numbers: seconds to wait. What it returns is the exit code.
"""
from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import pkgutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from toolkit import dashboard_apps, discover
from toolkit.errors import ToolkitError, UsageError
from toolkit.inventory import Device, Inventory
from toolkit.link.shell import ShellLink
from toolkit.session import Door, failed, person
from toolkit.table import table

DEFAULT_NODE = "__simulator__"      # as in 1.20

SAMPLE_MS = 20                      # between two of the microphone

Step = str | float
Steps = Generator[Step, None, int | None]


class Sample(NamedTuple):
    """at_ms: since the first one; percent: of the microphone's scale."""

    at_ms: int
    percent: float
    is_noise: bool


class AppError(ToolkitError):
    """Raised when the node refuses what an app asks for."""


class Node:
    """A node and an open session with it."""

    def __init__(self, device: Device, link: ShellLink) -> None:
        self.device = device
        self.name = link.name
        self._link = link

    def raw(self, command: str) -> str:
        """The answer, whatever it says."""
        return self._link.ask(command)

    def ask(self, command: str) -> str:
        """The answer. Raises AppError when the node says that the command failed."""
        answer = self.raw(command)
        if failed(answer):
            raise AppError(f"{self.name} refused {command!r}: {answer}")
        return answer

    def read(self, command: str) -> object:
        """What a command gives, as a value. Raises AppError when it fails, or gives no JSON."""
        answer = self.ask(f"{command} >json")
        try:
            return json.loads(answer)
        except ValueError:
            raise AppError(f"{self.name}: expected JSON from {command!r}, got {answer[:80]!r}") from None


@contextlib.contextmanager
def node(devfid: str | Node | None) -> Iterator[Node]:
    """The node to talk to. Raises UnknownDeviceError, LinkError or RefusedError when there is none."""
    if isinstance(devfid, Node):
        yield devfid
        return
    with opened(devfid or DEFAULT_NODE) as found:
        yield found


@contextlib.contextmanager
def opened(tag: str, password: str | None = None) -> Iterator[Node]:
    device = discover.resolve(tag, Inventory())
    with Door(device, password, ask=person()).open() as link:
        yield Node(device, link)


def play(devfid: str | Node | None, *steps: Step) -> Steps:
    """Run commands, showing each with its answer; numbers are seconds to wait. Ends at the first that fails."""
    with node(devfid) as board:
        for step in steps:
            if isinstance(step, str):
                yield f"{board.name} $ {step}"
                yield from _shown(board.ask(step))
            else:
                yield step
    return 0


def watch(devfid: str | Node | None, command: str, times: int, pause_s: float) -> Steps:
    """Ask the same several times: a line each, `key: value` pairs side by side."""
    with node(devfid) as board:
        for number in range(times):
            if number:
                yield pause_s
            yield "  ".join(line.strip() for line in board.ask(command).splitlines())
    return 0


def follow(devfid: str | Node | None, module: str, *moves: tuple[str, dict[str, int]]) -> Steps:
    """Run functions of a module and look whether its status is what is given then: a table, 1 when one is not."""
    rows = []
    with node(devfid) as board:
        for call, wanted in moves:
            board.ask(f"{module} {call}")
            state = board.read(f"{module} status")
            got = {key: state.get(key) for key in wanted} if isinstance(state, dict) else state
            rows.append((f"{module} {call}", "ok" if got == wanted else f"FAILED: expected {wanted}, got {got}"))
            yield 0.5
    yield "\n".join(table(("CALL", "STATE"), rows))
    return int(any(result != "ok" for _, result in rows))


def hear(devfid: str | Node | None, seconds: float) -> Generator[Step, None, list[Sample]]:
    """What the microphone of LM_presence heard lately. Raises AppError on a board without one."""
    with node(devfid) as board:
        if not board.ask("presence load_n_init threshold=3 timer=5").endswith("mic: True"):
            raise AppError(f"{board.name} has no microphone: name its pin in cstmpmap, e.g. mic:39")
        board.ask(f"presence motion_trig sample_ms={SAMPLE_MS} buff_size={round(seconds * 1000 / SAMPLE_MS)}")
        yield f"listening for {seconds:g} s"
        yield seconds
        told = board.read("presence get_samples")
    return _samples(told)


def _samples(told: object) -> list[Sample]:
    """Raises AppError when told is no list of [ms, percent, noise]."""
    try:
        rows = [Sample(int(at_ms), float(percent), bool(noise)) for at_ms, percent, noise in told]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise AppError(f"expected a list of [ms, percent, noise], got {str(told)[:80]}") from None
    return [Sample(row.at_ms - rows[0].at_ms, row.percent, row.is_noise) for row in rows]


def _shown(answer: str) -> Iterator[str]:
    if answer:
        yield answer


def names() -> list[str]:
    """The apps of this package."""
    return sorted(module.name for module in pkgutil.iter_modules(dashboard_apps.__path__))


def load(name: str) -> Callable[..., Steps]:
    """The function app of one of ours, or of a file that is named. Raises UsageError when there is none."""
    module = _of_file(Path(name)) if name.endswith(".py") else _of_package(name)
    app = getattr(module, "app", None)
    if not callable(app):
        raise UsageError(f"{name} has no function app(devfid=None)")
    found: Callable[..., Steps] = app
    return found


def about(name: str) -> str:
    """The first line of an app's docstring."""
    return (_of_package(name).__doc__ or "").strip().partition("\n")[0]


def _of_package(name: str) -> ModuleType:
    if name not in names():
        raise UsageError(f"no app {name!r}: --applications list names them; a file of your own ends with .py")
    return importlib.import_module(f"{dashboard_apps.__name__}.{name}")


def _of_file(path: Path) -> ModuleType:
    """A program of the user's own, run because they named it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise UsageError(f"{path} is not there: expected a Python file with a function app(devfid=None)")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:      # outer wall: somebody's program
        raise UsageError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from None
    return module
