"""Values that carry quotes or brackets, and the cuts around them; pure/words.py calls it when a line has some."""
from .words import QUOTES, WordError, literal

JSON_CONSTANTS = {"true": True, "false": False, "null": None}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
CLOSING = {"[": "]", "(": ")", "{": "}"}
_BLANKS = " \t\r\n"
_BEFORE_A_VALUE = "=" + _BLANKS
MAX_DEPTH = 8             # of brackets; the board's C stack is small


def whole(word):
    """Value of a word that starts with a quote or bracket. Raises WordError."""
    value, at = _value(word, 0, 0)
    if at != len(word):
        raise WordError("{} follows a value; put a blank between".format(word[at:]))
    return value


def pipe(text):
    """Lines of a pipe (boothook, cron, irq): cut at `;`, remarks and empty pieces left out."""
    lines = [piece.strip() for piece in cut(text, ";")]
    return [line for line in lines if line and not line.startswith("#")]


def cut(text, separators):
    """Parts of text between separators that stand outside quotes and brackets."""
    parts, start, at = [], 0, 0
    quote, depth, fresh = "", 0, True         # fresh: a value may start here
    while at < len(text):
        c = text[at]
        if quote:
            if c == "\\":
                at += 1
            elif c == quote:
                quote = ""
        elif c in separators and not depth:
            parts.append(text[start:at])
            start = at + 1
        elif c in QUOTES and (fresh or depth):
            quote = c
        elif c in CLOSING and (fresh or depth):
            depth += 1
        elif c in "])}" and depth:
            depth -= 1
        fresh = c in _BEFORE_A_VALUE or c in separators
        at += 1
    if quote or depth:
        raise WordError("a {} stays open: {}".format("quote" if quote else "bracket", text[start:]))
    parts.append(text[start:])
    return parts


def _value(text, at, depth):
    """(value, index after it) of what starts at text[at]."""
    c = text[at]
    if c in QUOTES:
        return _quoted(text, at)
    if c not in CLOSING:
        return _bare(text, at)
    if depth == MAX_DEPTH:
        raise WordError("brackets nest deeper than {}".format(MAX_DEPTH))
    items, marks, at = _items(text, at + 1, CLOSING[c], depth + 1)
    if c == "{":
        return _dict(items, marks), at
    if ":" in marks:
        raise WordError("a : belongs into {}")
    if c == "[":
        return items, at
    return (tuple(items) if marks or not items else items[0]), at


def _items(text, at, close, depth):
    """(items, the marks , and : between them, index after close) of a bracket's inside."""
    items, marks, wants_value = [], "", True
    while True:
        at = _skip_blanks(text, at)
        c = text[at]
        if c == close:
            return items, marks, at + 1
        if wants_value:
            value, at = _value(text, at, depth)
            items.append(value)
        elif c in ",:":
            marks += c
            at += 1
        else:
            raise WordError("expected , or {} got {}".format(close, text[at:]))
        wants_value = not wants_value


def _dict(items, marks):
    pairs, odd = divmod(len(items), 2)
    if odd or marks.rstrip(",") + "," * bool(items) != ":," * pairs:
        raise WordError("a dict is {key: value, ...}")
    try:
        return {items[i]: items[i + 1] for i in range(0, len(items), 2)}
    except TypeError:
        raise WordError("a dict's key is a number or text")


def _skip_blanks(text, at):
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    if at == len(text):
        raise WordError("a bracket stays open: {}".format(text))
    return at


def _quoted(text, at):
    quote, at, out = text[at], at + 1, []
    while at < len(text):
        c = text[at]
        if c == quote:
            return "".join(out), at + 1
        if c == "\\" and at + 1 < len(text):
            c, at = _escaped(text, at + 1)
        out.append(c)
        at += 1
    raise WordError("a quote stays open: {}".format(text))


def _escaped(text, at):
    """(what stands for the escape whose letter is text[at], index of its last character)."""
    c = text[at]
    if c == "u":                     # as json.dumps writes what is not ASCII
        try:
            return chr(int(text[at + 1:at + 5], 16)), at + 4
        except ValueError:
            raise WordError("\\u takes four hexadecimal digits: {}".format(text[at - 1:at + 5]))
    return ESCAPES.get(c, c if c in "'\"\\/" else "\\" + c), at


def _bare(text, at):
    start = at
    while at < len(text) and text[at] not in ",:])} \t\r\n":
        at += 1
    word = text[start:at]
    if not word:
        raise WordError("expected a value, got {}".format(text[start:]))
    if word in JSON_CONSTANTS:
        return JSON_CONSTANTS[word], at
    return literal(word) if word not in CLOSING else word, at
