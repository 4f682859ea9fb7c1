"""How much of the VM's speed a shell command keeps: round trips against a bare asyncio echo server."""
from collections.abc import Generator

from boards import ECHO, MANY, bare, node
from clients import Crowd
from cores import placed
from row import Budget, Sample, row, side_by_side

AGAINST = "bare asyncio echo"
# the same for every row: readline() of MicroPython takes a byte at a time, so a longer line slows the echo down
ECHOED = b"hello\n"
PROMPT_END, LINE_END = b"$ ", b"\n"
REQUESTS = 600                 # of one side in one round: 20 to 60 ms
ROUNDS = 41


@row("hello", "`hello`, 1 client", AGAINST, "req/s", Budget(0.70, at_least=True), ROUNDS)
def hello() -> Generator[Sample, None, None]:
    yield from _round_trips(b"hello\n", 1)


@row("call", "`system heartbeat`, 1 client", AGAINST, "req/s", Budget(0.50, at_least=True), ROUNDS)
def call() -> Generator[Sample, None, None]:
    yield from _round_trips(b"system heartbeat\n", 1)


@row("hello-many", f"`hello`, {MANY} clients", AGAINST, "req/s", Budget(0.60, at_least=True), ROUNDS)
def hello_many() -> Generator[Sample, None, None]:
    yield from _round_trips(b"hello\n", MANY)


def _round_trips(line: bytes, clients: int) -> Generator[Sample, None, None]:
    # one client and its server take turns, so one core is enough; many keep both busy
    with (node() as board, bare(ECHO) as other, placed((board, other), share=clients == 1),
          Crowd(board, clients, PROMPT_END, greets=True) as ours,
          Crowd(other, clients, LINE_END, greets=False) as against):
        ours.rate(line, REQUESTS), against.rate(ECHOED, REQUESTS)      # warm up: the module is loaded then
        yield from side_by_side(lambda: ours.rate(line, REQUESTS), lambda: against.rate(ECHOED, REQUESTS))
