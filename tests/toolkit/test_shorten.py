"""Private names of compiled files are short, and mean the same as before."""
from toolkit.compile import shipped_source, source_files
from toolkit.shorten import shortened

LAMP = """class Lamp:
    def __init__(self, _pin):
        self._pin = _pin          # stays in _pin
        self.name = "lamp"

    def _turn(self, level):
        self._pin(level)


def _make():
    return Lamp(None)._turn
"""
SHORT_LAMP = """class Lamp:
    def __init__(self, _0):
        self._0 = _0          # stays in _pin
        self.name = "lamp"

    def _1(self, level):
        self._0(level)


def _2():
    return Lamp(None)._1
"""


def test_private_names_become_numbers_and_nothing_else_changes():
    assert shortened({"lamp.py": LAMP}) == {"lamp.py": SHORT_LAMP}


def test_every_file_begins_with_the_same_number():
    other = "_seen = []\n\n\ndef see(it):\n    _seen.append(it)\n"
    assert shortened({"lamp.py": LAMP, "other.py": other})["other.py"] == other.replace("_seen", "_0")


def test_a_name_that_another_file_takes_stays():
    for user in ("from lamp import _make\n", "import lamp\nlamp._make()\n", "def use(lamp):\n    lamp._make()\n",
                 "use(_make=1)\n"):
        both = shortened({"lamp.py": LAMP, "user.py": user})
        assert "def _make()" in both["lamp.py"], user
        assert both["user.py"] == user


def test_who_is_meant_is_a_file_that_is_imported_or_a_neighbour_else_anybody():
    owner = "def _read():\n    pass\n"
    files = {"meter/line.py": owner, "Saved.py": owner, "meter/user.py": "def use(line):\n    line._read()\n"}
    short = shortened(files)
    assert ("_read" in short["meter/line.py"], "_read" in short["Saved.py"]) == (True, False)
    alone = shortened({"Saved.py": owner, "meter/user.py": files["meter/user.py"]})
    assert "_read" in alone["Saved.py"]


def test_what_an_imported_object_has_is_not_ours_even_when_we_have_one_of_that_name():
    source = "from asyncio import core\n\n\ndef _enqueue():\n    pass\n\n\ncore.IOQueue._enqueue = _enqueue\n"
    assert shortened({"turn.py": source}) == {"turn.py": source}


def test_a_name_that_is_spelled_in_a_text_stays():
    source = "def _first():\n    pass\n\n\nname = '_first'\n"
    assert shortened({"a.py": source}) == {"a.py": source}


def test_names_of_a_class_do_not_meet_those_of_its_base_in_another_file():
    source = "from lamp import Lamp\n\n\nclass Big(Lamp):\n    _size = 2\n"
    assert shortened({"lamp.py": LAMP, "big.py": source})["big.py"] == source


def test_a_base_calls_what_a_class_of_another_file_puts_in_its_place():
    middle = "import lamp\n\n\nclass Middle(lamp.Lamp):\n    pass\n"
    own = "def _turn():\n    pass\n"
    for named in ("def _turn(self, at):\n        pass", "_turn = print", "def __init__(self):\n        self._turn = 1"):
        above = f"from middle import Middle\n\n\nclass Above(Middle):\n    {named}\n"
        short = shortened({"lamp.py": LAMP, "far/middle.py": middle, "above.py": above, "off/other.py": own})
        assert "def _turn(self, level):" in short["lamp.py"] and short["above.py"] == above, named
        assert short["off/other.py"] == own.replace("_turn", "_0")          # not of its kin


def test_an_attribute_that_a_class_sets_for_its_base_in_another_file_keeps_its_name():
    base = "class Input:\n    def failure(self):\n        self._alarm = self._alarm or 1\n"
    chip = "from inputs import Input\n\n\nclass Part(Input):\n    def __init__(self):\n        self._alarm = None\n"
    assert shortened({"inputs.py": base, "part.py": chip}) == {"inputs.py": base, "part.py": chip}


def test_names_of_modules_and_of_the_language_stay():
    source = "import _thread\n\n\ndef __getattr__(name):\n    return _thread\n\n\n_ = __getattr__\n"
    assert shortened({"a.py": source}) == {"a.py": source}


def test_the_shipped_set_keeps_its_lines_and_shares_few_names():
    sources = {path: file.read_text() for path, file in source_files(shipped_source()).items()}
    short = shortened(sources)
    assert {path: text.count("\n") for path, text in short.items()} == {
        path: text.count("\n") for path, text in sources.items()}
    assert sum(len(text) for text in short.values()) < sum(len(text) for text in sources.values())
