"""Text that looks like what people and programs type, and text that looks like an attack on the grammar."""
from hypothesis import strategies as st

from micrOS.source.pure.values import MAX_DEPTH

PIECES = ("'", '"', "[", "]", "(", ")", "{", "}", "=", ";", "&", "&&", "&&50", ">json", " ", "  ", "\t", "\\", "\\n",
          "\\'", '\\"', "\\x41", "\\u00e9", ",", ":", "#", "-", "+", ".", "..", "_", "0", "7", "12", "1.5", "1e3",
          "1e999",
          "0x", "0x1F", "True", "None", "true", "null", "nan", "inf", "n/a", "name=", "a", "it's", "é", "⚀", "😀",
          "\0", "\x7f",
          "system", "heartbeat", "'a b'", "[1, 2]", "(1,)", "{'a': 1}", "=[", "='", ": ", ", ", "\r")
DEEP = ("[" * 60, "(" * 2000, "[" * MAX_DEPTH + "]" * MAX_DEPTH, "([{1:" * 20, "[" * 9 + "1" + "]" * 9, "]" * 50)

# blanks of the grammar are " \t\r\n": beyond them CPython's split() and strip() see more than MicroPython's
LETTERS = st.characters(codec="utf-8").filter(lambda c: not c.isspace() or c in " \t\r")
TEXT = st.text(LETTERS)
BIASED = st.lists(st.sampled_from(PIECES) | st.sampled_from(DEEP) | TEXT, max_size=20).map("".join)
ANY = TEXT | BIASED

# repr() of these needs no escape beyond \n \t \r \\ and the quotes
PLAIN = st.text(LETTERS.filter(lambda c: c.isprintable() or c in "\n\t\r"), max_size=8)
ATOMS = (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN)
KEYS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN | st.tuples(st.integers(), PLAIN)


def nested(depth):
    """Values of numbers, text, None, True, lists, tuples and dicts, at most depth brackets deep."""
    if depth == 0:
        return ATOMS
    inner = nested(depth - 1)
    keys = KEYS if depth > 1 else KEYS.filter(lambda key: not isinstance(key, tuple))
    return ATOMS | st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) \
        | st.dictionaries(keys, inner, max_size=3)


VALUES = st.integers(0, MAX_DEPTH).flatmap(nested)


def typed(dice):
    """One random text of the corpus that both interpreters see."""
    return "".join(dice.choice(DEEP if dice.random() < 0.01 else PIECES) for _ in range(dice.randint(1, 12)))
