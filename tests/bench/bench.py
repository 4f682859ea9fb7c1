"""`make bench`: what a node costs in time and memory, side by side with the plainest program on the same VM.

    env/venv/bin/python tests/bench/bench.py [--rounds N] [--only NAME ...] [--json] [--breakdown]

Speed is measured, not asserted: the exit code is 0 unless something breaks. A new row is one decorated
generator in rows/.
"""
import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from breakdown import Breakdown, Cost, breakdown
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from row import FORMATS, Budget, Result, Row, find_rows, measured

BROKEN, INTERRUPTED = 1, 130
FILE_COLUMNS = 140             # of a table that goes into a file or a pipe
TITLE = "Boards run the .mpy set unless a row says .py; ordinary client sockets; medians of interleaved rounds"
PARTS_TITLE = ("bytes without names; each module after what it imports, one on demand with what it brings along; "
               "the table of names grows by doubling: 301st name 3.6 KB, 621st 7.1 KB")


def main(words: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    rows = find_rows()
    asked = _arguments(rows, words)
    results, broken = _measure_all([row for row in rows if row.name in (asked.only or [row.name])], asked.rounds)
    parts = breakdown() if asked.breakdown else None
    if asked.json:
        print(json.dumps({"rows": [_as_json(result) for result in results], "broken": broken,
                          "breakdown": parts and _parts_as_json(parts)}, indent=1))
    else:
        _show(results, parts)
    for name, error in broken.items():
        Console(stderr=True).print(f"[red]{name} broke:[/] {error}", highlight=False)
    return BROKEN if broken else 0


def _arguments(rows: list[Row], words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=_rounds, metavar="N",
                        help="rounds of every row, 1 to 1000 (default: each its own)")
    parser.add_argument("--only", action="append", metavar="NAME", choices=[row.name for row in rows],
                        help="one row, may be repeated: %(choices)s")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    parser.add_argument("--breakdown", action="store_true", help="also: heap bytes of every core file")
    return parser.parse_args(words)


def _rounds(text: str) -> int:
    if not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"1 to 1000, got {text}")
    return int(text)


def _measure_all(rows: list[Row], rounds: int | None) -> tuple[list[Result], dict[str, str]]:
    """(results, {row that broke: why})."""
    results, broken = [], {}
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True),
                  transient=True) as progress:
        task = progress.add_task("")
        for row in rows:
            progress.update(task, description=row.what)
            try:
                results.append(measured(row, rounds))
            except Exception as error:       # outer wall: one broken row does not take the others along
                broken[row.name] = f"{type(error).__name__}: {error}"
    return results, broken


# -- for a person
def _show(results: list[Result], parts: Breakdown | None) -> None:
    console = Console(width=None if sys.stdout.isatty() else FILE_COLUMNS)
    if results:
        console.print(_table(results))
    if parts:
        console.print(_parts_table(parts))


def _table(results: list[Result]) -> Table:
    table = Table("row", "what", caption=TITLE)
    for heading in ("node", "against", "ratio", "lowest - highest", "budget", "", "rounds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        row, unit = result.row, FORMATS[result.row.unit] + " " + result.row.unit
        table.add_row(row.name, f"{row.what}\n[dim]{row.against}[/]", unit.format(result.ours),
                      unit.format(result.against), f"{result.ratio:.2f}",
                      f"{min(result.ratios):.2f} - {max(result.ratios):.2f}", _budget(row.budget, unit),
                      "[green]ok[/]" if result.is_ok else "[red]over[/]", str(len(result.taken)))
    return table


def _budget(budget: Budget, unit: str) -> str:
    sign = ">=" if budget.at_least else "<="
    return f"{sign} {budget.limit:.2f} x" if budget.of_ratio else f"{sign} {unit.format(budget.limit)}"


def _parts_table(parts: Breakdown) -> Table:
    table = Table("module", caption=PARTS_TITLE)
    for heading in ("bytes", "stay when dropped", "new names"):
        table.add_column(heading, justify="right")
    for cost in parts.costs:
        table.add_row(*_cost_cells(cost))
    table.add_section()
    table.add_row("what boot makes: settings, tasks, sockets", f"{parts.by_boot:,}")
    table.add_row("table of names (qstrs)", f"{parts.heap.table_bytes:,}", "", f"{parts.heap.names:,}")
    table.add_row("in use after boot", f"{parts.heap.used:,}")
    return table


def _cost_cells(cost: Cost) -> tuple[str, ...]:
    if cost.is_kept:
        return cost.name, f"{cost.own:,}", "", str(cost.names)
    return f"[dim]{cost.name}, on demand[/]", f"[dim]{cost.own:,}[/]", f"{cost.stays:,}", f"[dim]{cost.names}[/]"


# -- for a program
def _as_json(result: Result) -> dict[str, Any]:
    row, budget = result.row, result.row.budget
    return {"name": row.name, "what": row.what, "against": row.against, "unit": row.unit,
            "node": result.ours, "other": result.against, "ratio": result.ratio, "rounds": len(result.taken),
            "budget": {"limit": budget.limit, "at_least": budget.at_least, "of_ratio": budget.of_ratio},
            "ok": result.is_ok, "samples": result.taken}


def _parts_as_json(parts: Breakdown) -> dict[str, Any]:
    return {**parts.heap._asdict(), "by_boot": parts.by_boot, "files": [vars(cost) for cost in parts.costs]}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:            # every board has been ended on the way here
        sys.exit(INTERRUPTED)
