"""Any text at all against the shell's grammar: the right value or a WordError, on both interpreters alike."""
import ast
import re
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure.suffixes import MIN_DELAY_MS, suffixes
from micrOS.source.pure.values import pipe
from micrOS.source.pure.words import WordError, arguments, is_name, literal, split
from tests.fuzz.effort import REPLAYS, dice, hard, times
from tests.fuzz.grammar import ANY, BIASED, PLAIN, VALUES, typed
from tests.fuzz.outcomes import KINDS, tree
from tests.fuzz.replay import differences

NAMES = st.from_regex("[a-z_][a-z0-9_]{0,9}", fullmatch=True)
KINDS_OF_TEXT = [kind for kind in KINDS if kind in ("literal", "call", "split", "suffixes", "pipe")]

# What Python reads as something else, and the grammar does not have: prefixed quotes, numbers with _ or
# another base, complex ones, escapes beyond \n \t \r \\ \' \", remarks.
PYTHON_ONLY = re.compile(r"""[a-zA-Z]['"]|\d_\d|0[boBO]|0X|\dj|\dJ|\\[^ntr\\'"]|\#|['"]\s*['"]""")


def told(function, *args):
    """The value, None for a WordError."""
    try:
        return function(*args)
    except WordError:
        return None


@hard
@given(ANY)
@example("[" * 5000)
@example("{1:" * 5000)
@example("'" + "\\" * 5000)
def test_only_word_errors_come_out(text):
    told(literal, text)
    told(pipe, text)
    words = told(split, text)
    if words:
        told(arguments, words)
        suffixes(words)


def python_value(text):
    """What Python's own literals make of it; raises ValueError for none that the grammar shares."""
    if PYTHON_ONLY.search(text):
        raise ValueError(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.literal_eval(text)
        except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValueError(text) from error


@hard
@given(BIASED | VALUES.map(repr))
def test_what_python_reads_as_a_literal_has_the_same_value(text):
    try:
        value, expected = literal(text), python_value(text)
    except ValueError:               # WordError is one, too
        return
    if not (value == text or contains(expected, set, complex, bytes, type(...))):
        assert tree(value) == tree(expected)


def contains(value, *kinds):
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        return any(contains(item, *kinds) for item in value)
    return isinstance(value, kinds)


@hard
@given(VALUES)
def test_a_value_that_python_prints_reads_back(value):
    assert tree(literal(repr(value))) == tree(value)


@hard
@given(st.lists(VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_call_that_python_prints_reads_back(args, kwargs):
    words = [repr(value) for value in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
    assert tree(arguments(split("module function " + " ".join(words))[2:])) == tree((args, kwargs))


@hard
@given(ANY)
def test_words_stand_in_the_line_with_nothing_but_blanks_between(line):
    at = 0
    for word in told(split, line) or ():
        place = line.index(word, at)
        assert not line[at:place].strip(" \t\r\n")
        at = place + len(word)


@hard
@given(ANY)
def test_words_joined_by_a_blank_are_the_same_words(line):
    words = told(split, line)
    if words is not None:
        assert split(" ".join(words)) == words


@hard
@given(ANY.filter(lambda text: not set(text) & set("\t\r")))      # tabs: see below
def test_lines_of_a_pipe_joined_again_are_the_same_lines(text):
    lines = told(pipe, text)
    if lines is not None:
        assert pipe(";" + ";".join(lines)) == lines


QUOTED = st.lists(PLAIN.map(repr), min_size=1, max_size=3)


@hard
@given(st.lists(QUOTED, max_size=4))
def test_quoted_text_never_tears_a_pipe(pieces):
    lines = [" ".join(["system", "info", *words]) for words in pieces]
    assert pipe("; ".join(lines)) == lines


def test_quoted_text_after_a_tab_never_tears_a_pipe():
    assert pipe("oled text\t'a;b'; system info") == ["oled text\t'a;b'", "system info"]


@hard
@given(ANY)
def test_suffixes_leave_two_words_and_a_delay_that_is_allowed(line):
    words = told(split, line) or []
    left, as_json, background = suffixes(words)
    assert left == words[:len(left)] and len(left) >= min(2, len(words))
    assert as_json == (">json" in words[len(left):])
    if background:
        assert background[1] is None or background[1] >= MIN_DELAY_MS


@hard
@given(ANY)
def test_a_name_is_an_identifier_that_is_ascii(text):
    assert is_name(text) == (text.isidentifier() and text.isascii())


LONE_DOT = re.compile(r"(?<!\d)\.(?!\d)")          # see the test below


def corpus():
    chance = dice("words")
    for _ in range(times(REPLAYS)):
        kind, text = chance.choice(KINDS_OF_TEXT), typed(chance)
        if not LONE_DOT.search(text):
            yield kind, text


def test_micropython_makes_the_same_of_it():
    assert differences(list(corpus())) == []


def test_a_lone_dot_is_text_on_micropython():
    assert differences([("literal", text) for text in (".", "-.", "[., 1]")]) == []


@pytest.mark.parametrize("depth", (8, 9, 100, 100_000))
@pytest.mark.parametrize("brackets", ("[]", "()"))
def test_the_depth_of_brackets_is_bounded(depth, brackets):
    text = brackets[0] * depth + brackets[1] * depth
    assert (told(literal, text) is None) == (depth > 8)
