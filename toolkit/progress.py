"""A progress bar on stderr, where a person watches; nothing anywhere else."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function that takes (done, total); total 0 means not known."""
    if not sys.stderr.isatty():
        yield _nowhere
        return
    from rich.console import Console  # slow to import, and most runs need no bar
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


def _nowhere(done: int, total: int) -> None:
    """Progress that nobody watches."""
