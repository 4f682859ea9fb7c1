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
# What changes who is master of the node: files, packages, the mode it boots into.
ADMIN_WORDS = frozenset(("webrepl", "lmpacman"))


def normal(command: str) -> str:
    """One spelling of a command. Raises UsageError when it is no single line, too long, or only for a console."""
    if "\n" in command or "\r" in command or "\0" in command or not command.strip():
        raise UsageError(f"a command is one line with a word in it, got {command[:60]!r}")
    if len(command.encode("utf-8", "replace")) > MAX_COMMAND_BYTES:
        raise UsageError(f"a command takes up to {MAX_COMMAND_BYTES} bytes, got {len(command.encode())}")
    first = command.split()[0]
    if first in _OF_A_SESSION:
        raise UsageError(f"{first} is for a console: {_OF_A_SESSION[first]}")
    return command.strip()


def is_reading(command: str) -> bool:
    bare = " ".join(command.removesuffix(">json").split())
    return bare in READING or any(form.fullmatch(bare) for form in _READING_FORMS)


def role_for(command: str) -> str:
    """The role that a command takes; `job <id> <command>` takes that of its command, and never less than operate."""
    if is_reading(command):
        return "view"
    words = command.split()
    while words[:1] == ["job"]:
        words = words[2:]
    return "admin" if words[:1] and words[0] in ADMIN_WORDS else "operate"
