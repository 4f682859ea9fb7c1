"""The shell's grammar: text into words, words into values, without eval.

    line    = word { blank word } [ ">json" ] [ "&" | "&&" [ms] ]
    word    = [ name "=" ] value
    value   = number | True | False | None | 'text' | "text" | [list] | (tuple) | {dict} | bare text
    pipe    = line { ";" line }        a line that starts with # is a remark
Quotes and brackets keep their blanks; they count where a value starts: bare it's is text as it stands.
"""

CONSTANTS = {"True": True, "False": False, "None": None}
JSON_CONSTANTS = {"true": True, "false": False, "null": None}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
CLOSING = {"[": "]", "(": ")", "{": "}"}
QUOTES = "'\""
MAX_DEPTH = 8             # of brackets; the board's C stack is small
MIN_DELAY_MS = 20         # of a background task, as 1.20
NOTHING = "n/a"           # what an empty config value looks like


class WordError(ValueError):
    """Raised when text does not follow the grammar; says what and where."""


def split(line):
    """Words of a line, quotes still on. Raises WordError when a quote or bracket stays open."""
    for mark in "'\"[({":
        if mark in line:
            return [word for word in _cut(line, " \t\r\n") if word]
    return line.split()


def pipe(text):
    """Lines of a pipe (boothook, cron, irq): cut at `;`, remarks and empty pieces left out."""
    if text.startswith(NOTHING):
        return []
    lines = [piece.strip() for piece in _cut(text, ";")]
    return [line for line in lines if line and not line.startswith("#")]


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


def arguments(words):
    """(args, kwargs) of a call. Raises WordError."""
    args, kwargs = [], {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and is_name(name):
            kwargs[name] = literal(value)
        elif kwargs:
            raise WordError("{} stands after name=value; put it before".format(word))
        else:
            args.append(literal(word))
    return args, kwargs


def is_name(text):
    """True when text may name a module, a function or an argument: ASCII letters, digits, underscore."""
    if not text or "0" <= text[0] <= "9":
        return False
    for c in text:
        if not ("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c == "_"):
            return False
    return True


def literal(word):
    """Value of one word: number, True/False/None, quoted text, list, tuple, dict, else the word itself.

    Raises WordError.
    """
    if not word:
        return ""
    if word[0] in QUOTES or word[0] in CLOSING:
        value, at = _value(word, 0, 0)
        if at != len(word):
            raise WordError("{} follows a value; put a blank between".format(word[at:]))
        return value
    if word in CONSTANTS:
        return CONSTANTS[word]
    return _number(word)


def _number(word):
    if word[0] not in "0123456789+-." or "_" in word:
        return word
    for kind in (int, _hexadecimal, float):
        try:
            return kind(word)
        except ValueError:
            pass
    return word


def _hexadecimal(word):
    if not word.startswith("0x"):
        raise ValueError
    return int(word[2:], 16)


def _cut(text, separators):
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
        fresh = c in "= " or c in separators
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
    items, at, commas, pairs = _items(text, at + 1, CLOSING[c], depth + 1)
    if c == "{":
        return _dict(items, pairs), at
    if pairs:
        raise WordError("a : belongs into {}")
    if c == "[":
        return items, at
    return (tuple(items) if commas or not items else items[0]), at


def _items(text, at, close, depth):
    """(items, index after close, commas, pairs) of a bracket's inside; a dict's items are key, value, key, ..."""
    items, commas, pairs, wants = [], 0, 0, True      # wants: an item may come, else a comma must
    while True:
        at = _skip_blanks(text, at)
        c = text[at]
        if c == close:
            return items, at + 1, commas, pairs
        if wants:
            value, at = _value(text, at, depth)
            items.append(value)
        elif c == ",":
            at, commas = at + 1, commas + 1
        elif c == ":":
            at, pairs = at + 1, pairs + 1
        else:
            raise WordError("expected , or {} got {}".format(close, text[at:]))
        wants = not wants


def _dict(items, pairs):
    if len(items) != 2 * pairs:
        raise WordError("a dict is {key: value, ...}")
    try:
        return {items[i]: items[i + 1] for i in range(0, len(items), 2)}
    except TypeError:
        raise WordError("a dict's key is a number or text")


def _skip_blanks(text, at):
    while at < len(text) and text[at] in " \t":
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
            at += 1
            c = text[at]
            c = ESCAPES.get(c, c if c in QUOTES or c == "\\" else "\\" + c)
        out.append(c)
        at += 1
    raise WordError("a quote stays open: {}".format(text))


def _bare(text, at):
    start = at
    while at < len(text) and text[at] not in ",:])} \t":
        at += 1
    word = text[start:at]
    if not word:
        raise WordError("expected a value, got {}".format(text[start:]))
    if word in JSON_CONSTANTS:
        return JSON_CONSTANTS[word], at
    return literal(word) if word not in CLOSING else word, at
