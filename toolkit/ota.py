"""An update over the air: what differs is sent beside what runs, and takes over in one step at a boot.

A node of ours tells the hashes of its files; the rest goes to its folder .staged, with a manifest. The node checks
all of it, renames the folder, restarts, and its next boot copies every file to its place, again and again if the power
goes: the old set answers, or the new one. A node of 1.20 (Dance) gets the same under flat names at its root,
since its WebREPL makes no folders; main.py comes last and has them moved.
Signatures and a way back (issue "signed, journaled activation") belong between the manifest and the rename.
"""
from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TypeVar

from toolkit.compile import Build
from toolkit.errors import LinkError, RefusedError, ToolkitError, UsageError
from toolkit.fileport import FileDoor
from toolkit.link.shell import ShellLink
from toolkit.link.verbs import TWINS, twins
from toolkit.link.webrepl import (
    MANIFEST,
    STAGED,
    BusyError,
    FileLink,
    Held,
    NoMemoryError,
    WrongPasswordError,
)
from toolkit.parts import blocks_of, room_of
from toolkit.session import Door
from toolkit.sets import MPY

MODULES = "modules/LM_"
OLDEST_MICROPYTHON = (1, 21)               # the first that calls it asyncio
SPARE_BYTES = 8192                         # for what the node writes itself meanwhile
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
RETURN_S = 120.0                           # a board moves the files, boots, and joins a slow router
THERE_S = 2.0                              # one that nobody has restarted is there, or it is not
LOOK_S = 0.5

FLAT = ".update~"                          # micrOS/source/Activate.py
FIRST_AT_ROOT = ("Activate", "Paths")      # what main.py needs to have the others moved
MAIN = "main.py"
IF_MODE = ".if_mode"
UPDATE_MODE_TRIES, FAREWELL = 5, "Bye!"
DANCE_TRIES, DANCE_PAUSE_S = 5, 2.0        # of each file, as 1.20 had it

Progress = Callable[[int, int], None]
Say = Callable[[str], None]
Entered = TypeVar("Entered")


@dataclass(frozen=True)
class Plan:
    """What an update is to do, by path on the board.

    put      files that differ: path -> content
    removed  other forms of ours, x.py where x.mpy comes
    same     files that are there already
    kept     load modules of the user's in place of ours
    """

    put: dict[str, bytes]
    removed: list[str]
    same: int
    kept: list[str]

    @property
    def size(self) -> int:
        return sum(map(len, self.put.values()))

    @property
    def is_empty(self) -> bool:
        return not self.put and not self.removed

    @property
    def manifest(self) -> bytes:
        """Rows as Staging.py and Activate.py read them."""
        rows = [f"{path} {len(data)} {digest(data)}\n" for path, data in self.put.items()]
        return "".join([*rows, *(f"{path} 0 -\n" for path in self.removed)]).encode()


@dataclass
class Done:
    """What was done. links: sessions it took; seconds: without the boot at the end."""

    sent: int = 0
    bytes: int = 0
    links: int = 0
    seconds: float = 0.0
    removed: list[str] = field(default_factory=list)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# -- what is to be done


def planned(build: Build, held: Mapping[str, tuple[int, str]], force: bool = False, lm_only: bool = False,
            known: Set[str] = frozenset()) -> Plan:
    """What has to be done so that a node holds a set.

    held     path -> (bytes, SHA-256) of the files it has
    force    modules of the user's give way to those of the set
    known    SHA-256 of sources that we have shipped: such a module is not the user's
    """
    chosen = {path: file for path, file in build.files.items() if path.startswith(MODULES) or not lm_only}
    kept = [] if force else _own_modules(chosen, held, known)
    out = {str(PurePosixPath(path).with_suffix(".mpy")) for path in kept}
    contents = {path: file.read_bytes() for path, file in chosen.items() if path not in out}
    others = twins(contents, held)
    again = [str(path.with_suffix(TWINS[path.suffix])) for path in map(PurePosixPath, others) if lm_only]
    put = {path: data for path, data in contents.items()
           if path in again or held.get(path) != (len(data), digest(data))}
    return Plan(put, [] if lm_only else others, len(contents) - len(put), kept)      # a sent module removes its twin


def _own_modules(chosen: Iterable[str], held: Mapping[str, tuple[int, str]], known: Set[str]) -> list[str]:
    """Source modules where the set has a compiled one: somebody has put them there, if it was not us."""
    there = [str(PurePosixPath(path).with_suffix(".py")) for path in chosen
             if path.startswith(MODULES) and path.endswith(".mpy")]
    return [path for path in there if path in held and held[path][1] not in known]


def check_firmware(held: Held, node: str) -> None:
    """Raises UsageError when the node's MicroPython does not load what mpy-cross writes."""
    if held.mpy & 0xFF != MPY:
        raise UsageError(f"the MicroPython of {node} takes .mpy files of version {held.mpy & 0xFF}, ours are {MPY}: "
                         "send sources with --py, or flash it over USB with --make")


def needed(plan: Plan, held: Held) -> int:
    """Free bytes that an update takes for a moment: all of it lies there beside what runs, and is copied from there."""
    there = {path: size for path, (size, _) in held.files.items()}
    staged = {STAGED + path: len(data) for path, data in plan.put.items()} | {STAGED + MANIFEST: len(plan.manifest)}
    placed = {path: len(data) for path, data in plan.put.items()}
    largest = max(map(blocks_of, placed.values()), default=0)      # each is copied beside its place
    return room_of({**there, **staged, **placed}) - room_of(there) + largest + SPARE_BYTES


def without(held: Held, paths: Collection[str]) -> Held:
    """What a node holds once some files are gone."""
    def room(files: Mapping[str, tuple[int, str]]) -> int:
        return room_of({path: size for path, (size, _) in files.items()})

    files = {path: told for path, told in held.files.items() if path not in paths}
    return replace(held, files=files, free=held.free + room(held.files) - room(files))


def fits(plan: Plan, held: Held) -> bool:
    return needed(plan, held) <= held.free


def check_space(plan: Plan, held: Held, node: str, advice: str = "") -> None:
    """Raises UsageError when the flash does not hold the old and the new set for a moment. advice: what helps"""
    if not fits(plan, held):
        ways = [*filter(None, [advice]), "send the load modules with --lm-only", "or update it over USB with -r"]
        raise UsageError(f"{node} has {held.free} bytes free, the update needs {needed(plan, held)} beside what runs: "
                         + ", ".join(ways))


# -- a node of ours


class Air:
    """One update of one node, over as many sessions as it takes.

    look(held)   -> Plan: what is to be done, asked anew after each lost link
    advise(held) -> what to do when there is no room for it
    pauses_s     between tries to reach a node that has gone; what arrives begins them anew
    """

    def __init__(self, door: FileDoor, look: Callable[[Held], Plan], progress: Progress, say: Say,
                 pauses_s: Sequence[float], advise: Callable[[Held], str] = lambda held: "") -> None:
        self.done = Done()
        self._door = door
        self._look = look
        self._advise = advise
        self._progress = progress
        self._say = say
        self._pauses_s = pauses_s
        self._lost = 0                     # links in a row that brought nothing

    def stage(self, link: FileLink, held: Held) -> None:
        """Send what differs beside what runs, and have it take over. The node restarts, the link is closed.

        Raises LinkError when the node stays away: the old set runs, and what was sent waits for the next try.
        """
        self._persist(self._staged, link, held)

    def replace(self, link: FileLink, held: Held) -> None:
        """Put each file in its place at once: for load modules, which go live one by one."""
        self._persist(self._replaced, link, held)

    def _persist(self, job: Callable[[FileLink, Held], None], link: FileLink, held: Held) -> None:
        begun = time.monotonic()
        while True:
            self.done.links += 1
            try:
                with link:
                    job(link, held)
                break
            except (LinkError, BusyError) as error:
                link, held = self._reopened(error)
        self.done.seconds = round(time.monotonic() - begun, 2)

    def _reopened(self, error: ToolkitError) -> tuple[FileLink, Held]:
        while self._lost < len(self._pauses_s):
            self._say(f"taken up again: {error}")
            time.sleep(self._pauses_s[self._lost])
            self._lost += 1
            try:
                return _entered(self._door)
            except (LinkError, BusyError) as again:
                error = again
        raise LinkError(f"{error}. What was sent is kept there: run the same command again") from None

    def _staged(self, link: FileLink, held: Held) -> None:
        plan = self._look(held)
        if plan.is_empty:                  # what was sent before the link went has taken over
            return
        wanted = {STAGED + path: data for path, data in plan.put.items()}
        if any(path.startswith(STAGED) and path not in (*wanted, STAGED + MANIFEST) for path in held.files):
            link.discard_staged()          # of another update
            held = link.held()
        if not fits(plan, held):
            check_space(plan, held, self._door.device.name, self._advise(held))
        self._send(link, wanted, held.files)
        link.put(STAGED + MANIFEST, plan.manifest)
        self.done.removed = plan.removed
        link.activate()

    def _replaced(self, link: FileLink, held: Held) -> None:
        self._send(link, self._look(held).put, held.files)

    def _send(self, link: FileLink, wanted: Mapping[str, bytes], there: Mapping[str, tuple[int, str]]) -> None:
        total, done = sum(map(len, wanted.values())), 0
        for path, data in wanted.items():
            if there.get(path) != (len(data), digest(data)):
                link.put(path, data, lambda part, _, before=done: self._progress(before + part, total))  # type: ignore[misc]
                self._lost = 0
                self.done.sent += 1
                self.done.bytes += len(data)
            done += len(data)
            self._progress(done, total)


def _entered(door: FileDoor) -> tuple[FileLink, Held]:
    link = door.open()
    try:
        return link, link.held()
    except BaseException:
        link.close()
        raise


def to_update_mode(door: Door) -> None:
    """Restart a node with nothing but network and file port. Raises LinkError, RefusedError."""
    for _ in range(UPDATE_MODE_TRIES):     # what filled its heap may just be leaving
        with door.open() as shell:
            answer = shell.ask("webrepl --update")
            if shell.closed or FAREWELL in answer:
                return
        time.sleep(LOOK_S)
    raise RefusedError(f"{door.device.name} does not restart in its update mode: {answer.strip()}")


def entered(files: FileDoor, shell: Door, say: Say) -> tuple[FileLink, Held]:
    """A file session and what the node holds; one whose heap takes no list of it goes to its update mode for that."""
    try:
        link = files.open()
    except NoMemoryError as error:
        return _entered_in_update_mode(files, shell, say, error)
    try:
        return link, link.held()
    except LinkError as error:           # it answered before: the heap was full amid the list
        link.close()
        return _entered_in_update_mode(files, shell, say, error)
    except BaseException:
        link.close()
        raise


def _entered_in_update_mode(files: FileDoor, shell: Door, say: Say, error: ToolkitError) -> tuple[FileLink, Held]:
    say(f"{error}; it restarts in its update mode, which needs less memory")
    to_update_mode(shell)
    return awaited(files, _entered)


def awaited(files: FileDoor, enter: Callable[[FileDoor], Entered], limit_s: float = RETURN_S) -> Entered:
    """What enter(files) returns, as soon as the node lets it. Raises LinkError, RefusedError after limit_s."""
    end_s = time.monotonic() + limit_s
    while True:
        try:
            return enter(files)
        except (LinkError, BusyError, NoMemoryError):
            if time.monotonic() > end_s:
                raise
            time.sleep(LOOK_S)


def returned(
    files: FileDoor, look: Callable[[Held], Plan], sample: tuple[str, bytes], version: str = "",
    limit_s: float = RETURN_S
) -> None:
    """Returns when the node has booted and holds the new set. Raises RefusedError when the old one stays.

    sample    a file of the set that differs from the old one, for a node whose heap takes no list of all
    version   that only the new set tells, for one whose heap takes no file session either; "" when both tell it
    """
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if _holds_it(files, look) or _has(files, *sample) or (version and _says(files, version)):
            return
        time.sleep(LOOK_S)
    raise RefusedError(f"{files.device.name} answers with the old set: look at its `system alarms`, "
                       "and repeat the command")


def _holds_it(files: FileDoor, look: Callable[[Held], Plan]) -> bool:
    """Raises WrongPasswordError."""
    try:
        with files.open() as link:
            return look(link.held()).is_empty
    except WrongPasswordError:
        raise
    except (LinkError, RefusedError):      # away, busy, still of 1.20
        return False


def _has(files: FileDoor, path: str, data: bytes) -> bool:
    with contextlib.suppress(LinkError, RefusedError), files.open() as link:
        return link.get(path) == data
    return False


def _says(files: FileDoor, version: str) -> bool:
    with contextlib.suppress(LinkError, RefusedError):
        return _asked(files) == version
    return False


def _asked(files: FileDoor) -> str:
    """Version that the shell tells; the password of the file port is its own."""
    with ShellLink(files.device.address, files.device.port, files.password) as shell:
        return shell.ask("version").strip()


def version_of(files: FileDoor, limit_s: float = RETURN_S) -> str:
    """What the shell of a node says once it is up. Raises LinkError."""
    end_s = time.monotonic() + limit_s
    while True:
        try:
            return _asked(files)
        except LinkError:
            if time.monotonic() > end_s:
                raise
            time.sleep(LOOK_S)


# -- a node of 1.20


class Dance:
    """The update of a 1.20 node: locked in its WebREPL, files one by one, unlocked. say: told of each step"""

    def __init__(self, files: FileDoor, progress: Progress, say: Say, pause_s: float) -> None:
        self.done = Done()
        self._files = files
        self._progress = progress
        self._say = say
        self._pause_s = pause_s
        self._link: FileLink | None = None

    def run(self, todo: Mapping[str, bytes]) -> None:
        """Send files under their names to a node in its WebREPL, and let it boot.

        Raises LinkError when it stays away: it waits in its WebREPL for the next try, and runs what it ran before
        as long as main.py has not come.
        """
        begun = time.monotonic()
        total = sum(map(len, todo.values()))
        try:
            self._put(IF_MODE, b"webrepl")       # also after a power cut it waits for the rest
            for name, data in todo.items():
                self._put(name, data)
                self.done.sent += 1
                self.done.bytes += len(data)
                self._progress(self.done.bytes, total)
            self._put(IF_MODE, b"micros")
        finally:
            self._leave()
        self.done.seconds = round(time.monotonic() - begun, 2)

    def _put(self, name: str, data: bytes) -> None:
        for tries in range(1, DANCE_TRIES + 1):
            try:
                self._entered().put(name, data)
                return
            except (LinkError, BusyError) as error:
                self._leave()
                if tries == DANCE_TRIES:
                    raise LinkError(f"{error}. It waits in its WebREPL: run the same command again") from None
                self._say(f"once more: {error}")
                time.sleep(self._pause_s)

    def _entered(self) -> FileLink:
        if self._link is None:
            self._link = self._files.open()
            self.done.links += 1
        return self._link

    def _leave(self) -> None:
        if self._link:
            self._link.close()
        self._link = None


def flat(build: Build) -> dict[str, bytes]:
    """Name at the root of a 1.20 node -> content, in the order in which they are sent."""
    contents = {path: file.read_bytes() for path, file in build.files.items()}
    at_root = {path: data for path, data in contents.items()
               if path == MAIN or ("/" not in path and PurePosixPath(path).stem in FIRST_AT_ROOT)}
    late = {path: data for path, data in contents.items() if path not in at_root}
    manifest = Plan(late, [], 0, []).manifest
    names = {FLAT + path.replace("/", "~"): data for path, data in late.items()}
    main = at_root.pop(MAIN)
    return {**names, **at_root, FLAT + MANIFEST: manifest, MAIN: main}


def check_120(version: str, info: str, help_text: str, node: str) -> None:
    """Raises UsageError when a 1.20 node cannot become ours over the air. info: of `system info`"""
    if "light" in version:
        raise UsageError(f"{node} runs a light version ({version}), which takes no update: use --make over USB")
    if "webrepl" not in help_text or "--update" not in help_text:
        raise UsageError(f"{node} has version {version}, which knows no `webrepl --update`: use --make over USB")
    found = re.search(r"upython:\s*v?(\d+)\.(\d+)", info)
    if not found or (int(found[1]), int(found[2])) < OLDEST_MICROPYTHON:
        has = f"MicroPython {found[1]}.{found[2]}" if found else "a MicroPython that it does not tell"
        oldest = ".".join(map(str, OLDEST_MICROPYTHON))
        raise UsageError(f"{node} has {has}, micrOS now needs {oldest} or newer: keep its settings with -b, "
                         "then flash it over USB with --make --config archived:NAME")
