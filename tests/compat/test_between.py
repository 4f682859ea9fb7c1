"""What modules of 1.20 take from each other is there in ours, under its name."""
import pytest

from tests.device.wire import ROOT

OFFERS = (
    ("co2", "measure_mq135"),
    ("genIO", "get_adc"),
    ("intercon", "sendcmd dump"),
    ("neopixel", "load_n_init pinmap segment status"),
    ("oled", "text show clean line rect pinmap"),
    ("oled_sh1106", "text show clean line rect pixel pinmap"),
    ("presence", "_subscribe"),
    ("rgb", "brightness"),
    ("servo", "sduty deinit pinmap"),
    ("stepper", "step"),
    ("switch", "set_state pinmap"),
    ("system", "memory_usage"),
)


# names that upstream had there by the way, and that its neighbours use
DOORS = (("neopixel", "Data"), ("intercon", "send_cmd"))


@pytest.mark.parametrize(("module", "names"), OFFERS, ids=[row[0] for row in OFFERS])
def test_a_module_of_ours_offers(node, module, names):
    if not (ROOT / f"micrOS/source/modules/LM_{module}.py").exists():
        pytest.skip(f"LM_{module} is not built yet")
    assert node().shell(f"asker has {module} {names}") == "[]"


@pytest.mark.parametrize(("module", "name"), DOORS)
def test_a_module_of_ours_has_the_door(node, module, name):
    if "__getattr__" not in (ROOT / f"micrOS/source/modules/LM_{module}.py").read_text():
        pytest.skip(f"LM_{module} has no __getattr__ yet")
    assert node().shell(f"asker has {module} {name} nosuch") == "['nosuch']"


def test_effects_of_others_paint_our_strip(node):
    if "__getattr__" not in (ROOT / "micrOS/source/modules/LM_neopixel.py").read_text():
        pytest.skip("LM_neopixel has no __getattr__ yet")
    board = node()
    board.shell("neopixel load_n_init ledcnt=3", "neopixel color 10 20 30 smooth=False")
    assert board.shell("confetti throw") == "[10, 20, 30, 1]"
    assert board.pixels("neop")[1] == (1, 2, 3)


def test_the_doors_are_not_in_memory_until_somebody_goes_through_one(node):
    board = node()
    board.shell("help lm", "task list", "task show idle", "system alarms", "system ifconfig", "conf", "dump", "noconf")
    assert board.shell("asker in_memory Compat") == "False"
    assert board.shell("ticker start 1", "asker in_memory Compat") == "Starting\nTrue"
