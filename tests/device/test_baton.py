"""Guests that block share the node with its loop: one works at a time, the others and the shell go on meanwhile."""
import json

from tests.device.wire import eventually

GUESTS = """
import asyncio, gc, time
import blocking
from Baton import need, Stopped
from Common import micro_task
import sys_bus
class Kept:
    said = []
    guests = []
def _guest(work, *args):
    guest = need().start(work, args)
    Kept.guests.append(guest)
    return guest
def _waits(name, ms):
    begun_ms = blocking.now_ms()
    was = blocking.until(lambda: False, ms, "a test")
    Kept.said.append([name, was, time.ticks_diff(blocking.now_ms(), begun_ms)])
def waits(name, ms):
    _guest(_waits, name, ms)
def _told(is_open):
    blocking.until(lambda: is_open, None, "a test")
    Kept.said.append("open")
class Gate:
    here = []
def gate():
    _guest(_told, Gate.here)
def open_gate():
    Gate.here.append(1)
def _ends():
    try:
        blocking.until(lambda: False, None, "a test")
    finally:
        Kept.said.append("cleaned up")
def ends():
    _guest(_ends)
def stop():
    for guest in Kept.guests:
        guest.stop()
def _bad():
    blocking.sleep_ms(1)
    raise ValueError("no")
async def bad():
    try:
        await _guest(_bad).over()
    except ValueError as error:
        return "raised " + str(error)
def _asks():
    try:
        blocking.until(lambda: Gate.here and 1 // 0, None, "a test")
    except ZeroDivisionError:
        Kept.said.append("its own")
def asks():
    _guest(_asks)
def many(count):
    for _ in range(count):
        _guest(_ends)
def said():
    return {"said": Kept.said, "guests": len(need().guests)}
def _handler(topic, message):
    blocking.sleep_ms(message)
    Kept.said.append(message)
def listen():
    sys_bus.subscribe("slow", _handler)
def _hog():
    while Kept.guests:
        blocking.until(lambda: True, None, "a test")
def hog():
    _guest(_hog)
def free():
    Kept.guests.clear()
def _busy():
    import guest_time
    while Kept.guests:
        guest_time.ticks_ms()
def busy():
    import usr
    _guest(_busy)
def _counts(ms):
    blocking.sleep_ms(1)
    print("counting")
    end_ms = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end_ms, time.ticks_ms()) > 0:
        pass
    Kept.said.append("counted")
def who_now():
    from TaskManager import manager
    return " ".join(manager().modules.running)
def who():
    _guest(lambda: Kept.said.append(who_now()))
def counts(ms):
    _guest(_counts, ms)
class Work:
    left = 0
    items = {}
    queue = []
    got = count = 0
def _work(number, rounds):
    for turn in range(rounds):
        Work.items[str(number) + "/" + str(turn % 50)] = [turn] * 20
        Work.queue.append((number, turn))
        Work.count += 1
        if len(Work.queue) > 100:
            Work.queue.pop(0)
        blocking.until(lambda: True, 0, "a test")
        if turn % 7 == 0:
            blocking.sleep_ms(turn % 3)
        Work.got += len(Work.items.get(str(number) + "/" + str(turn % 50)))
        if turn % 100 == number:
            gc.collect()
    Work.left -= 1
def work(guests, rounds):
    Work.left = guests
    for number in range(guests):
        _guest(_work, number, rounds)
def work_left():
    return {"left": Work.left, "items": len(Work.items), "count": Work.count, "got": Work.got, "turns": need().turns}
"""
FILES = {"modules/LM_guests.py": GUESTS}


def said(board):
    return json.loads(board.shell("guests said >json"))["said"]


def guests(board):
    return json.loads(board.shell("guests said >json"))["guests"]


def test_a_wait_ends_with_its_time_and_the_shell_goes_on_meanwhile(make_board):
    board = make_board(files=FILES, turn=True)
    board.shell("guests waits long 60000")
    board.shell("guests waits short 1000")
    board.clock.run(1.5)
    (name, was, lasted_ms), = eventually(lambda: said(board), bool)
    assert (name, was) == ("short", False)
    assert 1000 <= lasted_ms <= 1050
    board.clock.run(65)
    name, was, lasted_ms = eventually(lambda: said(board), lambda rows: len(rows) == 2)[1]
    assert name == "long" and 60000 <= lasted_ms <= 60050


def test_a_wait_ends_when_what_it_waits_for_is_there(make_board):
    board = make_board(files=FILES)
    board.shell("guests gate")
    assert said(board) == []
    board.shell("guests open_gate")
    eventually(lambda: said(board), lambda rows: rows == ["open"])
    eventually(lambda: guests(board), lambda count: count == 0)


def test_a_stop_ends_a_wait_and_what_is_behind_finally_is_done(make_board):
    board = make_board(files=FILES)
    board.shell("guests ends")
    board.shell("guests stop")
    eventually(lambda: said(board), lambda rows: rows == ["cleaned up"])


def test_what_a_guest_raises_comes_to_who_awaits_it_and_a_bad_question_to_who_asked(make_board):
    board = make_board(files=FILES)
    assert board.shell("guests bad") == "raised no"
    board.shell("guests asks")
    board.shell("guests open_gate")
    eventually(lambda: said(board), lambda rows: rows == ["its own"])


def test_more_guests_than_fit_are_refused_and_room_comes_back(make_board):
    board = make_board(files=FILES)
    board.shell("guests many 16")
    assert "16 guest threads are there already" in board.shell("guests ends")
    board.shell("guests stop")
    eventually(lambda: guests(board), lambda count: count == 0)
    board.shell("guests ends")
    assert guests(board) == 1


def test_a_handler_of_the_bus_may_wait_and_its_messages_stay_in_order(make_board):
    board = make_board(files=FILES)
    board.shell("guests listen")
    for ms in (300, 1, 50):
        board.shell(f"bus publish slow {ms}")
    assert board.shell("hello").startswith("hello:")
    eventually(lambda: said(board), lambda rows: rows == [300, 1, 50])


def test_a_guest_that_never_has_to_wait_gives_way_all_the_same(make_board):
    board = make_board(files=FILES)
    board.shell("guests hog")
    assert board.shell("hello").startswith("hello:")
    board.shell("guests free")
    eventually(lambda: guests(board), lambda count: count == 0)


def test_four_guests_on_one_dict_and_one_list_lose_nothing_while_shell_and_collector_are_busy(make_board):
    board = make_board(files=FILES)
    board.shell("guests work 4 2000")
    state = eventually(lambda: json.loads(board.shell("guests work_left >json")), lambda row: row["left"] == 0, 60)
    assert (state["items"], state["count"], state["got"]) == (200, 8000, 160000)


def test_a_guest_that_looks_at_the_clock_in_a_loop_gives_way(make_board):
    board = make_board(files=FILES)
    board.shell("guests busy")
    assert board.shell("hello").startswith("hello:")
    board.shell("guests free")
    eventually(lambda: guests(board), lambda count: count == 0)


def test_a_guest_that_computes_for_long_is_named_in_the_alarms(make_board):
    board = make_board(files=FILES)
    board.shell("guests counts 2200")
    eventually(lambda: said(board), lambda rows: rows == ["counted"])
    assert ("[ERR] guest a guest held up the node for more than 2 s; its loop wants a utime.sleep_ms(1)"
            in board.shell("system alarms"))


def test_who_asks_who_holds_the_loop_hears_the_guests_name(make_board):
    """The watchdog asks, on ports whose interrupts come through while a guest works: those with a GIL."""
    board = make_board(files=FILES)
    board.shell("guests who")
    assert eventually(lambda: said(board), bool) == ["guest a guest"]
    assert board.shell("guests who_now") == "guests who_now"


def test_a_guest_that_never_comes_back_is_ended_by_the_watchdog(make_board):
    board = make_board(files=FILES)
    board.shell("guests counts 3600000")
    eventually(board.console, lambda text: "counting" in text)
    board.clock.advance(31)
    eventually(lambda: board.info()["starts"], lambda starts: starts == 2)


def test_where_one_guest_fits_handlers_do_not_wait_for_its_end(make_board):
    board = make_board(files=FILES, board="rp2")
    board.shell("guests ends", "guests listen", "bus publish slow 1")
    eventually(lambda: said(board), lambda rows: rows == [1])
    assert "1 guest thread is there already" in board.shell("guests ends")
