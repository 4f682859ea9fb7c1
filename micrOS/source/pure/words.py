"""The shell's grammar: text into words, words into values, without eval.

    line    = word { blank word } [ ">json" ] [ "&" | "&&" [ms] ] [ ">>" host ]
    word    = [ name "=" ] value
    value   = number | True | False | None | 'text' | "text" | [list] | (tuple) | {dict} | bare text
    pipe    = line { ";" line }        a line that starts with # is a remark
Quotes and brackets keep their blanks; they count where a value starts: bare it's is text as it stands.
What may stand behind a call is in suffixes.py.
"""

_CONSTANTS = {"True": True, "False": False, "None": None}
QUOTES = "'\""
_MARKS = "'\"[({"          # a line without these is cut at its blanks, and values.py stays on the flash


class WordError(ValueError):
    """Raised when text does not follow the grammar; says what and where."""


def split(line):
    """Words of a line, quotes still on. Raises WordError when a quote or bracket stays open."""
    for mark in _MARKS:
        if mark in line:
            from .values import cut
            return [word for word in cut(line, " \t\r\n") if word]
    return line.split()


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
    return all("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c == "_" for c in text)


def literal(word):
    """Value of one word: number, True/False/None, quoted text, list, tuple, dict, else the word itself.

    Raises WordError.
    """
    if not word:
        return ""
    if word[0] in _MARKS:
        from .values import whole
        return whole(word)
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    return _number(word)


def _number(word):
    digits = word[1:] if word[0] in "+-" else word
    if not digits or digits[0] not in "0123456789." or digits == "." or "_" in word:
        return word
    try:
        return int(word, 16 if word[:2] == "0x" else 10)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return word
