"""The process of one run: a toolkit command whose progress bars are lines that the gateway reads."""
from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MARK = "\x1e"                  # begins a line of progress: {"title", "done", "of"}; a command prints none
PAUSE_S = 0.1                  # between two of them


def main(words: list[str]) -> int:
    from toolkit import progress

    progress.bar = told        # before a command takes it from there
    from toolkit.commands import main as run

    return run(words)


@contextmanager
def told(title: str) -> Iterator[Callable[[int, int], None]]:
    """As progress.bar, for a program at the other end of stdout."""
    told_at = -PAUSE_S

    def tell(done: int, total: int) -> None:
        nonlocal told_at
        now = time.monotonic()
        if done >= total or now - told_at >= PAUSE_S:
            told_at = now
            sys.stdout.write(MARK + json.dumps({"title": title, "done": done, "of": total}) + "\n")
            sys.stdout.flush()

    tell(0, 0)
    yield tell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
