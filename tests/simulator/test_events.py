"""Rules of the event channel, each found the hard way: see VIRTUAL_BOARD.md, 'machine shim'."""
import os
import signal
import socket
from pathlib import Path

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.events import IN_FLIGHT, Events

TICKS = """
import gc, machine, time
count = bytearray(4)
def tick(timer):
    count[0] = (count[0] + 1) & 255
    if not count[0]:
        count[1] += 1
def counted():
    return count[0] + 256 * count[1]
"""


@pytest.fixture
def channel(monkeypatch):
    """(Events with a clock in our hand, the VM's end, signals sent, the clock)"""
    ours, theirs = socket.socketpair()
    signals, clock = [], [0.0]
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    events = Events(ours, 4711, now=lambda: clock[0])
    theirs.setblocking(False)
    yield events, theirs, signals, clock
    events.close()
    theirs.close()


def received(vm):
    try:
        return len(vm.recv(4096)) // 4
    except BlockingIOError:
        return 0


def test_never_more_than_two_events_are_on_their_way(channel):
    events, vm, _, _ = channel
    for ident in range(5):
        assert events.put(2, ident, 1, may_wait=True)
    assert received(vm) == IN_FLIGHT == 2
    for word, more in ((b"w", 0), (b"w", 0), (b"a", 1), (b"a", 1)):
        vm.send(word)
        events.drain()
        assert received(vm) == more


def test_the_wake_is_repeated_until_the_callback_runs(channel):
    events, vm, signals, clock = channel
    events.put(1, 0, 0, may_wait=False)
    assert signals == []
    vm.send(b"w")
    events.drain()
    for _ in range(5):
        clock[0] += 0.02
        events.wake()
    assert signals == [(4711, signal.SIGUSR1)] * 6
    vm.send(b"a")
    events.drain()
    assert events.next_wake_s() is None


def test_a_callback_may_run_before_the_reader_thread_has_its_say(channel):
    events, vm, signals, _ = channel
    for _ in range(2 * IN_FLIGHT):
        events.put(2, 5, 1, may_wait=True)
        assert received(vm) == 1
        vm.send(b"aw")
        events.drain()
        assert events.is_idle() and events.next_wake_s() is None
    assert signals == []


def test_an_event_that_found_the_scheduler_full_comes_again(channel):
    events, vm, _, clock = channel
    events.put(2, 5, 1, may_wait=True)
    assert received(vm) == 1
    vm.send(b"f")
    events.drain()
    assert received(vm) == 0           # not at once: the program has to get on first
    clock[0] += 0.01
    events.wake()
    assert received(vm) == 1


def test_a_late_tick_does_not_pile_up_but_an_edge_waits(channel):
    events, _, _, _ = channel
    results = [events.put(1, 0, 0, may_wait=False) for _ in range(5)]
    assert results == [True, True, True, False, False]
    assert all(events.put(2, 0, 1, may_wait=True) for _ in range(5))
    assert events.dropped == 2


def test_a_button_lights_the_lamp_while_the_program_sleeps():
    main = """
import asyncio
from machine import Pin
lamp = Pin(2, Pin.OUT)
button = Pin(0, Pin.IN, Pin.PULL_UP)
button.irq(lambda pin: lamp.value(not pin.value()), Pin.IRQ_FALLING | Pin.IRQ_RISING)
async def main():
    await asyncio.sleep(3600)
print("armed")
asyncio.run(main())
"""
    with VirtualBoard(main=main) as board, board.watch() as changes:
        while "armed" not in board.console():
            changes.until(change="console")
        for _ in range(20):
            board.pins[0] = 0
            changes.until(change="pin", pin=2, value=1)
            board.pins[0] = 1
            changes.until(change="pin", pin=2, value=0)


FLAGS = """
import asyncio
from machine import Pin
async def wait_for(flag, lamp):
    while True:
        await flag.wait()
        lamp.value(not lamp.value())
async def main():
    flags = [asyncio.ThreadSafeFlag() for _ in range(3)]
    for number, flag in zip((12, 13, 14), flags):
        asyncio.create_task(wait_for(flag, Pin(number, Pin.OUT)))
    if WAIT_FIRST:
        await asyncio.sleep(0)         # the tasks wait before the first handler is there
    def handler(flag):
        return lambda pin: flag.set()
    for number, flag in zip((0, 4, 5), flags):
        Pin(number, Pin.IN, Pin.PULL_UP).irq(handler(flag), Pin.IRQ_FALLING)
    print("armed")
    while True:
        try:
            await asyncio.wait_for(asyncio.ThreadSafeFlag().wait(), 3600)
        except asyncio.TimeoutError:
            pass
asyncio.run(main())
"""


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("wait_first", [False, True])
def test_each_flag_wakes_who_waits_for_it(turn, wait_first):
    with VirtualBoard(main=f"WAIT_FIRST = {wait_first}\n" + FLAGS, turn=turn) as board, board.watch() as changes:
        while "armed" not in board.console():
            changes.until(change="console")
        for level in (1, 0, 1):
            for button, lamp in ((0, 12), (5, 14), (4, 13)):
                before = {pin: board.pins[pin] for pin in (12, 13, 14)}
                board.pins[button] = 0
                changes.until(change="pin", pin=lamp, value=level)
                board.pins[button] = 1
                assert {pin: board.pins[pin] for pin in (12, 13, 14)} == {**before, lamp: level}


def test_a_board_that_waits_for_a_flag_sleeps():
    with VirtualBoard(main="WAIT_FIRST = False\n" + FLAGS) as board, board.watch(timeout_s=0.5) as changes:
        while "armed" not in board.console():
            changes.until(change="console")
        board.pins[0] = 0
        changes.until(change="pin", pin=12, value=1)
        before = sleeps(board.info()["pid"])
        with pytest.raises(SimulatorError, match="said nothing"):
            changes.until(change="pin", pin=13)        # for half a second
        assert sleeps(board.info()["pid"]) - before < 3


def sleeps(pid):
    """How often the threads of a process have gone to sleep."""
    threads = [Path(f"/proc/{pid}/task/{thread}/status").read_text() for thread in os.listdir(f"/proc/{pid}/task")]
    return sum(int(line.split()[1]) for text in threads for line in text.splitlines() if line.startswith("voluntary"))


def test_an_edge_that_was_not_asked_for_stays_silent():
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n") as board:
        board.run("from machine import Pin\nseen = []\np = Pin(0, Pin.IN, Pin.PULL_UP)\n"
                  "p.irq(lambda pin: seen.append(pin.value()), Pin.IRQ_RISING)")
        for value in (0, 1, 0, 1):
            board.pins[0] = value
        assert board.run("import time\nwhile len(seen) < 2: time.sleep_ms(1)\nprint(seen)") == "[1, 1]\n"


def test_the_reader_thread_allocates_nothing():
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n") as board:
        code = TICKS + """
t = machine.Timer(0)
t.init(period=1, callback=tick)
def wait(n):
    while counted() < n:
        time.sleep_us(500)
wait(20)
gc.collect()
gc.disable()
before = gc.mem_alloc()
wait(420)
after = gc.mem_alloc()
t.deinit()
print(after - before)
"""
        assert int(board.run(code)) < 400      # less than a byte an event: the harness's own variables


@pytest.mark.slow
def test_no_tick_is_lost_and_no_vm_dies_while_the_collector_works():
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n", heap="128K") as board:
        code = TICKS + """
t = machine.Timer(0)
kept = {}
t.init(period=1, callback=tick)
n = 0
end = time.ticks_add(time.ticks_ms(), 3000)
while time.ticks_diff(end, time.ticks_ms()) > 0:
    n += 1
    kept[n % 97] = [n] * 20
    s = "x%d" % n
    gc.collect()
masked = machine.disable_irq()
"""
        board.run(code)
        ticks = board.ask("timers")["0"]
        board.run("__import__('_vboard').tell('untick 0\\n')\nmachine.enable_irq()")
        seen = int(board.run("time.sleep_ms(20)\nprint(counted())"))
        info = board.info()
        assert (info["crashes"], info["starts"]) == (0, 1)
        assert ticks["fired"] > 0
        assert 0 <= seen - (ticks["fired"] - ticks["late"]) <= 1   # one more may come due while nothing waits


def test_a_signal_writes_nothing_into_a_file_of_the_program():
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n") as board:
        board.run("import machine, time\nn = []\nmachine.Timer(0).init(period=2, callback=lambda t: n.append(1))\n"
                  "files = [open('/f%d' % i, 'w') for i in range(8)]\n"
                  "while len(n) < 50: time.sleep_ms(1)\nfor file in files: file.close()")
        assert [(board.dir / f"f{i}").read_bytes() for i in range(8)] == [b""] * 8


def test_masked_interrupts_wait_and_then_come():
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n") as board:
        board.run("import machine, time\nseen = []\np = machine.Pin(0, machine.Pin.IN)\n"
                  "p.irq(lambda pin: seen.append(1))\nstate = machine.disable_irq()")
        board.pins[0] = 1
        board.pins[0] = 0
        assert board.run("time.sleep_ms(30)\nprint(seen)") == "[]\n"
        assert board.run("machine.enable_irq(state)\nwhile len(seen) < 2: time.sleep_ms(1)\nprint(seen)") == "[1, 1]\n"
