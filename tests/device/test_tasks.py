"""Background work: what runs, what is seen of it, what can be stopped."""
import itertools

from tests.device.wire import eventually

COUNTER = """
from machine import Pin
calls = []
def count():
    calls.append(1)
    return len(calls)
def blink(pin):
    led = Pin(pin, Pin.OUT)
    led.value(1 - led.value())
    return led.value()
def fail():
    count()
    raise ValueError("sensor is gone")
async def wait(ms):
    import asyncio
    await asyncio.sleep_ms(ms)
    return "waited"
def many():
    return "x" * 5000
"""


def changes_of(board, pin, count):
    """The next levels of a pin, as the host sees them."""
    with board.watch() as changes:
        return [changes.until(change="pin", pin=pin)["value"] for _ in range(count)]


def with_counter(make_board, **config):
    return make_board(files={"modules/LM_counter.py": COUNTER}, config=config)


def until(board, command, wanted):
    """Ask until the answer holds what is wanted."""
    with board.session() as session:
        return eventually(lambda: session.send(command), lambda answer: wanted in answer)


def test_a_loop_runs_until_it_is_killed(make_board):
    board = with_counter(make_board)
    assert board.shell("counter blink 4 &&20") == "Start counter.blink"
    assert changes_of(board, 4, 4) in ([0, 1, 0, 1], [1, 0, 1, 0])
    assert board.shell("counter blink 4 &&20") == "counter.blink is Busy"
    assert board.shell("task kill counter.blink") == "Kill: counter.blink|True"
    level = board.pins[4]
    board.shell("system heartbeat")
    assert board.pins[4] == level
    assert board.shell("task kill counter.blink") == "Kill: counter.blink|False"


def test_a_one_shot_runs_once_and_keeps_its_output(make_board):
    board = with_counter(make_board)
    assert board.shell("counter count &") == "Start counter.count"
    assert until(board, "task show counter.count", "1") == "1"
    assert "No        counter.count" in board.shell("task list")


def test_a_loop_that_raises_shows_its_error_and_goes_on(make_board):
    board = with_counter(make_board)
    board.shell("counter fail &&20")
    assert until(board, "task show counter.fail", "gone") == "exec_lm_core LM_counter->fail: sensor is gone"
    until(board, "counter count", "3")


def test_the_queue_has_a_limit(make_board):
    board = with_counter(make_board, aioqueue=2)
    answers = board.shell("system clock &&500", "system heartbeat &&500", "counter blink 4 &&20", "task list")
    assert answers.split("\n")[:3] == ["Start system.clock", "Start system.heartbeat", "[aio] Task queue full: 2"]
    assert "#queue: 0 " in answers
    with board.watch() as changes:           # the one that was refused moves nothing, the same one later does
        board.shell("counter blink 5", "conf", "aioqueue 3", "noconf", "counter blink 4 &&20")
        moved = (change["pin"] for change in changes if change.get("change") == "pin" and change["pin"] in (4, 5))
        assert list(itertools.islice(moved, 3)) == [5, 4, 4]


def test_show_and_kill_take_a_whole_module(make_board):
    board = with_counter(make_board)
    board.shell("counter count &&500", "counter many &&500", "system clock &&500")
    killed = board.shell("task kill counter.*")
    assert killed == "Kill: counter.count|True, counter.many|True"
    assert board.shell("task show counter.*").count("counter.") == 2
    assert "Yes       system.clock" in board.shell("task list")


def test_system_tasks_are_seen_and_cannot_be_killed(make_board):
    board = make_board()
    for tag in ("idle", "server", "files"):
        assert board.shell(f"task kill {tag}") == f"Kill: {tag}|protected"
    assert board.shell("task list").count("Yes  ") == 3
    assert board.shell("task show server").startswith("0.1:")


def test_the_output_of_a_task_is_bounded(make_board):
    board = with_counter(make_board)
    board.shell("counter many &")
    assert len(until(board, "task show counter.many", "x")) == 1024


def test_an_async_function_does_not_hold_up_others(make_board):
    board = with_counter(make_board)
    with board.session() as first, board.session() as second:
        first._link.sendall(b"counter wait 300\n")
        assert second.send("hello").startswith("hello:")
        assert first.send("") == "waited"


def test_finished_tasks_do_not_pile_up(make_board):
    board = with_counter(make_board, aioqueue=2)
    for command in ("system clock &", "system heartbeat &", "system gclean &", "counter count &"):
        board.shell(command)
        until(board, "task list", "No        " + command[:-2].replace(" ", "."))
    assert board.shell("task list").count("No  ") == 2


def test_wrong_task_commands_say_what_is_right(board):
    for line in ("task", "task list x", "task show", "task kill a b"):
        assert board.shell(line) == "Invalid task cmd! Help: task list / kill <taskID> / show <taskID>"
    assert board.shell("task show nosuch.x") == "No task found: nosuch.x"
    assert board.shell("task kill nosuch") == "No task found: nosuch"


def test_a_finished_task_keeps_nothing_of_what_it_worked_with(make_board):
    hog = ("import asyncio, gc\nasync def work():\n    at_hand = bytearray(20000)\n    await asyncio.sleep_ms(1)\n"
           "    return len(at_hand)\ndef used():\n    gc.collect()\n    return gc.mem_alloc()\n")
    board = make_board(files={"modules/LM_hog.py": hog})
    board.shell("hog work", "hog work &")
    until(board, "task show hog.work", "20000")
    before = int(board.shell("hog used"))
    for _ in range(3):
        board.shell("hog work &")
        until(board, "task list", "No        hog.work")
    assert int(board.shell("hog used")) - before < 5000
    assert before < int(board.shell("system memory_usage").rpartition(" ")[2]) + 20000


BEAT = """from TaskManager import manager

def spoil():
    manager().beats.insert(0, lambda: 1 // 0)
"""


def test_a_beat_that_raises_ends_neither_the_idle_task_nor_the_beats_behind_it(make_board):
    board = make_board(files={"modules/LM_beat.py": BEAT})
    board.shell("beat spoil")
    eventually(lambda: board.shell("system alarms"), lambda said: "[ERR] idle: divide by zero" in said)
    assert "Yes       idle" in board.shell("task list")
