"""What a row of the table is: two figures taken side by side, again and again, and the budget they have to keep."""
import importlib
import pkgutil
import statistics
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROW_S = 12.0                   # a row that takes longer ends with the rounds it has
FORMATS = {"req/s": "{:,.0f}", "B": "{:,.0f}", "ms": "{:,.2f}"}

Sample = tuple[float, float]                           # (ours, what it is held against), of one round
Samples = Callable[[], Generator[Sample, None, None]]  # ends its boards when it is closed


@dataclass(frozen=True)
class Budget:
    """of_ratio: the limit is one of ours / against, else one of our own figure."""

    limit: float
    at_least: bool = False
    of_ratio: bool = True

    def is_kept(self, ours: float, ratio: float) -> bool:
        figure = ratio if self.of_ratio else ours
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True)
class Row:
    """name: for --only; what, against: the two figures in words; samples: gives one Sample a round, without end."""

    name: str
    what: str
    against: str
    unit: str
    budget: Budget
    rounds: int
    samples: Samples


@dataclass(frozen=True)
class Result:
    row: Row
    taken: list[Sample]

    @property
    def ratios(self) -> list[float]:
        return [ours / against for ours, against in self.taken]

    @property
    def ours(self) -> float:
        return statistics.median(ours for ours, _ in self.taken)

    @property
    def against(self) -> float:
        return statistics.median(against for _, against in self.taken)

    @property
    def ratio(self) -> float:
        """Median of the rounds' own ratios: what disturbed a round disturbed both sides of it."""
        return statistics.median(self.ratios)

    @property
    def is_ok(self) -> bool:
        return self.row.budget.is_kept(self.ours, self.ratio)


ROWS: list[Row] = []


def row(name: str, what: str, against: str, unit: str, budget: Budget, rounds: int) -> Callable[[Samples], Samples]:
    """Decorator: the generator function below is a row of the table."""
    def keep(samples: Samples) -> Samples:
        ROWS.append(Row(name, what, against, unit, budget, rounds, samples))
        return samples
    return keep


def find_rows() -> list[Row]:
    """All rows: those of each file in rows/."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent / "rows")]):
        importlib.import_module(f"rows.{module.name}")
    return ROWS


def measured(row: Row, rounds: int | None = None) -> Result:
    """Up to that many rounds, at least one, in about ROW_S."""
    deadline = time.monotonic() + ROW_S
    with closing(row.samples()) as samples:
        taken = [next(samples)]
        while len(taken) < (rounds or row.rounds) and time.monotonic() < deadline:
            taken.append(next(samples))
    return Result(row, taken)


def side_by_side(ours: Callable[[], float], against: Callable[[], float]) -> Iterator[Sample]:
    """Samples without end; the two take turns in going first, so that a drift of the machine favours neither."""
    while True:
        first = ours()
        yield first, against()
        first = against()
        yield ours(), first
