"""The shell's grammar, row by row; runs on CPython and on MicroPython."""
from micrOS.source.pure.suffixes import suffixes
from micrOS.source.pure.values import pipe
from micrOS.source.pure.words import WordError, arguments, is_name, literal, split
from tests.vectors.calls_1207 import CALLS

WORDS = (
    ("", []),
    ("  hello  ", ["hello"]),
    ("rgb color r=5", ["rgb", "color", "r=5"]),
    ('oled text "a b"', ["oled", "text", '"a b"']),
    ("x f key='a  b' 1", ["x", "f", "key='a  b'", "1"]),
    ("x f [1, 2] (3, 4)", ["x", "f", "[1, 2]", "(3, 4)"]),
    ('x f {"a": [1, 2]}', ["x", "f", '{"a": [1, 2]}']),
    ("say it's fine", ["say", "it's", "fine"]),
    (r"x f 'it\'s'", ["x", "f", r"'it\'s'"]),
    ("x f __import__('os')", ["x", "f", "__import__('os')"]),
)

VALUES = (
    ("", ""),
    ("5", 5),
    ("-3", -3),
    ("+4", 4),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    ("0x1f", 31),
    ("0xzz", "0xzz"),
    ("1_000", "1_000"),
    ("10.0.1.2", "10.0.1.2"),
    ("2023-07-22", "2023-07-22"),
    ("nan", "nan"),
    (".", "."),
    ("-", "-"),
    ("-inf", "-inf"),
    (".5", 0.5),
    ("0x-5", "0x-5"),
    ("0x0x1f", "0x0x1f"),
    ("True", True),
    ("False", False),
    ("None", None),
    ("true", "true"),
    ("word", "word"),
    ("it's", "it's"),
    ('"5"', "5"),
    ("'a b'", "a b"),
    (r"'it\'s'", "it's"),
    (r'"a\nb"', "a\nb"),
    (r'"\d"', "\\d"),
    (r'"caf\u00e9 \/"', "café /"),
    ("[\n1,\r\n2]", [1, 2]),
    ("[]", []),
    ("[1, 'a', None]", [1, "a", None]),
    ("[1, 2, ]", [1, 2]),
    ("[red, green]", ["red", "green"]),
    ("()", ()),
    ("(1,)", (1,)),
    ("(1)", 1),
    ("((1, 2), [3])", ((1, 2), [3])),
    ("{}", {}),
    ('{"a": 1, "b": {"c": [true, false, null]}}', {"a": 1, "b": {"c": [True, False, None]}}),
    ("{1: 2}", {1: 2}),
)

REFUSED = (
    "'open",
    "[1, 2",
    "[1}",
    "[,]",
    "[1,,2]",
    "[1 2]",
    "[1:2]",
    "{1: 2, 3}",
    "{1, 2: 3: 4}",
    "{[1]: 2}",
    "[1]x",
    '"a"b',
    r'"\u00g0"',
    "[" * 9 + "]" * 9,
)

SUFFIXES = (
    ("system heartbeat", ["system", "heartbeat"], False, None),
    ("system rssi >json", ["system", "rssi"], True, None),
    ("system heartbeat &", ["system", "heartbeat"], False, (False, None)),
    ("system heartbeat &&", ["system", "heartbeat"], False, (True, None)),
    ("system heartbeat &&500", ["system", "heartbeat"], False, (True, 500)),
    ("system heartbeat &1000", ["system", "heartbeat"], False, (False, 1000)),
    ("system heartbeat &&5", ["system", "heartbeat"], False, (True, 20)),
    ("system heartbeat &&&", ["system", "heartbeat"], False, (False, None)),
    ("system heartbeat &x", ["system", "heartbeat"], False, (False, None)),
    ("system rssi >json &&500", ["system", "rssi"], True, (True, 500)),
    ("system rssi &&500 >json", ["system", "rssi"], True, (True, 500)),
    ("telegram send a&b", ["telegram", "send", "a&b"], False, None),
    ("telegram send '&' x", ["telegram", "send", "'&'", "x"], False, None),
    ("system &", ["system", "&"], False, None),
)

PIPES = (
    ("", []),
    ("rgb load_n_init", ["rgb load_n_init"]),
    ("rgb load_n_init; system heartbeat &&500;", ["rgb load_n_init", "system heartbeat &&500"]),
    ("a b; ;c d", ["a b", "c d"]),
    ("#rgb toggle; demo hello", ["demo hello"]),
    ("oled text 'a;b'; demo hello", ["oled text 'a;b'", "demo hello"]),
    ("oled text\t'a;b'; demo hello", ["oled text\t'a;b'", "demo hello"]),
)


def refuses(function, *args):
    try:
        function(*args)
    except WordError:
        return True
    return False


def test_a_line_is_cut_at_blanks_outside_quotes_and_brackets():
    for line, words in WORDS:
        assert split(line) == words, line


def test_a_word_becomes_a_value_without_eval():
    for word, value in VALUES:
        got = literal(word)
        assert got == value and type(got) is type(value), (word, got)


def test_what_the_grammar_does_not_know_is_refused():
    for word in REFUSED:
        assert refuses(literal, word), word


def test_an_open_quote_or_bracket_is_refused_with_the_place():
    for line in ('x f "open', "x f [1, 2", "x f key='open"):
        assert refuses(split, line), line


def test_suffixes_come_off_the_end_in_either_order():
    for line, words, as_json, background in SUFFIXES:
        assert suffixes(split(line)) == (words, as_json, background), line


def test_a_pipe_is_cut_at_semicolons_outside_quotes():
    for text, lines in PIPES:
        assert pipe(text) == lines, text


def test_every_recorded_call_of_1207_parses_to_what_python_made_of_it():
    for line, args, kwargs in CALLS:
        assert arguments(split(line)[2:]) == (args, kwargs), line


def test_a_value_after_a_named_one_is_refused():
    assert refuses(arguments, ["r=1", "5"])


def test_an_equals_sign_behind_what_is_no_name_is_text():
    assert arguments(["=", "1=2", "a-b=c"]) == (["=", "1=2", "a-b=c"], {})


def test_names_are_ascii():
    assert is_name("load_n_init") and is_name("_x1") and is_name("VL53L0X")
    for text in ("", "1x", "a-b", "a.b", "é", "a b"):
        assert not is_name(text), text
