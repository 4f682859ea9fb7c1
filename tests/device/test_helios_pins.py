"""QuecPython's pins, edges, timers and firmware modules (A14 to A18), driven from the host."""
import json

from tests.device.wire import eventually

BUS = """
import sys_bus
def a(topic, msg):
    print("#", "a", topic, msg)
def b(topic, msg):
    print("#", "b", topic, msg)
sys_bus.subscribe("t", a)
sys_bus.subscribe("t", b)
sys_bus.subscribe(7, a)
print("#", sorted([str(topic) for topic in sys_bus.sub_table()]), [f.__name__ for f in sys_bus.sub_table("t")])
print("#", sys_bus.publish("t", {"x": 1}), sys_bus.publish("nobody", 1))
sys_bus.publish(7, 2)
for wrong in (lambda: sys_bus.unsubscribe("nobody"), lambda: sys_bus.unsubscribe("t", print),
              lambda: sys_bus.sub_table("nobody"), lambda: sys_bus.subscribe(1.5, a)):
    try:
        wrong()
    except (KeyError, ValueError, TypeError) as error:
        print("#", type(error).__name__)
"""
EDGES = """
from machine import ExtInt, Pin
from ql_interrupter import ExIntInterrupter, ExIntProcess, BusInterrupter, PinInterrupter
import sys_bus
def told(args):
    print("#", "told", args[0], args[1])
one = ExIntInterrupter(Pin.GPIO13, ExtInt.IRQ_RISING_FALLING, ExtInt.PULL_PD, told)
print("#", one.start(), one.gpio)
two = ExIntProcess(Pin.GPIO14)
two.register_callback(lambda topic, message: print("#", topic, sorted(message.items())))
print("#", two.topic, two.enable())
class Own(BusInterrupter):
    pass
own = Own("own")
own.register_callback(lambda topic, message: print("#", topic, message))
out = PinInterrupter(Pin.GPIO26, mode=1)
print("#", out.read(), out.write(0), out.read())
own.publish(a=1)
sys_bus.subscribe("blink", lambda *_: print("#", "blinked", out.blinker(0.2)))
sys_bus.subscribe("stop", lambda *_: print("#", "stopped", one.stop(), one.disable()))
"""
TIMERS = """
import osTimer
from osTimer import osTimer as same
from usr.bin.third_party.ql_interrupter import TimerInterrupter
t = osTimer()
print("#", t.start(0, 1, print), t.start(10, 1, None))
def tick(arg):
    print("# tick", arg)
    if tick_count.pop() == 1:
        print("# stop", t.stop())
tick_count = [1, 2, 3]
print("#", t.start(1000, 1, tick))
once = TimerInterrupter(1500, lambda arg: print("# once", arg), 0)
print("#", once.start(), same() is not None)
def bad(arg):
    raise ValueError("no")
TimerInterrupter(2500, bad).start()
gone = osTimer()
print("#", gone.delete_timer(), gone.delete(), gone.start(10, 1, print))
"""
FIRMWARE = """
import modem, net, sim, ql_fs, misc, log, checkNet, pm
from misc import Power
imei = modem.getDevImei()
total = 0
for at, digit in enumerate(imei):
    value = int(digit) * (2 if at % 2 else 1)
    total += value - 9 if value > 9 else value
print("#", len(imei), total % 10, modem.getDevFwVersion()[:7], Power.powerOnReason())
print("#", ql_fs.touch("/usr/deep/er/x.json", {"a": 1}), ql_fs.read_json("/usr/deep/er/x.json"), ql_fs.read_json("/no"))
print("#", ql_fs.path_exists("/usr/deep"), ql_fs.path_dirname("/usr/deep/er/x.json"),
      ql_fs.path_getsize("/usr/deep/er/x.json"))
print("#", ql_fs.file_copy("/usr/deep/y", "/usr/deep/er/x.json"), ql_fs.read_json("/usr/deep/y"))
ql_fs.rmdirs("/usr/deep")
print("#", ql_fs.path_exists("/usr/deep"))
log.basicConfig(level=log.INFO)
log.getLogger("a").debug("not this")
log.getLogger("a").info("value %d", 5)
print("#", checkNet.waitNetworkReady(1), net.setModemFun(7), sim.getImsi())
locks = [pm.create_wakelock("l", 1) for _ in range(11)]
import sys_bus
sys_bus.subscribe("down", lambda *_: Power.powerDown())
print("#", locks, pm.delete_wakelock(3), pm.create_wakelock("m", 1), pm.wakelock_lock(99), pm.get_wakelock_num())
"""


def lines(board, last):
    text = eventually(board.console, lambda text: last in text)
    return [line[1:].strip() for line in text.splitlines() if line.startswith("#")]


def started(make_board, program, **options):
    board = make_board(files={"usr/program.py": program}, **options)
    answer = board.shell("quec run program")
    assert answer == "program runs", answer + board.console()
    return board


def test_the_bus_has_quecpythons_names_and_errors(make_board):
    board = started(make_board, BUS)
    assert lines(board, "# a 7 2") == [
        "['7', 't'] ['a', 'b']", "None None", "KeyError", "ValueError", "KeyError", "TypeError", "a t {'x': 1}",
        "b t {'x': 1}", "a 7 2"]


def test_edges_come_to_their_callbacks_and_onto_the_bus(make_board):
    board = started(make_board, EDGES)
    said = lines(board, "# own {'a': 1}")
    assert said[:4] == ["0 13", "GPIO14_EXINT 0", "1 0 0", "own {'a': 1}"]
    with board.watch() as changes:
        board.shell("bus publish blink")
        changes.until(change="pin", pin=26, value=1)
        changes.until(change="pin", pin=26, value=0)
    lines(board, "# blinked None")
    board.pins[13] = 1
    lines(board, "# told 13 0")
    board.pins[13] = 0
    lines(board, "# told 13 1")
    board.pins[14] = 1
    lines(board, "# GPIO14_EXINT [('gpio', 14), ('pressure', 0)]")
    board.shell("bus publish stop")
    lines(board, "# stopped 0 0")
    board.pins[13] = 1
    board.pins[14] = 0
    board.pins[14] = 1
    eventually(board.console, lambda text: text.count("GPIO14_EXINT [(") == 2)
    assert board.console().count("told 13 0") == 1


def test_timers_tick_stop_themselves_and_survive_a_raising_callback(make_board):
    board = started(make_board, TIMERS, turn=True)
    assert lines(board, "# 0 -1 -1")[:4] == ["-1 -1", "0", "0 True", "0 -1 -1"]
    board.clock.run(5.2)
    said = lines(board, "# stop 0")
    assert said.count("tick None") == 3 and said.count("once None") == 1
    assert "[ERR] osTimer: ValueError: no" in board.shell("system alarms")


def test_the_firmware_modules_answer_as_their_papers_say(make_board):
    board = started(make_board, FIRMWARE)
    assert lines(board, "# [0, 1") == [
        "15 0 micrOS_ 1", "0 {'a': 1} None", "True /usr/deep/er 8", "True {'a': 1}", "False", "(3, 1) -1 -1",
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1] 0 3 -1 10"]
    assert "INFO:a:value 5" in board.console() and "not this" not in board.console()
    board.shell("bus publish down")
    eventually(lambda: board.info()["state"], lambda state: state == "asleep")


def test_the_shell_writes_blinks_and_watches_pins(make_board):
    board = make_board(turn=True)
    assert board.shell("gpio write 26 1", "gpio read 26") == "1\n1"
    assert board.pins[26] == 1
    assert board.shell("gpio blink 26 2 1") == "blinks"
    with board.watch() as changes:
        for level in (0, 1, 0):
            board.clock.run(1)
            changes.until(change="pin", pin=26, value=level)
    assert board.shell("gpio watch 13", "log follow GPIO13_EXINT") == "GPIO13_EXINT\nfollows GPIO13_EXINT"
    board.pins[13] = 1
    text = eventually(board.console, lambda text: "GPIO13_EXINT [INFO] - {" in text)
    assert "'gpio': 13" in text
    assert board.shell("gpio stop 13", "gpio stop 26", "gpio stop 5").endswith("pin 5 is not in use here")


def test_a_pin_of_a_module_is_not_taken_from_it(make_board):
    board = make_board(config={"cstmpmap": "dim_1:26"})
    board.shell("dimmer set_value 500")
    assert "busy" in board.shell("gpio write 26 1")


def test_the_shell_feeds_a_dog_whose_answer_is_on_the_bus(make_board):
    board = make_board(turn=True)
    assert "period_ms is more than" in board.shell("watchdog start 26 500")
    facts = json.loads(board.shell("watchdog start 26 5000 13 >json"))
    assert facts == {"pin": 26, "period_ms": 5000, "done": 13, "runs": True}
    board.shell("log follow WDT_KICK_TOPIC", "log follow WDT_KICK_TOPIC_FEED")
    with board.watch() as changes:
        board.clock.run(5.5)
        changes.until(change="pin", pin=26, value=1)
        board.pins[13] = 1
        board.clock.run(1)
        changes.until(change="pin", pin=26, value=0)
    text = eventually(board.console, lambda text: "WDT_KICK_TOPIC_FEED [INFO] - {'msg'" in text)
    assert "WDT_KICK_TOPIC [INFO] - {" in text and "'gpio': 13" in text
    board.shell("watchdog stop")
    board.clock.run(11)
    assert board.pins[26] == 0
    assert board.console().count("WDT_KICK_TOPIC_FEED [INFO] - {'msg'") == 1


def test_programs_are_listed_and_run_once(make_board):
    board = make_board(files={"usr/one.py": "print('# one')", "usr/bad.py": "1 / 0"})
    assert {"bad", "one"} <= set(board.shell("quec programs").split())
    assert board.shell("quec run one", "quec run one") == "one runs\none runs already"
    assert board.shell("quec run bad") == "exec_lm_core LM_quec->run: divide by zero"
    assert "no module named 'usr.none'" in board.shell("quec run none")
