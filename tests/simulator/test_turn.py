"""A clock that tests turn: what sleeps follows it, and a span of time passes as fast as the program can work."""
import os
import threading
import time

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.api import Control
from toolkit.simulator.errors import SimulatorError

IDLE = "import time\nwhile True: time.sleep(9)\n"
# log() writes `milliseconds since power-on, words` into a file, which the test reads when the board is at rest
LOG = """
import asyncio, machine, time
def now_ms():
    return time.time_ns() // 1000000
def since_start():
    try:
        return now_ms() - int(machine.RTC().memory())
    except ValueError:
        machine.RTC().memory(str(now_ms()))
        return 0
def log(*words):
    with open("/log", "a") as file:
        file.write(" ".join([str(word) for word in (since_start(),) + words]) + "\\n")
async def nap(name, seconds):
    await asyncio.sleep(seconds)
    log(name)
since_start()
"""
SLACK_MS = 5000                # real time of boots and of a busy machine counts too


def board_with(code, **options):
    return VirtualBoard(main=LOG + code, turn=True, **options)


def logged(board):
    """(date in seconds, words) of each entry."""
    path = board.dir / "log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(line.split()[0]) / 1000, " ".join(line.split()[1:])) for line in lines]


def until_logged(board, count, timeout_s=5.0):
    """The words, once there are so many entries."""
    deadline = time.monotonic() + timeout_s
    while len(logged(board)) < count and time.monotonic() < deadline:
        pass
    return [words for _, words in logged(board)]


def assert_dates(entries, expected):
    """entries: (date, words); each at its date or a little late. More may follow: boot takes time of its own."""
    entries = entries[:len(expected)]
    assert [words for _, words in entries] == [words for _, words in expected]
    late_s = [date - wanted for (date, _), (wanted, _) in zip(entries, expected, strict=True)]
    assert all(-0.01 <= late < SLACK_MS / 1000 for late in late_s), late_s


NAPS = """
async def main():
    for seconds in (300, 100, 200):
        asyncio.create_task(nap(seconds, seconds))
    log("ready")
    await asyncio.sleep(100000)
asyncio.run(main())
"""


def test_a_skipped_span_wakes_who_slept_no_longer_in_order():
    with board_with(NAPS) as board:
        until_logged(board, 1)
        board.clock.advance(150)
        assert until_logged(board, 2) == ["ready", "100"]
        board.clock.advance(500)
        assert until_logged(board, 4) == ["ready", "100", "200", "300"]


SLEEPERS = (
    "while True:\n    log('up')\n    time.sleep(600)\n",
    "while True:\n    log('up')\n    time.sleep_ms(600000)\n",
    "async def main():\n    while True:\n        log('up')\n        await asyncio.sleep_ms(600000)\n"
    "asyncio.run(main())\n",
    "async def main():\n    while True:\n        log('up')\n"
    "        try: await asyncio.wait_for(asyncio.Event().wait(), 600)\n"
    "        except asyncio.TimeoutError: pass\nasyncio.run(main())\n",
)


@pytest.mark.parametrize("code", SLEEPERS)
def test_what_sleeps_follows_the_clock(code):
    with board_with(code) as board:
        until_logged(board, 1)
        board.clock.advance(601)
        assert until_logged(board, 2) == ["up", "up"]
        board.clock.run(6000 - 60)
        assert len(logged(board)) == 11


def test_in_a_span_everyone_wakes_at_his_date():
    code = """
async def main():
    for seconds in (30, 3600, 0.5, 86400, 600, 600.25):
        asyncio.create_task(nap(seconds, seconds))
    await asyncio.sleep(10 ** 6)
asyncio.run(main())
"""
    with board_with(code) as board:
        board.clock.run(86400 + 60)
        assert_dates(logged(board), [(at, str(at)) for at in (0.5, 30, 600, 600.25, 3600, 86400)])


def test_a_timer_comes_between_two_tasks():
    code = """
timer = machine.Timer(0)
timer.init(period=60000, callback=lambda t: log("timer"))
async def main():
    while True:
        await asyncio.sleep(45)
        log("task")
asyncio.run(main())
"""
    with board_with(code) as board:
        board.clock.run(170)
        assert_dates(logged(board), [(45, "task"), (60, "timer"), (90, "task"), (120, "timer"), (135, "task")])


def test_a_task_that_an_interrupt_calls_runs_at_the_date_of_the_interrupt():
    code = """
async def main():
    flag = asyncio.ThreadSafeFlag()
    machine.Timer(1).init(period=1000, callback=lambda t: flag.set())
    while True:
        await flag.wait()
        log("flag")
asyncio.run(main())
"""
    with board_with(code) as board:
        board.clock.run(5.5)
        assert_dates(logged(board), [(at, "flag") for at in (1, 2, 3, 4, 5)])


def test_an_event_set_by_an_interrupt_is_not_slept_through():
    code = """
async def main():
    event = asyncio.Event()
    machine.Timer(1).init(period=30000, callback=lambda t: event.set())
    asyncio.create_task(nap("never", 10 ** 6))       # without a sleeper the loop would be over
    while True:
        await event.wait()
        event.clear()
        log("event")
asyncio.run(main())
"""
    with board_with(code) as board:
        board.clock.run(100)
        assert_dates(logged(board), [(30, "event"), (60, "event"), (90, "event")])


def test_a_fed_watchdog_lets_the_span_pass_a_hungry_one_bites_at_its_date():
    code = """
log("boot", machine.reset_cause())
dog = machine.WDT(timeout=8000)
async def main():
    for _ in range(20):
        await asyncio.sleep(5)
        dog.feed()
    await asyncio.sleep(10 ** 6)
asyncio.run(main())
"""
    with board_with(code) as board:
        board.clock.run(107)
        assert board.info()["starts"] == 1
        board.clock.run(113)
        assert_dates(logged(board), [(0, "boot 1"), (108, "boot 3"), (216, "boot 3")])


RESETS = (
    ("machine.reset()", 2),
    ("machine.soft_reset()", 5),
    ("import sys; sys.exit()", 5),
    ("machine.deepsleep(1)", 4),
)


@pytest.mark.parametrize(("code", "cause"), RESETS)
def test_a_span_goes_on_over_a_reset(code, cause):
    code = f"log(machine.reset_cause())\ntime.sleep(1000)\n{code}\n"
    with board_with(code) as board:
        board.clock.run(3500)
        assert [words for _, words in logged(board)] == ["1"] + [str(cause)] * 3
        assert board.info()["crashes"] == 0


def test_a_board_in_deepsleep_passes_its_span():
    with board_with("log(machine.reset_cause())\nmachine.deepsleep(600000)\n") as board:
        board.clock.run(2000)
        assert [words for _, words in logged(board)] == ["1", "4", "4", "4"]
        assert board.info()["state"] == "asleep"


def test_timers_go_on_while_the_repl_waits():
    with VirtualBoard(main="", turn=True) as board:
        board.run("import machine\nmachine.Timer(0).init(period=60000, callback=print)")
        before = board.clock.rtc()
        board.clock.run(630)
        assert 630 <= board.clock.rtc() - before < 640
        assert board.ask("timers")["0"]["fired"] == 10


def test_a_program_without_a_sleeper_waits_for_its_sockets():
    code = """
async def serve(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def main():
    await (await asyncio.start_server(serve, "0.0.0.0", 9008)).wait_closed()
asyncio.run(main())
"""
    with board_with(code, shell=True) as board:
        board.clock.run(86400)
        with board.connect() as link:
            link.sendall(b"still there\n")
            assert link.recv(100) == b"still there\n"


def test_a_client_is_served_while_time_flies():
    with VirtualBoard(turn=True) as board:
        flight = threading.Thread(target=board.clock.run, args=(600,))
        flight.start()
        with board.session() as session:
            for _ in range(20):
                assert session.send("hello").startswith("hello:")
        flight.join(30)
        assert not flight.is_alive()


@pytest.mark.slow
def test_an_idle_node_passes_ten_minutes():
    with VirtualBoard(turn=True) as board:
        board.clock.run(600)
        assert board.shell("system clock")
        assert (board.info()["starts"], board.info()["crashes"]) == (1, 0)


def test_a_program_that_never_sleeps_reaches_the_limit_and_time_goes_on():
    with VirtualBoard(main="while True: pass\n", turn=True) as board:
        with pytest.raises(SimulatorError, match=r"s of 60 s had passed after 0.2 s of real time.* 'main'"):
            board.clock.run(60, limit_s=0.2)
        board.run("pass")      # interrupts it
        board.clock.run(60)


def test_a_span_ends_with_who_asked_for_it():
    with VirtualBoard(main="while True: pass\n", turn=True) as board:
        hasty = Control(board.control_path, timeout_s=0.05)
        with pytest.raises(SimulatorError, match="said nothing"):
            hasty.ask("clock", run=1000)
        with pytest.raises(SimulatorError, match="a span of time is passing already"):
            board.clock.run(1)
        hasty.close()
        board.info()           # the loop has been round
        with pytest.raises(SimulatorError, match="had passed after"):
            board.clock.run(100, limit_s=0.05)


def test_an_ordinary_board_has_nothing_of_it():
    code = "async def main():\n    log('ready')\n    await nap('woken', 900)\nasyncio.run(main())\n"
    with VirtualBoard(main=LOG + code) as board:
        until_logged(board, 1)
        with pytest.raises(SimulatorError, match="only a board with turn=True"):
            board.clock.run(10)
        assert not os.path.exists(f"/proc/{board.info()['pid']}/fd/6")
        board.clock.advance(1000)
        assert board.run("import sys\nprint('_turn' in sys.modules)") == "False\n"
        assert [words for _, words in logged(board)] == ["ready"]
