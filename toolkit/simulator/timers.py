"""Hardware timers and the watchdog: when each is due, in the board's running time."""
from collections.abc import Callable
from dataclasses import dataclass, field

from toolkit.simulator.boards import BoardKind
from toolkit.simulator.errors import BoardFault

VIRTUAL = -1                   # Timer(-1): any number of them
FIRST_VIRTUAL = 16
MAX_TIMERS = 64
MAX_CATCH_UP = 1000            # ticks of one timer that a skipped span may bring


@dataclass
class Timer:
    """fired: ticks that came due; late: those of them the program never saw, since the one before still waited."""

    due_s: float
    period_s: float
    periodic: bool
    fired: int = 0
    late: int = 0


@dataclass
class Timers:
    """All timers of a board. fire(ident, may_wait) -> False when the tick was dropped as late."""

    kind: BoardKind
    fire: Callable[[int, bool], bool]
    table: dict[int, Timer] = field(default_factory=dict)
    wdt_ms: int = 0            # 0 = not armed
    wdt_due_s: float = 0.0

    def claim(self, ident: int) -> int:
        """Number under which a Timer's events come. Raises BoardFault for an id that the chip has not."""
        if ident in self.kind.timers:
            return ident
        if ident != VIRTUAL:
            raise BoardFault("ValueError", "invalid Timer number")
        for free in range(FIRST_VIRTUAL, FIRST_VIRTUAL + MAX_TIMERS):
            if free not in self.table:
                return free
        raise BoardFault("OSError", 12)

    def start(self, now_s: float, ident: int, period_us: int, periodic: bool) -> None:
        period_s = max(period_us, 50) / 1e6
        self.table[ident] = Timer(now_s + period_s, period_s, periodic)

    def stop(self, ident: int) -> None:
        self.table.pop(ident, None)

    def arm_wdt(self, now_s: float, timeout_ms: int) -> int:
        if not 0 < timeout_ms <= self.kind.wdt_max_ms:
            raise BoardFault("ValueError", f"WDT timeout is 1-{self.kind.wdt_max_ms} ms")
        self.wdt_ms = timeout_ms
        self.feed(now_s)
        return 0

    def feed(self, now_s: float) -> None:
        self.wdt_due_s = now_s + self.wdt_ms / 1000

    def next_due_s(self) -> float | None:
        due = [timer.due_s for timer in self.table.values()]
        if self.wdt_ms:
            due.append(self.wdt_due_s)
        return min(due, default=None)

    def tick(self, now_s: float) -> bool:
        """Fire what is due, each timer once at most. True when the watchdog bit."""
        for ident, timer in list(self.table.items()):
            if timer.due_s <= now_s:
                self._fire(ident, timer, may_wait=False)
        return self._starved(now_s)

    def catch_up(self, now_s: float) -> bool:
        """Fire all that a skipped span brought, in order of time. True when the watchdog bit."""
        budget = MAX_CATCH_UP * max(1, len(self.table))
        while self.table and budget:
            budget -= 1
            ident, timer = min(self.table.items(), key=lambda entry: entry[1].due_s)
            if timer.due_s > now_s:
                break
            self._fire(ident, timer, may_wait=True)
        for timer in self.table.values():
            timer.due_s = max(timer.due_s, now_s)
        return self._starved(now_s)

    def restart(self, hard: bool) -> None:
        """Timers end with any reset; a watchdog once started ends with a hard one only."""
        self.table.clear()
        if hard:
            self.wdt_ms = 0

    def _fire(self, ident: int, timer: Timer, may_wait: bool) -> None:
        timer.fired += 1
        timer.late += not self.fire(ident, may_wait)
        if timer.periodic:
            timer.due_s += timer.period_s
        else:
            del self.table[ident]

    def _starved(self, now_s: float) -> bool:
        return bool(self.wdt_ms) and now_s >= self.wdt_due_s
