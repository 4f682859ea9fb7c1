"""The bus under load: 200 messages a second, a queue, the logger, a pin and the shell busy; nothing lost, nothing kept.

BUS_SOAK_S: seconds of the board's time, 10 here; `make soak`: 600.
"""
import json
import os

import pytest

from tests.device.wire import eventually

SECONDS = int(os.environ.get("BUS_SOAK_S", "10"))
PROGRAM = """
import gc
import osTimer
import queue
import sys_bus
from usr.bin.log_service import LogService
from usr.bin.third_party.ql_interrupter import PinInterrupter

log = LogService()
log.start()
pin = PinInterrupter(26)
items = queue.Queue(100)
timer = osTimer()
counts = {"sent": 0, "heard": 0, "queued": 0, "logged": 0, "wrong": 0}

def logged(*args, **kwargs):
    counts["logged"] += 1

def heard(topic, number):
    if number != counts["heard"]:
        counts["wrong"] += 1
    counts["heard"] += 1
    items.put(number)
    pin.write(number & 1)
    if number % 20 == 0:
        log.log_send("soak", "INFO", "message {}".format(number))

def taken(topic, number):
    while not items.empty():
        items.get()
        counts["queued"] += 1

def tick(_):
    for _ in range(2):
        sys_bus.publish("soak", counts["sent"])
        counts["sent"] += 1

def go(topic, message):
    if message:
        timer.start(5, 1, tick)
    else:
        timer.stop()
    gc.collect()

log.subscribe(logged)
sys_bus.subscribe("soak", heard)
sys_bus.subscribe("soak", taken)
sys_bus.subscribe("go", go)
"""
LOOK = """
import gc
import sys
def counts():
    return sys.modules["usr.program"].counts
def heap():
    gc.collect()
    return gc.mem_alloc()
def dropped():
    import sys_bus
    return sum([box.dropped for box in sys_bus.boxes()]) + sys.modules["usr.program"].items.dropped
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_messages_a_second_leave_the_heap_as_it_was_and_none_is_lost(make_board):
    board = make_board(files={"usr/program.py": PROGRAM, "modules/LM_look.py": LOOK}, heap="192K", mpy=True, turn=True)
    assert board.shell("quec run program") == "program runs"
    board.shell("bus publish go 1", "look heap", "look dropped")
    board.clock.run(5, limit_s=120)
    before = int(board.shell("look heap"))
    for _ in range(SECONDS // 5):
        board.clock.run(5, limit_s=120)
        assert board.shell("hello").startswith("hello:")
    board.shell("bus publish go")
    counts = eventually(lambda: json.loads(board.shell("look counts >json")),
                        lambda told: told["queued"] == told["sent"] == told["heard"])
    assert counts["sent"] >= 200 * SECONDS and counts["wrong"] == 0
    eventually(lambda: json.loads(board.shell("look counts >json"))["logged"],
               lambda logged: logged == (counts["sent"] + 19) // 20)
    assert board.shell("look dropped") == "0"
    eventually(lambda: abs(int(board.shell("look heap")) - before), lambda changed: changed < 2048)
