"""A key of a node is set in one way, whoever asks: a person at one node, or a job at many."""
from __future__ import annotations

import re

from toolkit.errors import UsageError
from toolkit.gateway.events import Events
from toolkit.gateway.nodes import Node
from toolkit.settings import MASK, OF_THE_BOARD, is_secret

KEY = r"[A-Za-z_][A-Za-z0-9_]{0,31}"
_OF_A_SESSION = ("devfid", "appwd", "auth", "socport")      # what a session learned at its start is old then


def check_key(key: str) -> None:
    """Raises UsageError for what is no key, or one that is not for anybody to set."""
    if not re.fullmatch(KEY, key):
        raise UsageError(f"a key is a word of node_config.json, got {key[:40]!r}")
    if key in OF_THE_BOARD:
        raise UsageError(f"{key} is written by the node itself")


def typed(value: bool | int | str) -> str:
    """As it is typed in the shell. Raises UsageError for what would be another line."""
    text = str(value)
    if not text.strip() or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise UsageError("a value is one line with something in it")
    return text


async def change(node: Node, key: str, text: str, events: Events, by: str) -> None:
    """Raises UsageError in the node's own words when it does not take the value; then nothing has changed."""
    check_key(key)
    said = (await node.link.converse(["conf", f"{key} {text}", "noconf"]))[1].text.strip()
    if said != "Saved":
        said = said or f"{node.name} did not say Saved"
        raise UsageError(said.replace(text, MASK) if is_secret(key) else said)
    if key in _OF_A_SESSION:
        node.link.renew()
    events.publish("config", {"uid": node.uid, "name": node.name, "key": key, "by": by})
