"""Damaged settings: every value is its key's type and obeys its rule, and the node always boots."""
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.effort import dice, hard, times
from tests.micropython import command

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "micrOS" / "source"
FILES = 200                          # damaged files that MicroPython loads, in the suite
BOOTS = 60                           # of the board with a damaged file, in the suite


def import_settings():
    """micrOS/source/Settings.py on CPython; nothing of it stays importable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SOURCE))
        patch.setitem(sys.modules, "micropython", SimpleNamespace(const=lambda value: value))
        for name in ("Settings", "Files"):
            patch.delitem(sys.modules, name, raising=False)
        try:
            return importlib.import_module("Settings")
        finally:
            for name in ("Settings", "Files"):
                sys.modules.pop(name, None)


Settings = import_settings()
KEYS = [key for key, _, _ in Settings.SETTINGS]
DEFAULTS = {key: default for key, default, _ in Settings.SETTINGS}

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
NUMBERS = st.integers(-1 << 70, 1 << 70) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.none() | st.booleans() | NUMBERS | TEXT | st.sampled_from(("...", "n/a", "true", "STA", "60",
                    "")),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
                    max_leaves=6)


def obeys(key, value):
    """True when value is the key's type and its rule is content."""
    default, rule = Settings.row(key)[1:]
    free = not rule or value in (default, Settings.OFFLOADED)
    return type(value) is type(default) and (free or Settings._refusal(rule, value) is None)


# -- one value, one file: on CPython
@hard
@given(st.sampled_from(KEYS), JSON)
@example("soctout", 1.9)
@example("auth", "TRUE")
def test_any_json_for_any_key_is_refused_or_obeys_its_rule(key, value):
    sound, expected = Settings.checked(key, value, DEFAULTS[key])
    assert (sound is None) == bool(expected)
    assert expected or obeys(key, sound)


@hard
@given(st.sampled_from(KEYS), TEXT | NUMBERS.map(str))
def test_what_a_person_types_is_refused_or_obeys_its_rule(key, text):
    sound, expected = Settings.checked(key, text, DEFAULTS[key])
    assert expected or obeys(key, sound)


@hard
@given(st.dictionaries(st.sampled_from(KEYS) | TEXT, JSON, max_size=8))
def test_any_object_gives_sound_settings(data):
    values, repairs = loaded(json.dumps(data))
    assert all(obeys(key, values[key]) for key in KEYS)
    assert len(repairs) <= len(data)
    assert all(values.get(key) == item for key, item in data.items() if key not in DEFAULTS)


@hard
@given(TEXT | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")) | JSON.map(json.dumps))
def test_any_text_gives_sound_settings(text):
    values, _ = loaded(text)
    assert all(obeys(key, values[key]) for key in KEYS)


def loaded(text):
    """(values, repairs) of a node whose file holds text."""
    repairs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "read", {Settings.FILE: text}.get)
        patch.setattr(Settings, "exists", lambda path: path == Settings.FILE)
        return Settings.load(repairs), repairs


NAMES = st.from_regex("[a-z_]{1,10}", fullmatch=True)


@hard
@given(st.dictionaries(st.sampled_from(KEYS) | NAMES, JSON, max_size=8))
def test_settings_that_are_saved_read_back(data):
    values, _ = loaded(json.dumps(data))
    assert json.loads("".join(Settings._json(values))) == values


@pytest.mark.parametrize("name", ('a"b', "a\\", "a\n"))
def test_a_stranger_with_any_name_is_saved_so_that_it_reads_back(name):
    values, _ = loaded(json.dumps({name: 1}))
    assert json.loads("".join(Settings._json(values))) == values


BEYOND_AN_INT = "an infinite number (1e999) for a whole one: int() raises OverflowError, which _as() does not catch"


def test_an_infinite_number_is_refused():
    assert Settings.checked("soctout", float("inf"), 100) == (None, "a whole number")


# -- the same on MicroPython, from real files
def damaged(good, chance):
    """A file as a power cut, a bad sector or a careless editor leaves it; always UTF-8."""
    text = json.dumps(good)
    kind = chance.randrange(5)
    if kind == 0:
        return text[:chance.randrange(0, len(text), 20)]
    if kind == 1:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice('{}[]",:\\ \0x1\n') + text[at + 1:]
    if kind == 2:
        return json.dumps({**good, **{key: random_json(chance) for key in chance.sample(WRONG, 5)}})
    if kind == 3:
        return json.dumps({**good, "stranger": random_json(chance), "another": random_json(chance)})
    return "".join(chance.choice('{}[]",:\\ truefalsn0123456789.e-\0é') for _ in range(chance.randrange(200)))


def random_json(chance):
    return chance.choice((None, True, False, 0, -1, 7, 1 << 40, 1 << 80, 0.5, -1e300, "", "x", "...", "n/a", "true",
    "é" * 50,
                          [], [1, [2, {}]], {}, {"a": None}, {"n": {"m": "x" * 300}}))


VITAL = ("auth", "appwd", "devfid", "hwuid", "nwmd", "socmax", "socport",
         "version")      # a node without them is mute
WRONG = [key for key in KEYS if key not in VITAL]


def test_micropython_gives_sound_settings_for_damaged_files(tmp_path):
    chance = dice("config")
    files = [damaged({**DEFAULTS, "devfid": "whole"}, chance).encode() for _ in range(times(FILES))]
    for values, _ in on_micropython(tmp_path, files):
        assert all(obeys(key, values[key]) for key in KEYS)


def on_micropython(folder, files):
    """(values, repairs) that Settings.load gives for each of the files (bytes)."""
    for at, content in enumerate(files):
        (folder / str(at)).mkdir()
        (folder / str(at) / Settings.FILE).write_bytes(content)
    words = [*command(), "-X", "heapsize=4M", str(HERE / "load_settings.py"), str(SOURCE), str(folder)]
    done = subprocess.run(words, capture_output=True, timeout=50, cwd=HERE.parents[1])
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(files), done.stderr
    assert [(content, result) for content, result in zip(files, results, strict=True) if result[0] == "broken"] == []
    return [result[1:] for result in results]


def test_micropython_refuses_an_infinite_number(tmp_path):
    on_micropython(tmp_path, [b'{"soctout": 1e999}'])


def test_micropython_takes_a_file_that_is_not_utf8_for_broken(tmp_path):
    on_micropython(tmp_path, [b'{"devfid": "lam\xff"}'])


# -- a board that boots with it
@pytest.fixture(scope="module")
def good(board):
    """What the board's own node has written down: version and hardware id are right, so a boot writes nothing."""
    return json.loads((board.dir / Settings.FILE).read_text())


def boot(board, content, copy):
    """Answer to hello after a power cycle with these two files (bytes)."""
    (board.dir / Settings.FILE).write_bytes(content)
    (board.dir / "node_config.bak").write_bytes(copy)
    board.power_cycle()
    board.wait_ready(10)
    return board.shell("hello")


@pytest.mark.slow
def test_a_node_boots_with_a_file_cut_anywhere(board, good):
    whole, copy = (json.dumps({**good, "devfid": name}).encode() for name in ("whole", "copy"))
    for end in range(0, len(whole), 20):
        assert boot(board, whole[:end], copy) == f"hello:copy:{good['hwuid']}", whole[:end]
    assert boot(board, whole, copy[:100]) == f"hello:whole:{good['hwuid']}"


@pytest.mark.slow
def test_a_node_boots_with_any_damaged_file_and_is_one_of_the_two(board, good):
    chance, copy = dice("boots"), json.dumps({**good, "devfid": "copy"}).encode()
    for _ in range(times(BOOTS)):
        text = damaged({**good, "devfid": "whole"}, chance)
        if not moves_the_door(text, good):
            answer = boot(board, text.encode(), copy)
            assert answer.split(":")[0] == "hello" and answer.split(":")[1] in names(text), text


def moves_the_door(text, good):
    """True when the damage is a sound file that hides the shell from the test, which is its right."""
    return any(f'"{key}": {json.dumps(good[key])}' not in text for key in ("auth", "nwmd",
    "socport")) and len(text) > 500


def names(text):
    """Device names the node may have with this file."""
    found = {"copy", "node01", "whole"}
    try:
        data = json.loads(text)
    except ValueError:
        return found
    return found | {data["devfid"]} if isinstance(data, dict) and "devfid" in data else found


@pytest.mark.slow
def test_a_node_with_two_broken_files_boots_with_the_defaults(board, good):
    assert boot(board, b"{", b"[").split(":")[:2] == ["hello", "node01"]
