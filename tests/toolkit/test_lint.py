"""--lint: each seeded fault is named with its line, our own modules have none."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import lint
from toolkit.commands import main
from toolkit.errors import UsageError

ROOT = Path(__file__).parents[2]
SEEDED = sorted((ROOT / "tests" / "lint").glob("LM_*.py"))
OURS = ROOT / "micrOS" / "source" / "modules"
FINE = '"""A module."""\n{}\n\n\ndef help():\n    return ({},)\n'


def fault_of(path):
    """(line, rule) as the comment `# <- rule` says it."""
    return next((number, line.split("# <- ")[1].strip())
                for number, line in enumerate(path.read_text().splitlines(), 1) if "# <- " in line)


def test_ten_faults_and_more_are_seeded():
    assert len(SEEDED) >= 10
    assert {fault_of(path)[1] for path in SEEDED} == {"syntax", "pin", "import", "blocking", "help", "state"}


@pytest.mark.parametrize("path", SEEDED, ids=lambda path: path.stem)
def test_a_seeded_fault_is_the_one_finding_and_named_with_its_line(path):
    found = lint.check(path)
    assert [(each.line, each.rule) for each in found] == [fault_of(path)]
    assert str(found[0]).startswith(f"{path}:{found[0].line}: ") and "; expected " in str(found[0])


def test_our_own_modules_give_no_finding():
    paths = sorted(OURS.glob("LM_*.py"))
    assert len(paths) >= 38
    assert [str(found) for path in paths for found in lint.check(path)] == []


def checked(tmp_path, body, row='"f"', board=None):
    path = tmp_path / "LM_x.py"
    path.write_text(FINE.format(body, row))
    return [(each.line, each.what) for each in lint.check(path, board)]


FOUND = (      # code from line 2 on, row of help, the line and what is told there
    ("def f():\n    pass", '"_f"', 7, "help() names '_f', which is private"),
    ("from time import ticks_ms as f", '"f"', 6, "help() names 'f', which this module does not define"),
    ("def f(a):\n    pass", '"f b=<1-9>"', 7, "help() offers b= to f(), which does not take it"),
    ("import time\nasync def f(s):\n    time.sleep(s)", '"f"', 4,
     "sleep() holds up the whole node for a time that only the run tells"),
    ("import utime as t\ndef f():\n    t.sleep_ms(3 * 100)", '"f"', 4, "sleep_ms() holds up the whole node for 0.3 s"),
    ("async def f():\n    while 1:\n        pass", '"f"', 3,
     "a loop without end and without await: nothing else runs ever again"),
    ("import typing.io\ndef f():\n    pass", '"f"', 2, "no board has a module typing.io"),
    ("from pure.nosuch import a\ndef f():\n    pass", '"f"', 2, "no board has a module pure.nosuch"),
    ("try:\n    import numpy\nexcept ValueError:\n    pass\ndef f():\n    pass", '"f"', 3,
     "no board has a module numpy"),
    ("from Common import SmartADC\ndef f():\n    SmartADC.get_singleton('nose')", '"f"', 4, "no board has a pin nose"),
    ("import LogicalPins\ndef f():\n    LogicalPins.physical_pin('nose')", '"f"', 4, "no board has a pin nose"),
    ("from LogicalPins import physical_pins as p\nP = ('redgb', 'nose')\ndef f():\n    p(P)", '"f"', 3,
     "no board has a pin nose"),
    ("def f():\n    open('f.pds', mode='a').close()", '"f"', 3,
     "f.pds is written in place: a power cut leaves half of it"),
)


@pytest.mark.parametrize("body, row, line, what", FOUND)
def test_it_is_found(tmp_path, body, row, line, what):
    assert checked(tmp_path, body, row) == [(line, what)]


FINE_BODIES = (
    "import asyncio\nasync def f():\n    while True:\n        await asyncio.sleep_ms(500)",
    "import time\ndef f():\n    time.sleep_ms(10)",
    "import time\ndef f(n):\n    time.sleep(n)",                # only the run tells
    "def f(pin):\n    while True:\n        if pin.value():\n            break",
    "def f():\n    while True:\n        yield 5",
    "try:\n    import numpy\nexcept ImportError:\n    numpy = None\ndef f():\n    pass",
    "import ujson, umqtt.simple, esp32, rp2, dotstar\ndef f():\n    pass",
    "from LM_x import help as g\ndef f():\n    pass",            # a file beside it
    "from machine import Pin\ndef f():\n    from LogicalPins import physical_pin\n    return physical_pin(4)",
    "def f():\n    return open('f.pds').read()",
    "def outputs(x):\n    pass\ndef f():\n    outputs('nose')",
    "def input(x):\n    return x\ndef f():\n    return input(1)",
    "import threading    # lint: ok\ndef f():\n    pass",
    "class A:\n    def g(self):\n        return help\nf = A().g",
)


@pytest.mark.parametrize("body", FINE_BODIES)
def test_what_is_fine_or_not_certain_is_left_alone(tmp_path, body):
    assert checked(tmp_path, body) == []


def test_a_board_may_lack_what_another_has(tmp_path):
    body = "from LogicalPins import physical_pin\nimport esp32\ndef f():\n    return physical_pin('redgb')"
    assert checked(tmp_path, body, board="esp32") == []
    assert checked(tmp_path, body, board="rp2") == [(3, "rp2 has no module esp32"), (5, "rp2 has no pin redgb")]


def test_what_is_no_load_module_is_wrong_use(tmp_path):
    (tmp_path / "LM_raw.py").write_bytes(b"\xff\xfe")
    assert [each.rule for each in lint.check(tmp_path / "LM_raw.py")] == ["syntax"]
    for path, board in ((tmp_path / "main.py", None), (tmp_path / "LM_none.py", None), (SEEDED[0], "pc")):
        with pytest.raises(UsageError):
            lint.check(path, board)


def test_the_command_prints_findings_and_counts_them(capsys):
    assert main(["--lint", str(SEEDED[0]), str(OURS / "LM_rgb.py")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{SEEDED[0]}:{fault_of(SEEDED[0])[0]}: ") and lines[1] == "2 modules, 1 finding"
    assert main(["-lint", str(OURS / "LM_rgb.py"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_json_has_a_row_for_each_finding(capsys):
    assert main(["--lint", str(ROOT / "tests" / "lint"), "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["path"], row["line"], row["rule"]) for row in rows] == [
        (str(path), *fault_of(path)) for path in SEEDED]


def test_a_folder_without_modules_is_wrong_use(tmp_path, capsys):
    assert main(["--lint", str(tmp_path)]) == 2
    assert "holds no load module" in capsys.readouterr().err


@pytest.mark.slow
def test_it_runs_from_the_command_line():
    done = subprocess.run([sys.executable, "devToolKit.py", "--lint", "tests/lint/LM_torn.py"],
                          cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and done.stdout.startswith("tests/lint/LM_torn.py:5: torn.pds is written in place")
