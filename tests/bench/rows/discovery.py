"""How long it takes to find twenty nodes on a network of 254 addresses: by asking everybody, or every address."""
import contextlib
import ctypes
import socket
import struct
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Interface, IPv4Network

from row import Budget, Sample, row

from toolkit import discover
from toolkit.simulator.api import VirtualBoard

NODES = 20
AT_ONCE = 4                    # boards that start at the same time
NETWORK = IPv4Network("127.0.7.0/24")
LOOPBACK = [IPv4Interface("127.0.0.1/8")]
SCAN_S = 1.0                   # of each step, as `--search_devices` has it
BUDGET = Budget(3000.0, of_ratio=False)
# socket(7) SO_ATTACH_FILTER with one instruction, `return 0`: who knocks hears nothing
ATTACH_FILTER, DROP_ALL = 26, struct.pack("HBBI", 6, 0, 0, 0)


@row("discovery", "20 nodes by beacon and mDNS", "scan of their /24, 234 silent", "ms", BUDGET, rounds=3)
def discovery() -> Generator[Sample, None, None]:
    with _network() as boards:
        places = {board.address for board in boards}
        while True:
            yield _found_ms(places, _ask_everybody), _found_ms(places, _ask_each)


def _ask_everybody() -> set[str]:
    return {told.device.address for told in discover.announced(interfaces=LOOPBACK)}


def _ask_each() -> set[str]:
    return {device.address for device in discover.search([NETWORK], timeout_s=SCAN_S)}


def _found_ms(places: set[str], find: Callable[[], set[str]]) -> float:
    begun = time.perf_counter()
    missing = places - find()
    took_ms = 1000 * (time.perf_counter() - begun)
    if missing:
        raise AssertionError(f"{len(missing)} of {len(places)} nodes were not found")
    return took_ms


@contextlib.contextmanager
def _network() -> Iterator[list[VirtualBoard]]:
    addresses = [str(host) for host in NETWORK.hosts()]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        boards = [VirtualBoard(address=address, mpy=True, config={"ntphost": "n/a"}) for address in addresses[:NODES]]
        started = list(pool.map(stack.enter_context, boards))
        for address in addresses[NODES:]:
            stack.enter_context(_silent(address))
        yield started


def _silent(address: str) -> socket.socket:
    """An address that answers nothing, as one where no host is; elsewhere than on Linux it refuses."""
    listener = socket.create_server((address, discover.PORT))
    if sys.platform.startswith("linux"):
        program = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
        listener.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
    return listener
