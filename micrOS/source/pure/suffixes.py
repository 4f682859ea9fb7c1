"""What may stand behind a call, in any order: `>json`, `&`, `&&100`, `>>host`. A line without them never loads this."""

MIN_DELAY_MS = 20         # of a background task, as 1.20


def remote(words):
    """(words, host): the words without a trailing `>>host`, which may stand among the other suffixes; host or None."""
    for at in range(len(words) - 1, max(0, len(words) - 4), -1):
        if words[at][:2] == ">>" and len(words[at]) > 2:
            return words[:at] + words[at + 1:], words[at][2:]
    return words, None


def suffixes(words):
    """(words, as_json, background): the words without `>json` and `&`.

    background: None, or (loops: bool, delay_ms: 20 or more, None when not given).
    The two suffixes may stand in either order.
    """
    as_json, background = False, None
    count = len(words)
    while count > 2:
        word = words[count - 1]
        if word == ">json":
            as_json = True
        elif word[0] == "&" and background is None:
            background = _background(word)
        else:
            break
        count -= 1
    return words[:count], as_json, background


def _background(word):
    ampersands = len(word) - len(word.lstrip("&"))
    digits = "".join([c for c in word if "0" <= c <= "9"])
    return ampersands == 2, max(int(digits), MIN_DELAY_MS) if digits else None
