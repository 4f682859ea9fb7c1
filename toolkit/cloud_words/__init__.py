"""The words of `--cloud`: one file a word, found by looking into this folder.

A word is a module with
    HELP                     one line for the overview
    EPILOG                   may be absent: paragraphs, examples, exit codes
    add_arguments(parser)    its own options
    run(args, out)           does it; out(text) prints a line; returns an exit code, None is 0
"""
from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import argparse

    from toolkit.commands import Out


class Word(Protocol):
    """What a module in this folder offers."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, out: Out) -> int | None: ...


def words() -> Iterator[tuple[str, Word]]:
    """(word, module) of this folder, in the order of their names."""
    for module in pkgutil.iter_modules(__path__):
        yield module.name, importlib.import_module(f"{__name__}.{module.name}")
