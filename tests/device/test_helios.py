"""Helios programs of QuecPython run unchanged: what they do is seen on pins, network, console and files."""
import json
import shutil
from pathlib import Path

import pytest

from tests.bench.probe import PROBE, heap_after_boot
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

SOURCE = Path(__file__).parents[2] / "micrOS" / "source"

# The samples of the introduction, by what its papers say of them
H1 = """
from usr.bin.guard import GuardContext
guard_context = GuardContext()
guard_context.refresh()
config = guard_context.service_config["cloud"]
print("config", config)
"""
H2 = """
from usr.bin.guard import GuardContext
guard_context = GuardContext()
guard_context.refresh()
net_service = guard_context.get_server('net')
app_log = guard_context.get_logger("app_log")

def net_callback(*args, **kwargs):
    app_log.debug("net_callback,args:{},kwargs:{}".format(args, kwargs))

app_log.debug("net status: {}".format(net_service.get_net_status()))
net_service.subscribe(net_callback)
"""
H3 = """
from usr.bin.third_party.ql_interrupter import PinInterrupter
from machine import Pin
pin = PinInterrupter(Pin.GPIO1, trige_mode=Pin.OUT, pull_mode=Pin.PULL_DISABLE, mode=0)
pin.write(1)
"""
H4 = """
from machine import Pin
import sys_bus
from usr.bin.third_party.ql_interrupter import WatchDog

def topic1_cb(topic, msg):
    print("topic1_cb", topic, msg)

def topic2_cb(topic, msg):
    print("topic2_cb", topic, msg)

sys_bus.subscribe("WDT_KICK_TOPIC", topic1_cb)
sys_bus.subscribe("WDT_KICK_TOPIC_FEED", topic2_cb)
wd = WatchDog(Pin.GPIO15, 0, 10000)
wd.start()
"""
OK_LINES = ["[    OK     ] create sys monitor net service", "[    OK     ] create sys monitor log service",
            "[    OK     ] create app monitor media service", "[    OK     ] create app monitor exception service",
            "[    OK     ] create app monitor pm service"]


@pytest.fixture
def start(make_board):
    """Function: a board with a program in /usr, started by `quec run`; and what its run answered."""
    def run(program, files=(), **options):
        board = make_board(files={"usr/program.py": program, **dict(files)}, **options)
        answer = board.shell("quec run program")
        assert answer == "program runs", answer + board.console()
        return board
    return run


def said(board, *parts):
    """Console once it has all these."""
    return eventually(board.console, lambda text: all(part in text for part in parts))


def test_h1_prints_a_line_for_each_service_and_reads_its_configuration(start):
    config = {"params": {"uid": "u", "module_type": "m", "pk": "p"}, "level": 3}
    board = start(H1, {"usr/etc/app_config/cloud/config.json": json.dumps(config)})
    text = said(board, "config {")
    for line in [*OK_LINES, "[    OK     ] create app monitor cloud service"]:
        assert line in text


def test_without_a_cloud_configuration_it_says_so_and_the_program_sees_a_key_error(make_board):
    board = make_board(files={"usr/program.py": H1})
    assert board.shell("quec run program") == "exec_lm_core LM_quec->run: cloud"
    text = said(board, "[   FAILED  ] load cloud monitor error reason:[cloud service load error]", "KeyError")
    assert all(line in text for line in OK_LINES)


def test_h2_logs_the_network_and_each_of_its_changes(start):
    board = start(H2, turn=True)
    text = said(board, " app_log [DEBUG] - net status: 1")
    assert all(line in text for line in OK_LINES)
    board.network(False)
    board.clock.run(10)
    text = said(board, "app_log [DEBUG] - net_callback,args:('anonymous',),kwargs:{'message': {")
    assert "'datacall_status': 0" in text
    board.network(True)
    board.clock.run(60)
    said(board, "'datacall_status': 1")


def test_h3_drives_its_pin(start):
    assert start(H3).pins[1] == 1


def test_h4_feeds_its_dog_every_ten_seconds_for_a_second(start):
    board = start(H4, turn=True)
    with board.watch() as changes:
        for _ in range(2):
            board.clock.run(10.5)
            changes.until(change="pin", pin=15, value=1)
            board.clock.run(1)
            changes.until(change="pin", pin=15, value=0)
    text = said(board, "topic2_cb WDT_KICK_TOPIC_FEED {'msg': 'WDT_KICK_TOPIC_FEED'}")
    assert "topic1_cb" not in text
    assert board.shell("hello").startswith("hello:")


def test_a_cron_entry_publishes_a_helios_program_logs_it_and_the_shell_watches(make_board):
    program = (Path(__file__).parents[2] / "examples/helios_lamp.py").read_text()
    board = make_board(files={"usr/helios_lamp.py": program}, turn=True, mpy=True,
                       config={"cron": True, "crontasks": "*:*:*:*/2!bus publish lamp on"})
    assert board.shell("quec run helios_lamp") == "helios_lamp runs"
    with board.session() as watching:
        watching._link.sendall(b"bus watch lamp seconds=60 messages=2\n")
        board.clock.run(6)
        assert watching._until_prompt() == "lamp: on\nlamp: on\n2 messages"
    assert board.pins[26] == 1
    said(board, " lamp [INFO] - lamp on")
    board.network(False)
    board.clock.run(10)
    said(board, " lamp [WARNING] - network: 0")


def test_a_node_that_uses_none_of_it_does_not_pay_for_it(tmp_path):
    """usr/ and quec/ on the flash, or not: the heap after boot is the same within 256 bytes."""
    bare = tmp_path / "source"
    shutil.copytree(SOURCE, bare, ignore=shutil.ignore_patterns("usr", "quec", "__pycache__"))
    used = []
    for source in (SOURCE, bare):
        with VirtualBoard(source=source, mpy=True, files={"boot.py": PROBE}, config={"ntphost": "n/a"}) as board:
            used.append(min(heap_after_boot(board).used for _ in range(3)))
    assert abs(used[0] - used[1]) <= 256
