"""What JSON of Python lets through and other JSON does not: endless numbers, halves of letters."""
from __future__ import annotations

import math
from typing import Any


def is_plain(value: Any) -> bool:
    """True for what every JSON can say: finite numbers, texts that have a UTF-8 form."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, dict):
        return all(is_plain(name) and is_plain(each) for name, each in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return True
