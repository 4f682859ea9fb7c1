"""How long a node takes from reset to its first prompt, against a VM that only opens a socket."""
import time
from collections.abc import Generator

from boards import ACCEPT, bare, node
from clients import SILENCE_S, connected
from row import Budget, Sample, row, side_by_side

from toolkit.simulator.api import VirtualBoard

WARM_UP = 2                    # the first boot writes the settings file


@row("boot", "hard reset to prompt, .mpy set", "bare VM that accepts", "ms", Budget(4.0), rounds=41)
def boot() -> Generator[Sample, None, None]:
    with node() as ours, bare(ACCEPT) as against:
        for _ in range(WARM_UP):
            _boot_ms(ours), _boot_ms(against)
        yield from side_by_side(lambda: _boot_ms(ours), lambda: _boot_ms(against))


def _boot_ms(board: VirtualBoard) -> float:
    begun = time.perf_counter()
    board.reset()                              # comes back when the old VM is dead and the new one forked
    _first_byte(board)
    return 1000 * (time.perf_counter() - begun)


def _first_byte(board: VirtualBoard) -> None:
    with connected(board) as link:
        link.settimeout(SILENCE_S)
        if not link.recv(1):
            raise ConnectionError("the board accepted and closed without a word")
