"""Every name that modules of micrOS 1.20 import, used as they use it: from the root, from /modules, as .py, as .mpy."""
import ast
import json
import re

import pytest

from tests.compat.guests import MODULES, WAYS, guests
from tests.device.conftest import QUIET
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

# what modules of 1.20 import from the core, shared/spec/load_modules.json, core_api_required; and micros_core.md, 9.1
SYMBOLS = """
Common.SmartADC Common.data_logger Common.micro_task Common.notify Common.socket_stream Common.transition
Common.transition_gen ConfigHandler.cfgget ConfigHandler.cfgput Debug.console_write Debug.errlog_add Debug.errlog_clean
Debug.errlog_get Debug.logger InterConnect.dump_cache InterConnect.send_cmd LogicalPins.detect_platform
LogicalPins.get_pinmap LogicalPins.physical_pin LogicalPins.pinmap_dump Network.get_mac Network.ifconfig
Network.sta_high_avail Notify.Telegram TaskManager.Manager TaskManager.exec_lm_core Time.Sun Time.ntp_time
Time.set_time Time.suntime Time.uptime urequests.get urequests.post
"""
DAY = r"\d+\.\d+\.\d+-\d+:\d+:\d+"

# (symbol, lines typed, what the last one answers: a text, or a compiled pattern)
CASES = (
    ("Common.transition", ["dusk steps 0 10 100 0.5"], "[0, 2, 4, 6, 8, 10]"),
    ("Common.transition without time", ["dusk steps 7 3 10 0"], "[3]"),
    ("Common.transition_gen one pair", ["dusk one 0 3 0.015"], "(0, [1, 2, 3], 5)"),
    ("Common.transition_gen no way to go", ["dusk one 5 5 0"], "(5, [], 5)"),
    ("Common.data_logger", ["diary write 21.5", "diary write 22", "diary read"],
     re.compile(f"{DAY} 21.5\n{DAY} 22\nTrue")),
    ("Common.data_logger limit", [*[f"diary write {number} limit=2" for number in (1, 2, 3)], "diary read"],
     re.compile(f"{DAY} 2\n{DAY} 3\nTrue")),
    ("Common.data_logger without msgobj", ["diary write 9 limit=1", "diary read_plain"], re.compile(f"{DAY} 9")),
    ("Common.socket_stream", ["parrot repeat hey"], "hey\nhey\ndone"),
    ("Common.SmartADC", ["gauge by_name"], re.compile(r" (raw|percent|volt): .*\n.*\n.*")),
    ("Common.SmartADC.get_singleton", ["gauge same 36"], "True"),
    ("Common.notify", ["herald tell hello"], "False"),
    ("Notify.Telegram", ["herald bot"], "[None, None, None, None]"),
    ("ConfigHandler.cfgget", ["census settings"], "('node01', True, None, True)"),
    ("ConfigHandler.cfgput", ["census rename node01"], "(True, 'node01')"),
    ("ConfigHandler.cfgput refused", ["census refused"], "False"),
    ("Debug.console_write errlog_add", ["gossip note leak"], "True"),
    ("Debug.errlog_get", ["gossip forget", "gossip note 'the roof leaks'", "gossip recall"],
     re.compile(rf"1 alarms; {DAY} \[ERR\] the roof leaks")),
    ("Debug.errlog_get without msgobj", ["gossip forget", "gossip note 'the roof leaks'", "gossip number"], "1"),
    ("Debug.errlog_clean", ["gossip note x", "gossip forget"], "[' Delete: err.log']"),
    ("Debug.errlog_clean nothing there", ["gossip forget", "gossip forget"], "[]"),
    ("Debug.logger", ["gossip keep tea"], "True"),
    ("InterConnect.dump_cache", ["courier known"], "True"),
    ("LogicalPins.physical_pin", ["wiring book 16"], "16"),
    ("LogicalPins.physical_pin by name", ["wiring book dhtpin"], "32"),
    ("LogicalPins.physical_pin busy", ["wiring book irq3", "wiring book 5"],
     "exec_lm_core LM_wiring->book: [io] Pin 5 is busy: irq3:5"),
    ("LogicalPins.pinmap_dump", ["wiring dump buzzer nosuch >json"],
     re.compile(r'\{("buzzer": 33|"nosuch": null), ("buzzer": 33|"nosuch": null)\}')),
    ("LogicalPins.pinmap_dump one name", ["wiring dump_one buzzer"], " buzzer: 33"),
    ("LogicalPins.get_pinmap detect_platform", ["wiring tables"], "(['booked', 'custom', 'map'], True)"),
    ("Network.*", ["census network"], "('STA', 4, 5, 'STA mode, OK')"),
    ("Time.uptime", ["census up"], re.compile(r"\d+ \d+:\d+:\d+")),
    ("Time.set_time", ["census clock"], "ok"),
    ("Time.suntime Sun.TIME unknown place", ["census sun"], "(True, ['sunrise', 'sunset'], (), ())"),
    ("TaskManager.exec_lm_core", ["puppeteer call system heartbeat"], "True <3 heartbeat <3"),
    ("TaskManager.exec_lm_core arguments", ["puppeteer call parrot repeat 7 'times=1'"], "True 7 / done"),
    ("TaskManager.exec_lm_core json", ["puppeteer call lantern pinmap '>json'"], re.compile(r'True \{"dim_1": \d+\}')),
    ("TaskManager.exec_lm_core fails", ["puppeteer call nosuch f"],
     "False exec_lm_core LM_nosuch->f: no module LM_nosuch; help lm lists them"),
    ("TaskManager.exec_lm_core one word", ["puppeteer call hello"],
     re.compile(r"False SHELL: type help .*\nSHELL: .*")),
    ("TaskManager.Manager.show", ["puppeteer show idle"], "i.d.l.e: 500ms"),
    ("TaskManager.Manager.show unknown", ["puppeteer show nosuch.x"], "No task found: nosuch.x"),
    ("TaskManager.Manager.kill", ["ticker start 10000 5", "puppeteer kill ticker._count"],
     "(True, 'Kill: ticker._count|True')"),
    ("TaskManager.Manager.kill system", ["puppeteer kill server"], "(False, 'Kill: server|protected')"),
    ("TaskManager.Manager.kill unknown", ["puppeteer kill nosuch.x"], "(False, 'No task found: nosuch.x')"),
    ("TaskManager.Task", ["puppeteer names"], "[True, True, True, False]"),
    ("six functions: load_n_init", ["lantern load_n_init cache=True"], "CACHE: True"),
    ("six functions: lmdep", ["duet lmdep"], "('lantern', 'ticker', 'wiring')"),
    ("six functions: help", ["wiring help"], " book key,\n dump keys,\n dump_one key,\n tables,"),
    ("six functions: pinmap", ["lantern pinmap"], re.compile(r" dim_1: \d+")),
    ("a module calls a module", ["duet bright >json"], re.compile(r'\{("X": 900|"S": 1), ("X": 900|"S": 1)\}')),
    ("a module imports from modules", ["duet loaded"], "([True, True, True], 2)"),
)


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: f"/{way[0]}*.{way[1]}")
def board(request):
    """One board for all; so the guests take pins that no two of them want."""
    with VirtualBoard(config={**QUIET, "socmax": 8}, files=guests(*request.param)) as running:
        yield running


@pytest.mark.parametrize(("lines", "answer"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_symbol_does_what_the_catalogue_says(board, lines, answer):
    with board.session() as session:
        told = [session.send(line) for line in lines][-1]
    if isinstance(answer, str):
        assert told == answer
    else:
        assert answer.fullmatch(told), told


def test_an_analogue_input_tells_raw_percent_and_volt(board):
    board.adc["ph"] = 32768
    told = json.loads(board.shell("gauge by_name >json"))
    assert told == {"raw": 32768, "percent": 50.0, "volt": 1.23}         # of 2.45 V
    assert json.loads(board.shell("gauge by_number 36 >json")).keys() == told.keys()


def test_a_task_says_how_far_it_is_and_that_it_is_done(board):
    board.shell("puppeteer kill ticker._count")
    assert board.shell("ticker start 100000 1", "ticker start") == "Starting\nAlready running"
    told = eventually(lambda: board.shell("ticker state"), lambda text: " of 100000" in text)
    assert told.startswith("at work False")
    assert " of 100000" in board.shell("task show ticker._count")
    assert board.shell("task kill ticker._count") == "Kill: ticker._count|True"
    assert board.shell("ticker state").startswith("done True")
    assert board.shell("ticker start 2", "ticker join") == "Starting\ncounted 2"
    assert board.shell("ticker number", "task show ticker._count") == "None\n5"


def test_a_task_has_no_other_names_and_no_work_is_no_task(board):
    assert board.shell("ticker start 1", "ticker unknown", "ticker wrong") == "Starting\nFalse\nFalse"


def test_a_fade_moves_the_lamps_and_ends_at_its_target(board):
    assert board.shell("dusk fade 100 40 0.05") == "True"
    told = eventually(lambda: board.shell("task show dusk.fade"), lambda text: text.startswith("Faded"))
    assert told == "Faded: [100, 40]"
    assert (board.pwm["redgb"].duty, board.pwm["rgbue"].duty) == (100, 40)


def test_a_lamp_keeps_its_state_in_a_file_of_the_root(board):
    board.shell("lantern shine 300")
    assert (board.dir / "lantern.pds").read_text() == "300,1"
    assert board.pwm["dim_1"].duty == 300
    (board.dir / "lantern.pds").write_text("444,1")
    assert board.shell("lantern load_n_init") == "CACHE: True"
    assert json.loads(board.shell("lantern status >json")) == {"X": 444, "S": 1}


def test_an_interrupt_reaches_the_module_and_what_it_scheduled(board):
    board.pins[4] = 1
    board.shell("doorbell load_n_init")
    before = pair(board.shell("doorbell rings"))
    for _ in range(3):
        board.pins[4] = 0
        board.pins[4] = 1
    rings = eventually(lambda: pair(board.shell("doorbell rings")), lambda now: now[1] == before[1] + 3)
    assert rings[0] == rings[1]


def test_an_async_function_that_another_module_calls_tells_when_it_is_through(board):
    assert board.shell("puppeteer later parrot slowly soon") == "True"
    assert eventually(lambda: board.shell("puppeteer heard"), lambda text: text != "nothing yet") == "done slowly"


def test_another_node_is_asked_in_the_background(board):
    told = board.shell(f"courier send {board.address}:{board.shell_port} 'system heartbeat' >json")
    assert '"verdict": "Task started: task show con.' in told
    tag = re.search(r'"tag": "(\S+)"', told)[1]
    assert eventually(lambda: board.shell(f"task show {tag}"), bool) == "<3 heartbeat <3 "


def pair(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def taken(source):
    """{"module.name"} of all that a guest imports, or takes from what it imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_the_guests_use_every_symbol():
    used = {name for path in MODULES.glob("LM_*.py") for name in taken(path.read_text())}
    assert [symbol for symbol in SYMBOLS.split() if symbol not in used] == []
