"""Which commands only read: their answers may be shared and kept for a while, and a role `view` may ask them."""
from __future__ import annotations

import re

from toolkit.errors import UsageError
from toolkit.link.shell import MAX_COMMAND_BYTES

# Whole commands, `>json` behind them left away. None of them loads a module that is not loaded, but for system and
# esp32, which touch no pin.
READING = frozenset((
    "hello", "version", "help", "help lm", "modules", "task list", "cron list",
    "system info", "system alarms", "system clock", "system heartbeat", "esp32 temp", "esp32 hall",
))
_READING_FORMS = (re.compile(r"task show [\w.]+"),)
# Words that belong to one session, or end it. A session that many share has no use for them.
_OF_A_SESSION = {
    "conf": "settings are read and set at /config", "noconf": "settings are read and set at /config",
    "exit": "the gateway keeps its session, and gives it back when it is idle",
}
# What changes who is master of a node: files, packages, the mode it boots into. Wherever it stands: intercon, cron,
# rules of the cloud and others take commands as text, and run them later or elsewhere.
_ADMIN = re.compile(r"\b(?:webrepl|lmpacman|cloud\W+(?:up|down)load)\b")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")         # of pure/values.py


def normal(command: str) -> str:
    """One spelling of a command. Raises UsageError when it is no single line, too long, or only for a console."""
    one_line(command)
    first = command.split()[0]
    if first in _OF_A_SESSION:
        raise UsageError(f"{first} is for a console: {_OF_A_SESSION[first]}")
    return command.strip()


def one_line(command: str) -> None:
    """Raises UsageError for what is no single line that a node takes whole."""
    if "\n" in command or "\r" in command or "\0" in command or not command.strip():
        raise UsageError(f"a command is one line with a word in it, got {command[:60]!r}")
    if (size := len(command.encode("utf-8", "replace"))) > MAX_COMMAND_BYTES:
        raise UsageError(f"a command takes up to {MAX_COMMAND_BYTES} bytes, got {size}")


def is_reading(command: str) -> bool:
    bare = " ".join(command.removesuffix(">json").split())
    return bare in READING or any(form.fullmatch(bare) for form in _READING_FORMS)


def role_for(command: str) -> str:
    """The role that a command takes, or one that is handed on inside of it; `job ...` never less than operate."""
    if is_reading(command):
        return "view"
    return "admin" if _ADMIN.search(_plain(command)) else "operate"


def _plain(text: str) -> str:
    """With letters instead of their escapes, however deep they are."""
    before = ""
    while before != text:
        before, text = text, _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text
