"""Helios programs of QuecPython run unchanged: what they do is seen on pins, network, console and files."""
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.bench.probe import PROBE, heap_after_boot
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "micrOS" / "source"
README = (ROOT / "README.md").read_text()

# The samples of the introduction. From spec/quecpython.md E (H1-H4) and A: the import roots, every name and argument,
# the lines and levels that must come of them. From Quectel's public pages, read and not copied: that H2's calls stand
# under `__main__` and its callback finds `app_log` there, that the dog's level is 1, the order of subscribe and logger.
H1 = """
from usr.bin.guard import GuardContext
guard_context = GuardContext()
guard_context.refresh()
config = guard_context.service_config["cloud"]
"""
H2 = """
from usr.bin.guard import GuardContext

def on_net(*args, **kwargs):
    app_log.debug("net_callback,args:{},kwargs:{}".format(args, kwargs))

if __name__ == '__main__':
    guard_context = GuardContext()
    guard_context.refresh()
    net_service = guard_context.get_server('net')
    log_service = guard_context.get_server('log')
    net_service.subscribe(on_net)
    app_log = guard_context.get_logger("app_log")
    app_log.debug("net status: {}".format(net_service.get_net_status()))
"""
H3 = """
from {root}ql_interrupter import PinInterrupter
from machine import Pin, ExtInt
pin_inter = PinInterrupter(Pin.GPIO1, trige_mode=Pin.OUT, pull_mode=Pin.PULL_DISABLE, mode=0)
pin_inter.write(1)
"""
H4 = """
from {root}ql_interrupter import WatchDog
from machine import Pin, ExtInt
import sys_bus
wd = WatchDog(Pin.GPIO15, 1, 10000)
wd.start()
def topic1_cb(topic, msg):
    print("topic1_cb", topic, msg)
def topic2_cb(topic, msg):
    print("topic2_cb", topic, msg)
sys_bus.subscribe("WDT_KICK_TOPIC", topic1_cb)
sys_bus.subscribe("WDT_KICK_TOPIC_FEED", topic2_cb)
"""
THIRD_PARTY, PLAIN = "usr.bin.third_party.", ""          # both roots are on Quectel's pages
LOOK = """
import sys
def value(name):
    return getattr(sys.modules["usr.program"], name)
def stop():
    return value("wd").stop()
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
    board = start(H1, {"usr/etc/app_config/cloud/config.json": json.dumps(config), "modules/LM_look.py": LOOK})
    text = said(board, "app monitor cloud service")
    for line in [*OK_LINES, "[    OK     ] create app monitor cloud service"]:
        assert line in text
    assert json.loads(board.shell("look value config >json")) == config


def test_without_a_cloud_configuration_it_says_so_and_the_program_sees_a_key_error(make_board):
    board = make_board(files={"usr/program.py": H1})
    assert board.shell("quec run program") == "exec_lm_core LM_quec->run: cloud"
    text = said(board, "[   FAILED  ] load cloud monitor error reason:[cloud service load error]", "KeyError")
    assert all(line in text for line in OK_LINES)


def test_h2_logs_the_network_and_each_of_its_changes(start):
    board = start(H2, turn=True)
    text = said(board, " app_log [DEBUG] - net status: 1")
    assert re.search(r"^\d+-\d\d-\d\d \d\d:\d\d:\d\d [A-Z][a-z]+day app_log \[DEBUG\] - net status: 1\r?$", text, re.M)
    assert all(line in text for line in OK_LINES)
    board.network(False)
    board.clock.run(10)
    text = said(board, "app_log [DEBUG] - net_callback,args:('anonymous',),kwargs:{'message': {")
    assert "'datacall_status': 0" in text
    board.network(True)
    board.clock.run(60)
    said(board, "'datacall_status': 1")


@pytest.mark.parametrize("root", [THIRD_PARTY, PLAIN], ids=["its package", "no package"])
def test_h3_drives_its_pin_and_says_nothing(start, root):
    board = start(H3.format(root=root))
    eventually(lambda: board.pins[1], lambda level: level == 1)
    assert said(board, "[lm] quec loaded\r\n").endswith("[lm] quec loaded\r\n")


def test_h4_feeds_its_dog_every_ten_seconds_for_a_second_until_it_is_stopped(start):
    board = start(H4.format(root=THIRD_PARTY), {"modules/LM_look.py": LOOK}, turn=True)
    with board.watch() as changes:
        for _ in range(2):
            board.clock.run(10.5)
            changes.until(change="pin", pin=15, value=0)
            board.clock.run(1)
    text = said(board, "topic2_cb WDT_KICK_TOPIC_FEED {'msg': 'WDT_KICK_TOPIC_FEED'}")
    assert "topic1_cb" not in text
    assert board.shell("hello").startswith("hello:")
    assert board.shell("look stop") == "0"
    told = board.console().count("topic2_cb")
    board.clock.run(25)
    assert board.pins[15] == 0 and board.console().count("topic2_cb") == told


BLOCKS = """
import _thread
import utime
from queue import Queue
q = Queue(maxsize=3)
done = []
def get(name):
    while True:
        done.append(q.get())
        print('#', name, done[-1])
_thread.start_new_thread(get, ('first',))
_thread.start_new_thread(get, ('second',))
print('#', 'full', [q.put(n) for n in range(5)], q.size())
while len(done) < 3:
    utime.sleep(1)
print('#', 'end', sorted(done))
"""


def test_a_program_with_threads_a_queue_and_an_endless_sleep_runs_beside_the_shell(start):
    board = start(BLOCKS, turn=True)
    board.clock.run(2)
    text = said(board, "# end [0, 1, 2]")
    assert "# full [True, True, True, False, False] 3" in text
    assert board.shell("hello").startswith("hello:")


SLEEPS = """
def nap(_, seconds):
    from usr.naps import nap
    try:
        for n in range(30):
            print('# slept', n, nap(seconds))
    except RuntimeError as error:
        print('#', error)
import sys_bus
sys_bus.subscribe("nap", nap)
"""


def test_a_program_that_waits_after_all_is_refused_before_it_holds_up_the_node(start):
    """Its own text names nothing that waits, so it has no thread; what it imports does."""
    board = start(SLEEPS, {"usr/naps.py": "import utime\ndef nap(seconds):\n    utime.sleep(seconds)\n"})
    refusal = "# sleep() outside of a thread, which `qframe start` gives a program, would hold up the node"
    board.shell("bus publish nap 3600")
    said(board, refusal)
    board.shell("bus publish nap 0.6")
    text = eventually(board.console, lambda text: text.count(refusal) == 2)
    assert "# slept 2" in text and "# slept 3" not in text


def test_the_transcript_of_the_readme_is_what_happens(make_board):
    """A cron entry publishes, a Helios program logs it and switches, the shell watches."""
    story = README.partition("## A program of another world")[2].partition("\n## ")[0]
    item, = re.findall(r"`(\S+![^`]+)`", story)
    lines = re.search(r"```\n(node01 \$ .*?)```", story, re.S)[1].splitlines()
    assert lines[0] == "node01 $ quec run helios_lamp" and lines[2].startswith("node01 $ bus watch")
    program = (ROOT / "examples/helios_lamp.py").read_text()
    board = make_board(files={"usr/helios_lamp.py": program}, turn=True, mpy=True,
                       config={"cron": True, "crontasks": item})
    assert board.shell(lines[0].partition("$ ")[2]) == lines[1]
    with board.session() as watching:
        watching._link.sendall(lines[2].partition("$ ")[2].encode() + b"\n")
        board.clock.run(6)
        assert watching._until_prompt().splitlines() == lines[3:]
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
