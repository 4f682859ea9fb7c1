"""A board becomes a node, or a node gets the files of this version."""
from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from toolkit import chip, drive, ports
from toolkit.archive import Config, parsed
from toolkit.boards import Board, board_named, boards_with, names
from toolkit.chip import Chip
from toolkit.compile import Build
from toolkit.errors import (
    BadHashError,
    LinkError,
    NoPortError,
    PortBusyError,
    PortDeniedError,
    UsageError,
    WrongChipError,
)
from toolkit.greeting import Greeting, NodeLink
from toolkit.link.verbs import BoardFiles
from toolkit.parts import advice, blocks_of, room_of

CONFIG = "node_config.json"
SECRETS = ("stapwd", "appwd", "telegram")    # of Settings.py
MODULES = "modules/"
OWN_NAMES = ("LM_", "LP_", "IO_")            # what people drop onto a node; IO_ is LP_ of later versions
OWN_FOLDERS = ("usr/", "code/")              # of their programs
CODE = (".py", ".mpy")
MPY = 6                                      # major version of what mpy-cross writes; MicroPython 1.19 and later
RETURN_S = 30.0                              # a board comes back after flashing: the first boot makes a file system
LOOK_S = 0.2

_ASK_MPY = "import sys\n_i = sys.implementation\nprint(getattr(_i, '_mpy', getattr(_i, 'mpy', 0)) & 255)"

Progress = Callable[[int, int], None]
Step = Callable[[str], AbstractContextManager[Progress]]      # a title -> what shows the progress of that step
Say = Callable[[str], None]


# -- which board


@dataclass(frozen=True)
class Target:
    """A board that is plugged in. port: None while an rp2 is only a drive; chip: None when it was not asked."""

    board: Board
    port: str | None
    chip: Chip | None = None
    drive: Path | None = None

    @property
    def node_name(self) -> str:
        """A name that no other board has, where the chip told its address."""
        return f"node-{self.chip.mac.replace(':', '')[-6:].lower()}" if self.chip else "node01"


def find_target(board: str | None, port: str | None, drive_path: Path | None, progress: Progress) -> Target:
    """The board that is plugged in: its port, and its row by asking the chip.

    board   name of a row; None: the plain board with the chip that is found
    Raises WrongChipError when the chip is another one, UsageError, LinkError, FlashError.
    """
    row = board_named(board) if board else None
    if drive_path or (row.is_uf2 if row else not port and _is_rp2()):
        row = row or board_named("rp2")
        return Target(row, port, drive=drive.find(row, drive_path))
    chosen = ports.choose(port)
    found = chip.ask(chosen, progress)
    return Target(matching(row, found), chosen, found)


def matching(row: Board | None, found: Chip) -> Board:
    """The row for a chip. Raises WrongChipError."""
    fitting = boards_with(found.name)
    if row is None and fitting:
        return fitting[0]
    if row is not None and row in fitting:
        return row
    expected = row.chip if row else "one that is known"
    way_out = f"use --board {fitting[0].name}" if fitting else f"there are boards: {', '.join(names())}"
    raise WrongChipError(f"wrong chip: found {found.name}, expected {expected}; {way_out}")


def _is_rp2() -> bool:
    """True when the only board that is plugged in is an rp2, running or as a drive."""
    try:
        chosen = ports.choose()
    except NoPortError:
        return bool(drive.mounted(board_named("rp2")))
    bridge = next((port.bridge for port in ports.ports() if port.device == chosen), None)
    return bridge is not None and bridge.boards == "rp2"


# -- from nothing to a node


def flash(target: Target, image: Path, step: Step) -> None:
    """Firmware onto a board, over what is there."""
    with step("write MicroPython") as progress:
        if target.port and not target.board.is_uf2:
            chip.write(target.board, target.port, image, progress)
        else:
            drive.copy(image, target.drive or drive.find(target.board), progress)


def erase(target: Target, step: Step) -> None:
    """The whole flash. Raises UsageError where no tool does that."""
    if target.port is None or target.board.is_uf2:
        raise UsageError(f"the flash of {target.board.name} is not erased by a tool: --make clears its files, "
                         "--deploy writes over its firmware")
    with step("erase the flash") as progress:
        chip.erase(target.board, target.port, progress)


def make(target: Target, config: bytes, image: Path, build: Build, step: Step, say: Say) -> Greeting | None:
    """A board, used or not, becomes a node. Interrupted anywhere, it can be run again.

    Returns its first words, None for one that is configured to be silent.
    """
    if not target.board.is_uf2:
        erase(target, step)
    flash(target, image, step)
    if target.board.needs_button:
        say("press the reset button of the board now")
    with step("wait for the board"):
        link = returned(target.port)
    with link:
        if target.board.is_uf2:
            link.remove(*link.listing())
        with step("copy and verify micrOS") as progress:
            link.put(CONFIG, config)
            install(link, build, progress)
        with step("boot"):
            return link.boot(parsed(config, CONFIG))


def returned(port: str | None, limit_s: float = RETURN_S) -> NodeLink:
    """A session with a board that restarts; port None: with the one that appears.

    Raises LinkError when it does not come.
    """
    end_s = time.monotonic() + limit_s
    while True:
        try:
            return NodeLink(port or ports.choose())
        except (PortDeniedError, PortBusyError):
            raise
        except LinkError:
            if time.monotonic() > end_s:
                raise
            time.sleep(LOOK_S)


def install(link: BoardFiles, build: Build, progress: Progress) -> list[str]:
    """Bring the set onto a board and verify it by hash. Returns the paths that were sent.

    Raises UsageError when it does not fit, BadHashError when a file is not there as it was sent.
    """
    check_room(build, link.listing(), link.space()[0])
    sent = link.sync(build.files, progress).sent
    _verify(build, link.hashes())
    return sent


def check_room(build: Build, there: Mapping[str, int], free: int) -> None:
    """Raises UsageError that names the parts to leave out when a set does not fit beside what else is there."""
    def needed(parts: Collection[str]) -> int:
        sizes = build.with_parts(parts).sizes
        return room_of({**there, **sizes}) - room_of(there) + max(map(blocks_of, sizes.values()), default=0)

    if needed(build.parts) > free:
        way_out = advice(build.parts, lambda parts: needed(parts) <= free) or "remove files of yours from it"
        raise UsageError(f"the board has {free} bytes free, the files need {needed(build.parts)}: {way_out}")


def _verify(build: Build, there: Mapping[str, tuple[int, str]]) -> None:
    for entry in build.manifest:
        if there.get(entry.path) != (entry.size, entry.sha256):
            raise BadHashError(f"{entry.path} on the board is not what was sent: repeat the command; if it stays so, "
                               "the flash is full or worn")


# -- update


@dataclass(frozen=True)
class Node:
    """What is on a node before an update."""

    config: Config
    hashes: dict[str, tuple[int, str]]

    @property
    def version(self) -> str:
        return str(self.config.get("version", "unknown"))

    @property
    def name(self) -> str:
        return str(self.config.get("devfid", "the node"))


@dataclass
class Updated:
    """What an update did. kept: load modules of the user's in place of ours; strangers: code that is not ours."""

    sent: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def look(link: NodeLink) -> Node:
    """Raises UsageError when it is no node yet, or its MicroPython does not take our files."""
    hashes = link.hashes()
    if CONFIG not in hashes:
        raise UsageError(f"the board at {link.name} holds no {CONFIG}, it is no node yet: --make makes it one")
    mpy = int(link.execute(_ASK_MPY))
    if mpy != MPY:
        raise UsageError(f"the MicroPython of the board at {link.name} takes .mpy files of version {mpy}, ours are "
                         f"{MPY}: keep its configuration with -b, then --make --config archived:NAME")
    return Node(parsed(link.get(CONFIG), f"{CONFIG} of the board"), hashes)


def is_current(build: Build, node: Node) -> bool:
    """True when every file of the set is on the node, or gives way to one of the user's."""
    chosen = _without(build, own_modules(build, node.hashes))
    return all(node.hashes.get(entry.path) == (entry.size, entry.sha256) for entry in chosen.manifest)


def update(link: BoardFiles, node: Node, build: Build, force: bool, progress: Progress,
           unwanted: Collection[str] = ()) -> Updated:
    """The new set onto a node; its configuration, its data and its own modules stay.

    force      own modules give way to those of the set
    unwanted   of optional parts that a person has left out
    """
    link.remove(*unwanted)
    kept = [] if force else own_modules(build, node.hashes)
    chosen = _without(build, kept)
    sent = install(link, chosen, progress)
    return Updated(sent, kept, strangers(build, link.listing()))


def own_modules(build: Build, there: Mapping[str, object]) -> list[str]:
    """Source modules that stand where the set has a compiled one: somebody has put them there."""
    twins = [str(PurePosixPath(path).with_suffix(".py")) for path in build.files
             if path.startswith(MODULES) and path.endswith(".mpy")]
    return [path for path in twins if path in there]


def unwanted(every: Build, build: Build, there: Mapping[str, tuple[int, str]]) -> list[str]:
    """Files of ours on a node that a set does without: compiled, or as we ship them."""
    return [entry.path for entry in every.manifest if entry.path in there and entry.path not in build.files
            and (entry.path.endswith(".mpy") or there[entry.path] == (entry.size, entry.sha256))]


def strangers(build: Build, there: Mapping[str, object]) -> list[str]:
    """Code that is neither of the set nor a module or pin map of the user's: of an older core, most likely."""
    ours = {*build.files, "boot.py"}
    return sorted(path for path in there if path.endswith(CODE) and path not in ours
                  and not path.startswith(OWN_FOLDERS) and not PurePosixPath(path).name.startswith(OWN_NAMES))


def _without(build: Build, modules: Collection[str]) -> Build:
    """The set without the compiled twins of some source modules."""
    return build.without([str(PurePosixPath(path).with_suffix(".mpy")) for path in modules])


# -- without touching anything


def rehearsal(board: Board, port: str, image: str, config: Config, build: Build) -> list[str]:
    """What make() would run, line by line; passwords are not shown."""
    return [*erase_line(board, port), flash_line(board, port, image),
            f"put {CONFIG} {json.dumps(masked(config))}", *put_lines(build), "reset"]


def erase_line(board: Board, port: str) -> list[str]:
    return [] if board.is_uf2 else ["esptool " + " ".join(board.erase(port))]


def flash_line(board: Board, port: str, image: str) -> str:
    if board.is_uf2:
        return f"copy {image} to the {board.chip} drive"
    return "esptool " + " ".join(board.write(port, image))


def put_lines(build: Build) -> list[str]:
    return [f"put {entry.path} {entry.size} bytes" for entry in build.manifest]


def masked(config: Config) -> Config:
    return {key: "********" if key in SECRETS else value for key, value in config.items()}
