"""Where a file that comes in goes, and what it must be to get there; in memory only while one is on its way.

A file is received beside its place and renamed when whole. A load module is checked before it
replaces the one in use, and is live at the next call.
"""
import io
import os
import sys
from micropython import const

from Files import remove
from Folders import is_dir, make_folders

STAGED = const("/.staged/")       # a set on its way: Staging.py
_MODULES = const("/modules/")
_BESIDE = const(".new")
_COMPILE_BYTES = const(32768)     # a source file is held whole while it is checked


class RefusedError(Exception):
    """Raised when a file is not accepted; says why."""


def inside(name):
    """Absolute path of a name that the client gave. Raises RefusedError when it leads out of the root."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise RefusedError("a path inside / is needed")
    return "/" + "/".join(parts)


def target_of(name):
    """Where a sent file goes: a load module without a folder goes to /modules. Raises RefusedError.

    None: the name ends with `/`, it is a folder, and there it is.
    """
    path = inside(name)
    if path.count("/") == 1 and _module_name(path):
        path = _MODULES + path[1:]
    if name.endswith("/"):
        return _make_folders(path + "/")
    if path.startswith(STAGED):
        _make_folders(path)
    folder = path.rpartition("/")[0]
    if folder and not is_dir(folder):
        raise RefusedError("there is no folder {}".format(folder))
    if is_dir(path):
        raise RefusedError("there is a folder of this name")
    return path


async def put(target, size, piece, modules):
    """Put a file in its place. Raises RefusedError, and what piece() raises; then the file before stands.

    target: of target_of(); piece: coroutine function, its next bytes; modules: told of a load module, or None
    """
    await _receive(target + _BESIDE, size, piece)
    _activate(target, modules)


async def _receive(path, size, piece):
    """Raises RefusedError (full flash), EOFError (cut off); nothing stays."""
    left, failure = size, None
    try:
        with _Kept(path) as file:
            while left:
                data = (await piece())[:left]
                left -= len(data)
                failure = failure or file.write(data)      # after a failure the rest is read and dropped
        failure = failure or file.failure
        if failure:
            raise RefusedError("the flash says {}".format(failure))
    except BaseException:            # also a cancelled task: never leave half a file
        remove(path)
        raise


def _activate(target, modules):
    beside = target + _BESIDE
    module = None if target.startswith(STAGED) else _module_name(target)
    try:
        if module:
            _check(beside, target)
        os.rename(beside, target)
    except RefusedError:
        remove(beside)
        raise
    except OSError as error:
        remove(beside)
        raise RefusedError("the flash says {}".format(error))
    if module:
        remove(_twin(target))
        if modules:
            modules.forget(module)


class _Kept:
    """A file whose failure is a value: the protocol must go on with the client's bytes when the flash is full."""

    def __init__(self, path):
        self.failure = None
        self._path = path
        self._file = None

    def __enter__(self):
        self._file = self._try(open, self._path, "wb")
        return self

    def write(self, piece):
        self._try(self._file.write, piece) if self._file else None
        return self.failure

    def __exit__(self, *_):
        if self._file:
            self._try(self._file.close)

    def _try(self, action, *args):
        try:
            return action(*args)
        except OSError as error:
            self.failure = error
            return None


def _make_folders(path):
    try:
        make_folders(path)
    except OSError as error:
        raise RefusedError("the flash says {}".format(error))


def _module_name(path):
    """`x` of `.../LM_x.py`, None for any other file."""
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    return stem[3:] if stem.startswith("LM_") and ending in ("py", "mpy") else None


def _twin(path):
    return path[:-3] + ".mpy" if path.endswith(".py") else path[:-4] + ".py"


def _check(path, target):
    """Raises RefusedError when the firmware could not load this file as the module of that name."""
    if target.endswith(".mpy"):
        return _check_bytecode(path)
    if os.stat(path)[6] > _COMPILE_BYTES:
        return None
    try:
        with open(path) as file:
            compile(file.read(), target, "exec")
    except (SyntaxError, UnicodeError) as error:
        raise RefusedError("does not compile, {}{}".format(_line_of(error), error))
    except MemoryError:
        raise RefusedError("too large to compile here; send it as .mpy")


def _line_of(error):
    """`line 3: ` of a syntax error, which only the last row of its traceback tells."""
    trace = io.StringIO()
    sys.print_exception(error, trace)
    _, found, rest = trace.getvalue().rpartition(", line ")
    return "line {}: ".format(rest.split("\n")[0].split(",")[0]) if found else ""


def _check_bytecode(path):
    """Header of a .mpy: "M" | version | flags with sub-version (MicroPython docs, "MicroPython .mpy files")."""
    with open(path, "rb") as file:
        head = file.read(4)
    mpy = sys.implementation._mpy
    if len(head) < 4 or head[:1] != b"M":
        raise RefusedError("is no .mpy file")
    if head[1] != mpy & 0xFF or head[2] & 3 > mpy >> 8 & 3:
        raise RefusedError("is .mpy version {}.{}, this firmware loads {}.{}; compile it with another mpy-cross"
                           .format(head[1], head[2] & 3, mpy & 0xFF, mpy >> 8 & 3))
