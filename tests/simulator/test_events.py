"""Rules of the event channel, each found the hard way: see VIRTUAL_BOARD.md, 'machine shim'."""
import os
import signal
import socket

import pytest

from toolkit.simulator import VirtualBoard
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


def test_masked_interrupts_wait_and_then_come():
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n") as board:
        board.run("import machine, time\nseen = []\np = machine.Pin(0, machine.Pin.IN)\n"
                  "p.irq(lambda pin: seen.append(1))\nstate = machine.disable_irq()")
        board.pins[0] = 1
        board.pins[0] = 0
        assert board.run("time.sleep_ms(30)\nprint(seen)") == "[]\n"
        assert board.run("machine.enable_irq(state)\nwhile len(seen) < 2: time.sleep_ms(1)\nprint(seen)") == "[1, 1]\n"
