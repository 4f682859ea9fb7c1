"""What can be done with the files of a board, written once over `execute`: a link brings only that."""
from __future__ import annotations

import base64
import binascii
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from toolkit.errors import LinkError, RefusedError, UsageError

PIECE_BYTES = 3072             # of a file in one command: 4096 characters of base64, about 12 KB of the board's heap
SILENCE_S = 20.0
HASH_SILENCE_S = 30.0          # the largest file there may be on the slowest flash
BESIDE = ".new"                # what a file is called until it is whole, as micrOS/source/Files.py has it
TWINS = {".mpy": ".py", ".py": ".mpy"}
LAST = "main.py"               # a set that is cut off before it does not boot half

Progress = Callable[[int, int], None]        # (bytes done, bytes in all)

# Runs on the board, in the globals of its REPL. Entries of other file systems (/rom, /sd) are 3-tuples with inode 0.
ON_BOARD = f"_beside = {BESIDE!r}" + '''
import os, json, hashlib
from binascii import a2b_base64, b2a_base64, hexlify

_block = bytearray(768)

def _feed():
    pass

def _blocks(name):
    with open(name, "rb") as file:
        while True:
            count = file.readinto(_block)
            if not count:
                return
            _feed()
            yield memoryview(_block)[:count]

def _digest(name):
    size, sha = 0, hashlib.sha256()
    for block in _blocks(name):
        size += len(block)
        sha.update(block)
    return size, str(hexlify(sha.digest()), "ascii")

def _open(name):
    global _file
    at = name.find("/", 1)
    while at > 0:
        try:
            os.mkdir(name[:at])
        except OSError as error:
            if error.errno != 17:
                raise
        at = name.find("/", at + 1)
    _file = open(name + _beside, "wb")

def _write(text):
    _file.write(a2b_base64(text))
    _feed()

def _close(name, digest):
    _file.close()
    if _digest(name + _beside)[1] != digest:
        raise OSError("it arrived damaged")
    try:
        os.rename(name + _beside, name)
    except OSError:
        os.remove(name)
        os.rename(name + _beside, name)

def _tell(name):
    sha = hashlib.sha256()
    for block in _blocks(name):
        sha.update(block)
        print(str(b2a_base64(block), "ascii"), end="")
    print(str(hexlify(sha.digest()), "ascii"))

def _walk(folder, hashes):
    for entry in os.ilistdir(folder or "/"):
        path = folder + "/" + entry[0]
        is_mount = not folder and len(entry) == 3 and not entry[2]
        if entry[1] != 0x4000:
            print(json.dumps((path[1:],) + (_digest(path) if hashes else (os.stat(path)[6],))))
        elif not is_mount:
            _walk(path, hashes)
'''

# Of the limits the first that the port takes; RP2040: 8388 (datasheet 4.7.2)
FEEDING = """
import machine
for _ms in (30000, 8000):
    try:
        _dog = machine.WDT(timeout=_ms)
        break
    except ValueError:
        pass
_feed = _dog.feed
"""


@dataclass
class Synced:
    """What a sync did, by path.

    same      files that were there already
    removed   a .py beside our .mpy and the other way round, and what a broken transfer had left
    hiding    files in the root that are found before ours in a folder; they may be meant so
    bytes     that were sent
    """

    sent: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    hiding: list[str] = field(default_factory=list)
    bytes: int = 0


class BoardFiles(ABC):
    """The files of a board. Paths count from its root, with or without a slash in front; answers are without.

    Every verb raises RefusedError when the board says no, LinkError when it says nothing.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End the session."""

    @abstractmethod
    def execute(self, code: str, timeout_s: float = SILENCE_S) -> bytes:
        """What code prints on the board. timeout_s: silence that is taken for a hang.

        Raises RefusedError with the last line of the traceback.
        """

    def listing(self) -> dict[str, int]:
        """Path -> bytes, of every file."""
        return dict(self._walked(False))

    def hashes(self) -> dict[str, tuple[int, str]]:
        """Path -> (bytes, SHA-256 in hex, computed on the board), of every file."""
        return {path: (size, digest) for path, size, digest in self._walked(True)}

    def space(self) -> tuple[int, int]:
        """(free, all) bytes of the file system."""
        block, _, blocks, free = json.loads(self.execute("print(json.dumps(os.statvfs('/')[:4]))"))
        return block * free, block * blocks

    def put(self, name: str, source: bytes | Path, progress: Progress | None = None) -> int:
        """Store a file; the old one stands until the new one is whole and hashed. Returns its bytes."""
        data = source.read_bytes() if isinstance(source, Path) else source
        name = clean(name)
        for done, code in _commands("/" + name, data):
            self._do(code, name)
            (progress or _nobody)(done, len(data))
        return len(data)

    def get(self, name: str) -> bytes:
        """Content of a file."""
        name = clean(name)
        *lines, digest = self._do(f"_tell({'/' + name!a})", name).split()
        try:
            data = b"".join(map(base64.standard_b64decode, lines))
        except binascii.Error:
            data = b""
        if hashlib.sha256(data).hexdigest() != str(digest, "ascii", "replace"):
            raise LinkError(f"{name} arrived damaged: try again, with another cable if it stays so")
        return data

    def remove(self, *names: str) -> None:
        for name in map(clean, names):
            self._do(f"os.remove({'/' + name!a})", name)

    def sync(self, files: Mapping[str, Path], progress: Progress | None = None) -> Synced:
        """Bring files onto the board: what differs is sent, main.py last, and older forms of them are removed.

        files    path on the board -> file here
        Interrupted anywhere it can be run again.
        """
        wanted = {clean(name): path.read_bytes() for name, path in files.items()}
        there = self.hashes()
        done = Synced()
        for name, data in wanted.items():
            is_same = there.get(name) == (len(data), hashlib.sha256(data).hexdigest())
            (done.same if is_same else done.sent).append(name)
        done.sent.sort(key=lambda name: name == LAST)
        total = sum(len(wanted[name]) for name in done.sent)
        for name in done.sent:
            done.bytes += self.put(name, wanted[name], lambda part, _: (progress or _nobody)(done.bytes + part, total))
        leftovers = [name + BESIDE for name in done.same if name + BESIDE in there]
        done.removed, done.hiding = twins(wanted, there) + leftovers, hiding(wanted, there)
        self.remove(*done.removed)
        return done

    def remove_strangers(self, files: Mapping[str, Path], stays: Callable[[str], bool]) -> list[str]:
        """Remove every file that is not in files, unless stays(path). Returns their paths."""
        wanted = set(map(clean, files))
        strangers = [path for path in self.listing() if path not in wanted and not stays(path)]
        self.remove(*strangers)
        return strangers

    def _walked(self, hashes: bool) -> list[Any]:
        lines = self.execute(f"_walk('', {hashes})", HASH_SILENCE_S).decode().splitlines()
        return [json.loads(line) for line in lines]

    def _do(self, code: str, name: str) -> bytes:
        try:
            return self.execute(code, HASH_SILENCE_S)
        except RefusedError as error:
            raise RefusedError(f"{name}: {error}") from None


def twins(wanted: Mapping[str, object], there: Mapping[str, object]) -> list[str]:
    """Other forms of ours: an import finds x.py before x.mpy."""
    paths = [path for path in map(PurePosixPath, wanted) if path.suffix in TWINS]
    others = [str(path.with_suffix(TWINS[path.suffix])) for path in paths]
    return [name for name in others if name in there and name not in wanted]


def hiding(wanted: Mapping[str, object], there: Mapping[str, object]) -> list[str]:
    """Files in the root that an import finds before ours in a folder: of 1.20, or dropped by a person."""
    in_folders = {PurePosixPath(name).stem for name in wanted if "/" in name}
    return [name for name in there if "/" not in name and name not in wanted
            and PurePosixPath(name).suffix in TWINS and PurePosixPath(name).stem in in_folders]


def clean(name: str) -> str:
    """A path on the board without the slash in front. Raises UsageError."""
    parts = name.removeprefix("/").split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\n" in name:
        raise UsageError(f"expected a path like modules/LM_x.py on the board, got {name!r}")
    return "/".join(parts)


def _commands(name: str, data: bytes) -> Iterator[tuple[int, str]]:
    """(bytes of data that are there afterwards, code): together they put a file; a small one takes one command."""
    head = f"_open({name!a})\n"
    for at in range(0, max(1, len(data)), PIECE_BYTES):
        piece = data[at:at + PIECE_BYTES]
        done = at + len(piece)
        tail = f"_close({name!a}, '{hashlib.sha256(data).hexdigest()}')\n" if done == len(data) else ""
        yield done, f"{head}_write({base64.b64encode(piece)!r})\n{tail}"
        head = ""


def _nobody(done: int, total: int) -> None:
    """Progress for a caller who asked for none."""
