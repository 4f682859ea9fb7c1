"""The event bus: in order, bounded, out of interrupts, and one bad subscriber harms nobody."""
import json

from tests.device.wire import Wire, eventually
from toolkit.link.webrepl import FileLink

KEEPER = """
import asyncio
import sys_bus
class Kept:
    seen = []
    slow = []
    held = None
def keep(topic, message):
    Kept.seen.append([topic, message])
def loud(topic, message):
    raise ValueError("no " + str(message))
async def slowly(topic, message):
    await asyncio.sleep_ms(20)
    Kept.slow.append(message)
async def never(topic, message):
    await asyncio.sleep(3600)
HANDLERS = {"keep": keep, "loud": loud, "slowly": slowly, "never": never}
def listen(topic, how="keep"):
    sys_bus.subscribe(topic, HANDLERS[how])
def leave(topic, how=None):
    sys_bus.unsubscribe(topic, HANDLERS[how] if how else None)
def burst(topic, count):
    for number in range(count):
        sys_bus.publish(topic, number)
def seen():
    return {"seen": Kept.seen, "slow": Kept.slow}
def counts(how):
    for box in sys_bus.boxes():
        if box.work == HANDLERS[how]:
            return {"taken": box.taken, "dropped": box.dropped, "failed": box.failed, "waiting": box.waiting()}
def table():
    return {str(topic): len(handlers) for topic, handlers in sys_bus.sub_table().items()}
"""
HARD = """
from machine import Pin
import sys_bus
class Kept:
    seen = []
def keep(topic, message):
    Kept.seen.append(message)
def edge(pin):
    sys_bus.publish("edge", 7)
def load():
    sys_bus.subscribe("edge", keep)
    Kept.pin = Pin(13, Pin.IN, Pin.PULL_DOWN)
    Kept.pin.irq(edge, Pin.IRQ_RISING, hard=True)
def seen():
    return str(Kept.seen)
"""
QUEUE = """
import asyncio
import queue
from Common import micro_task
class Kept:
    queue = queue.Queue(3)
    taken = []
def put(item=None):
    return Kept.queue.put(item)
def get():
    return Kept.queue.get()
def size():
    return Kept.queue.size(), Kept.queue.empty(), Kept.queue.dropped
async def _consume(name):
    while True:
        Kept.taken.append(str(name) + str(await Kept.queue.taken()))
        await asyncio.sleep_ms(0)
def consume(name):
    return micro_task("consumer" + name, _consume(name))
def taken():
    return str(Kept.taken)
"""


def seen(board, what="seen"):
    return json.loads(board.shell("keeper seen >json"))[what]


def test_messages_come_in_order_and_the_publisher_does_not_wait(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    assert board.shell("keeper listen a", "keeper burst a 5").split() == ["None", "None"]
    assert eventually(lambda: seen(board), lambda got: len(got) == 5) == [["a", n] for n in range(5)]


def test_a_subscriber_of_two_topics_gets_them_in_one_order(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen a", "keeper listen 2", "bus publish a 1", "bus publish 2 x", "bus publish a 3")
    assert eventually(lambda: seen(board), lambda got: len(got) == 3) == [["a", 1], [2, "x"], ["a", 3]]


def test_what_finds_no_place_is_dropped_and_counted(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen a", "keeper burst a 40")
    assert eventually(lambda: seen(board), lambda got: len(got) == 32) == [["a", n] for n in range(32)]
    assert json.loads(board.shell("keeper counts keep >json")) == {
        "taken": 32, "dropped": 8, "failed": 0, "waiting": 0}


def test_a_raising_subscriber_is_named_in_alarms_and_harms_nobody(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen a loud", "keeper listen a", "bus publish a 1", "bus publish a 2")
    assert eventually(lambda: seen(board), lambda got: len(got) == 2)
    assert "[ERR] bus a: loud raised ValueError: no 1" in board.shell("system alarms")
    assert json.loads(board.shell("keeper counts loud >json"))["failed"] == 2


def test_a_subscriber_of_alarms_that_raises_does_not_go_round_for_ever(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen alarm loud", "bus publish alarm x", "keeper listen b")
    board.shell("bus publish b 1")
    eventually(lambda: seen(board), lambda got: got == [["b", 1]])
    count = json.loads(board.shell("keeper counts loud >json"))["failed"]
    assert board.shell("hello").startswith("hello:") and count < 32


def test_a_slow_coroutine_holds_up_only_itself(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen a never", "keeper listen a slowly", "keeper listen a", "keeper burst a 3")
    assert eventually(lambda: seen(board, "slow"), lambda got: len(got) == 3) == [0, 1, 2]
    assert len(seen(board)) == 3
    assert json.loads(board.shell("keeper counts never >json"))["waiting"] == 2


def test_who_subscribes_twice_is_called_twice_and_leaves_once_at_a_time(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen a", "keeper listen a", "bus publish a 1")
    eventually(lambda: seen(board), lambda got: len(got) == 2)
    assert board.shell("keeper leave a keep", "keeper table").endswith(" a: 1")
    assert "ValueError" not in board.shell("keeper leave a keep", "keeper table")
    assert board.shell("keeper leave a") == "exec_lm_core LM_keeper->leave: a"


def test_nothing_comes_after_unsubscribing(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen a", "keeper leave a", "bus publish a 1", "keeper listen b", "bus publish b 2")
    assert eventually(lambda: seen(board), bool) == [["b", 2]]


def test_a_hard_interrupt_publishes_without_allocating(make_board):
    board = make_board(files={"modules/LM_hard.py": HARD})
    board.shell("hard load")
    for _ in range(3):
        board.pins[13] = 1
        board.pins[13] = 0
    eventually(lambda: board.shell("hard seen"), lambda got: got == "[7, 7, 7]")
    assert "Uncaught" not in board.console()


def test_a_press_a_loaded_module_and_a_changed_setting_are_messages(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER},
                       config={"irq1": True, "irq1_cbf": "system top", "irq_prell_ms": 1, "cstmpmap": "irq1:12"})
    board.shell("keeper listen irq1", "keeper listen module", "keeper listen config", "demo dice_cube")
    with board.session() as session:
        session.send("conf")
        assert session.send("utc 120") == "Saved"
        assert session.send("appwd new-password") == "Saved"
    board.pins[12] = 1
    got = eventually(lambda: seen(board), lambda got: ["irq1", 1] in got)
    assert ["module", "demo"] in got and ["config", "utc"] in got and ["config", "appwd"] in got
    assert "new-password" not in str(got)


def test_the_network_that_is_lost_and_found_is_a_message(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER}, turn=True)
    board.shell("keeper listen network")
    board.network(False)
    board.clock.run(10)
    eventually(lambda: seen(board), lambda got: ["network", ""] in got)
    board.network(True)
    board.clock.run(60)
    eventually(lambda: seen(board), lambda got: ["network", "STA"] in got)


def test_a_clock_that_is_set_and_an_alarm_are_messages(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER})
    board.shell("keeper listen time", "keeper listen alarm", "system setclock 2026 1 1 12 0 0")
    eventually(lambda: seen(board), lambda got: got and got[0][0] == "time" and got[0][1] > 800000000)
    board.shell("keeper listen b loud", "bus publish b")
    eventually(lambda: seen(board), lambda got: got[-1] == ["alarm", "[ERR] bus b: loud raised ValueError: no None"])


def test_the_shell_lists_publishes_and_watches(make_board):
    board = make_board()
    assert "alarm          text of an alarm" in board.shell("bus topics")
    assert board.shell("bus publish a 1") == "0 subscribers"
    with board.session() as watching:
        watching._link.sendall(b"bus watch messages=2\n")
        eventually(lambda: board.shell("bus topics"), lambda text: "*" in text)
        assert board.shell("bus publish lamp on", 'bus publish 5 {"a": 1}') == "1 subscriber\n1 subscriber"
        assert watching._until_prompt() == "lamp: on\n5: {'a': 1}\n2 messages"
    assert " -> " not in board.shell("bus topics")


def test_a_file_that_came_in_is_told(make_board):
    board = make_board(config={"appwd": "secret12"})
    with board.session() as watching:
        watching._link.sendall(b"bus watch update messages=2\n")
        eventually(lambda: board.shell("bus topics"), lambda text: "update" in text and " -> " in text)
        with FileLink(board.address, "secret12", board.webrepl_port) as link:
            link.put("LM_new.py", b"def on():\n    return 1\n")
            link.put("notes.txt", b"12345")
        assert watching._until_prompt() == "update: /modules/LM_new.py 23\nupdate: /notes.txt 5\n2 messages"


def test_a_watch_of_no_time_is_refused(make_board):
    assert "takes seconds=1-3600" in make_board().shell("bus watch seconds=0")


def test_a_queue_holds_exactly_what_it_was_made_for(make_board):
    board = make_board(files={"modules/LM_queued.py": QUEUE})
    assert board.shell(*[f"queued put {n}" for n in range(4)]).split() == ["True", "True", "True", "False"]
    assert board.shell("queued size") == "(3, False, 1)"
    assert board.shell("queued get", "queued get") == "0\n1"


def test_get_of_an_empty_queue_is_refused_where_it_would_hold_up_the_node(make_board):
    answer = make_board(files={"modules/LM_queued.py": QUEUE}).shell("queued get")
    assert answer == ("exec_lm_core LM_queued->get: Queue.get() of an empty queue would hold up the node; "
                      "here only 2000 ms may be waited")


def test_each_item_goes_to_one_of_two_consumers(make_board):
    board = make_board(files={"modules/LM_queued.py": QUEUE})
    board.shell("queued consume a", "queued consume b", "queued put 1", "queued put", "queued put 2")
    got = eventually(lambda: board.shell("queued taken"), lambda text: text.count(",") == 2)
    assert sorted(item[1:] for item in got.strip("[]").replace("'", "").split(", ")) == ["1", "2", "None"]


def test_a_watch_shows_each_message_as_it_comes(make_board):
    board = make_board()
    with Wire(board) as watching:
        watching.send("bus watch lamp seconds=60 messages=2\n")
        eventually(lambda: board.shell("bus topics"), lambda text: "lamp " in text)
        board.shell("bus publish lamp on")
        assert watching.until("lamp: on\n") == "lamp: on\n"
        board.shell("bus publish lamp off")
        assert watching.until("$ ") == "lamp: off\n2 messages\nnode01 $ "


def test_a_turn_of_the_timer_and_a_slot_of_cron_are_messages(make_board):
    board = make_board(files={"modules/LM_keeper.py": KEEPER}, turn=True, config={
        "timirq": True, "timirqseq": 1000, "timirqcbf": "system top",
        "cron": True, "crontasks": "*:*:*:*/2!system top"})
    board.shell("keeper listen timirq", "keeper listen cron")
    board.clock.run(5)
    got = seen(board)
    turns = [message for topic, message in got if topic == "timirq"]
    assert len(turns) >= 4 and turns == list(range(turns[0], turns[0] + len(turns)))
    assert [message for topic, message in got if topic == "cron"][:2] == ["cron.1 system top"] * 2
