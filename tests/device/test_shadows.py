"""Files of load modules that another of the same name hides: `modules` and `system alarms` name both."""
import json

import pytest

from tests.compat.guests import compiled
from tests.device.wire import ROOT

SAYS = "def who():\n    return '{}'\n"


def files(folder, *names):
    """{path: content} of modules that tell their own path, bytecode of those that end in .mpy."""
    made = {}
    for name in names:
        source = folder / (name.rpartition("/")[2].partition(".")[0] + ".py")
        source.write_text(SAYS.format(name))
        made[name] = compiled(source) if name.endswith(".mpy") else source.read_bytes()
    return made


@pytest.mark.parametrize(("names", "hidden"), [
    (("LM_twin.py", "modules/LM_twin.py"), ["/modules/LM_twin.py is hidden by /LM_twin.py"]),
    (("LM_twin.mpy", "modules/LM_twin.py"), ["/modules/LM_twin.py is hidden by /LM_twin.mpy"]),
    (("LM_twin.py", "LM_twin.mpy"), ["/LM_twin.mpy is hidden by /LM_twin.py"]),
    (("modules/LM_twin.py", "modules/LM_twin.mpy"), ["/modules/LM_twin.mpy is hidden by /modules/LM_twin.py"]),
    (("LM_twin.py", "LM_twin.mpy", "modules/LM_twin.mpy"),
     ["/LM_twin.mpy is hidden by /LM_twin.py", "/modules/LM_twin.mpy is hidden by /LM_twin.py"]),
    (("LM_alone.py", "modules/LM_other.mpy"), []),
], ids=lambda value: " ".join(value))
def test_the_hidden_twin_is_named_and_the_other_one_answers(make_board, tmp_path, names, hidden):
    board = make_board(files=files(tmp_path, *names))
    module = names[0].rpartition("_")[2].partition(".")[0]
    assert board.shell(f"{module} who") == names[0]
    assert board.shell("modules").split("\n") == [f"['{module}']", *hidden]
    *lines, _, verdict = board.shell("system alarms").split("\n")
    assert lines == [" " + line for line in hidden]
    assert verdict == " OK alarm: 0"          # somebody may want it so


def test_a_module_of_ours_that_a_guest_hides_is_named(make_board):
    board = make_board(files={"LM_rgb.py": SAYS.format("guest")})
    assert board.shell("rgb who") == "guest"
    assert "\n/modules/LM_rgb.py is hidden by /LM_rgb.py" in board.shell("modules")
    assert json.loads(board.shell("modules >json")) == ["rgb"]          # stays a list for programs
    (board.dir / "LM_rgb.py").unlink()
    assert board.shell("modules") == "['rgb']" and "hidden" not in board.shell("system alarms")


def test_nothing_of_ours_hides_anything(make_board):
    board = make_board(mpy=True)
    assert len(list((board.dir / "modules").iterdir())) == len(list((ROOT / "micrOS/source/modules").glob("LM_*.py")))
    assert board.shell("modules") == "[]"


def test_what_finds_them_is_in_memory_only_meanwhile(make_board):
    board = make_board(files={"modules/LM_memory.py": "import sys\ndef has(name):\n    return name in sys.modules\n"})
    assert board.shell("modules", "system alarms", "memory has Strays", "memory has Catalogue").endswith("False\nFalse")
