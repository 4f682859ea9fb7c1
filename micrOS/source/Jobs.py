"""A command that runs once: its id and outcome are kept on flash, so that who lost the answer may ask again.

jobs.mem holds JSON, rows [id, answer], the oldest first and 16 at most. The answer is null from before the command
runs until it is known: a null found after a restart says that the node went down while it ran.
In memory only while a command is under way.
"""
import json

from micropython import const

from Files import read, write_whole
from Modules import CallError
from pure.lazy import unload

_FILE = const("jobs.mem")
_KEPT = const(16)
_ID_CHARS = const(40)
_ANSWER_CHARS = const(200)       # of one row: the file stays within a block of the flash
_SYNTAX = "Invalid job cmd! Help: job <id> <command>, the id up to 40 letters, digits, - and _"
_UNKNOWN = "job {}: unknown, the node went down while it ran"
_RUNNING = []                    # ids of commands that are awaited


def answer(shell, rest, say):
    """Text that answers `job <id> <command>`, or a coroutine that gives it. say: takes streamed lines."""
    name, _, line = rest.partition(" ")
    line = line.strip()
    try:
        if not _is_id(name) or not line or line.split()[0] == "job":
            return _SYNTAX
        return _known(name) or _run(shell, name, line, say)
    finally:
        _leave()


def _is_id(name):
    return 0 < len(name) <= _ID_CHARS and not [c for c in name if not (c.isalpha() or c.isdigit() or c in "-_")]


def _known(name):
    """What is known of an id; None when it is new."""
    if name in _RUNNING:
        return "job {}: running".format(name)
    for known, text in _rows():
        if known == name:
            return _UNKNOWN.format(name) if text is None else "job {}: known\n{}".format(name, text)
    return None


def _run(shell, name, line, say):
    try:
        _keep(name, None)
    except OSError as error:
        return "job {}: refused, the flash says {}; nothing was run".format(name, error)
    outcome = _Outcome(name, say)
    say("job {}: new".format(name))
    try:
        text = shell.answer(line, outcome.say)
    except CallError as error:
        text = str(error)
    if text is None or isinstance(text, str):
        return outcome.keep(text)
    _RUNNING.append(name)
    return _awaited(outcome, text)


async def _awaited(outcome, coroutine):
    text = "cancelled: the session was closed"
    try:
        text = await coroutine
    except CallError as error:
        text = str(error)
    finally:
        _RUNNING.remove(outcome.name)
        outcome.keep(text)
        _leave()
    return text


class _Outcome:
    """What a command says, as much of it as is kept."""

    def __init__(self, name, say):
        self.name = name
        self._say = say
        self._text = ""
        self._more = 0           # characters that are not kept

    def say(self, text):
        if text is not None:
            self._add(str(text))
        return self._say(text)

    def keep(self, text):
        """Write it down, and give the text back. A full flash leaves the id as one whose outcome is unknown."""
        if text is not None:
            self._add(text)
        try:
            _keep(self.name, self._text + (" ... {} more".format(self._more) if self._more else ""))
        except OSError as error:
            self._say("job {}: the flash says {}, so its outcome will be unknown".format(self.name, error))
        return text

    def _add(self, text):
        text = "\n" + text if self._text else text
        room = _ANSWER_CHARS - len(self._text)
        self._text += text[:room]
        self._more += max(0, len(text) - room)


def _rows():
    try:
        return [(name, text) for name, text in json.loads(read(_FILE) or "[]")]
    except (ValueError, TypeError):      # not as we write it
        return []


def _keep(name, text):
    rows = [row for row in _rows() if row[0] != name][1 - _KEPT:]
    write_whole(_FILE, [json.dumps(rows + [(name, text)])])


def _leave():
    if not _RUNNING:
        unload("Jobs")
