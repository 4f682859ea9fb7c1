"""What the meter costs: how long a megabyte from its UART to a TCP server takes, and the heap of it at work."""
import socket
import threading
import time
from collections.abc import Generator

from probe import PROBE, READING
from row import Budget, Sample, row

from toolkit.simulator.api import VirtualBoard
from toolkit.simulator.models.meter import SerialMeter

MEGABYTE = 1 << 20
WAIT_S = 60.0
PLAIN = """
import asyncio
from machine import UART
line = UART(1, 115200)
async def main():
    up, server = await asyncio.open_connection("127.0.0.1", {port})
    serial = asyncio.StreamReader(line)
    async def pump(source, sink):
        while True:
            sink.write(await source.read(2048))
            await sink.drain()
    await asyncio.gather(pump(serial, server), pump(up, serial))
asyncio.run(main())
"""
GROWN = Budget(2048, of_ratio=False)
FAST = Budget(1000 * MEGABYTE / 11_520, of_ratio=False)        # what a UART of 115200 baud takes for it


@row("meter-speed", "1 MB meter to server", "a loop that reads and writes", "ms", FAST, rounds=3)
def meter_speed() -> Generator[Sample, None, None]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with VirtualBoard(mpy=True) as board, SerialMeter(board, 1) as meter:
            server = _joined(board, door)
            with server, VirtualBoard(main=PLAIN.format(port=port)) as bare, bare.cable(1) as cable:
                other, _ = door.accept()
                with other:
                    while True:
                        yield _speed(lambda: meter.say(bytes(MEGABYTE)), server), _speed(
                            lambda: cable.sendall(bytes(MEGABYTE)), other)


@row("heap-meter", "heap grown over 1 MB each way", "heap that load takes", "B", GROWN, rounds=3)
def heap_meter() -> Generator[Sample, None, None]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        while True:
            with VirtualBoard(mpy=True, files={"boot.py": PROBE}) as board, SerialMeter(board, 1) as meter:
                board.shell("modules")
                before = _used(board)
                server = _joined(board, door)
                with server:
                    _both(meter, server, MEGABYTE // 16)          # so that all is made that stays
                    loaded = _used(board)
                    _both(meter, server, MEGABYTE)
                    yield float(max(0, _used(board) - loaded)), float(loaded - before)


def _joined(board: VirtualBoard, door: socket.socket) -> socket.socket:
    """The server's end, when both sides are up."""
    board.shell(f"meter passthrough 127.0.0.1 {door.getsockname()[1]}")
    server, _ = door.accept()
    while board.shell("meter status").count(" up") < 2:
        time.sleep(0.01)
    return server


def _speed(say: object, server: socket.socket) -> float:
    begun_s = time.monotonic()
    saying = threading.Thread(target=say)
    saying.start()
    _receive(server, MEGABYTE)
    saying.join()
    return 1000 * (time.monotonic() - begun_s)


def _both(meter: SerialMeter, server: socket.socket, count: int) -> None:
    heard = len(meter.heard_data())
    jobs = [threading.Thread(target=job) for job in (lambda: meter.say(bytes(count)),
                                                     lambda: server.sendall(bytes(count)))]
    for job in jobs:
        job.start()
    _receive(server, count)
    for job in jobs:
        job.join()
    deadline = time.monotonic() + WAIT_S
    while len(meter.heard_data()) < heard + count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the meter heard {len(meter.heard_data()) - heard} of {count} bytes in {WAIT_S} s")
        time.sleep(0.05)


def _receive(server: socket.socket, count: int) -> None:
    server.settimeout(WAIT_S)
    while count > 0:
        count -= len(server.recv(65536))


def _used(board: VirtualBoard) -> int:
    """In use two readings of the probe from now: what the session left is gone then."""
    seen, deadline = len(READING.findall(board.console())), time.monotonic() + WAIT_S
    while len(told := READING.findall(board.console())) < seen + 3:
        if time.monotonic() > deadline:
            raise TimeoutError("the probe said nothing")
        time.sleep(0.01)
    return min(int(reading[0]) for reading in told[-2:])
