"""What a fleet job does next: rules over one small document, which several gateways share by compare-and-set.

A node is one letter in `states`, so a thousand of them are a kilobyte. Nothing here knows a clock, a node or an engine:
the time comes in, and what is to be done comes out.

    waiting -> running -> done | current | failed | unknown
                 |  back to waiting: a try that failed and may be repeated, a gateway that died
    waiting -> cancelled, when a person aborts
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from toolkit.errors import UsageError

WAITING, RUNNING, DONE, CURRENT, FAILED, UNKNOWN, CANCELLED = "wrdcfux"
WORDS = {WAITING: "waiting", RUNNING: "running", DONE: "done", CURRENT: "current", FAILED: "failed",
         UNKNOWN: "unknown", CANCELLED: "cancelled"}
OPEN, BAD = WAITING + RUNNING, FAILED + UNKNOWN

MOST_NODES = 10_000
MOST_LOST = 20                 # gateways that died over one node: then it is not tried again
MINUTE_S = 60.0

# What came of one try -> (state of the node when that was the last, is it tried again, did the node itself say no,
# may it have run). A node that said no gets the next try under a new id: the old one would give the old answer.
# Only what does no harm twice is `failed`; a command that ran and failed has `erred`, and a person may resume it.
AFTER = {
    "ok": (DONE, False, False, False),
    "current": (CURRENT, False, False, False),
    "failed": (FAILED, True, True, False),
    "erred": (FAILED, False, True, False),
    "unreached": (FAILED, True, False, False),
    "unsure": (UNKNOWN, True, False, True),      # the node keeps ids: asked again it tells
    "unknown": (UNKNOWN, False, False, True),
    "lost": (UNKNOWN, True, False, True),        # the gateway that was at it has died
}

# (what a person asks, status) -> the next status. An absent row is refused.
CONTROL = {
    ("pause", "running"): "paused",
    ("resume", "paused"): "running",
    ("resume", "stopped"): "running",
    ("resume", "running"): "running",
    ("abort", "running"): "aborted",
    ("abort", "paused"): "aborted",
    ("abort", "stopped"): "aborted",
}
FINAL = ("done", "aborted")


@dataclass(frozen=True)
class Rules:
    """How a job goes about its nodes.

    concurrency   nodes at a time, over all gateways: 1-1000
    phases        ends of the phases before the last, as counts or shares of all nodes: ("5", "10%"); a canary: ("5",)
    per_minute    starts a minute; 0: no limit
    tries         of each node: 1-20
    backoff_s     before the second try, doubled for each further one up to most_backoff_s
    abort_pct     the job stops when more than this share of a phase has failed or is unknown; 100: never
    skip_current  a node that has what the job brings is left alone
    """

    concurrency: int = 20
    phases: tuple[str, ...] = ()
    per_minute: int = 0
    tries: int = 3
    backoff_s: float = 5.0
    most_backoff_s: float = 300.0
    abort_pct: float = 10.0
    skip_current: bool = True

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"{name} is {low} to {high}, got {value}")
        self.ends(MOST_NODES)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From JSON. Raises UsageError for what is not a rule."""
        known = {each.name for each in fields(cls)}
        strange = sorted(set(told) - known)
        if strange:
            raise UsageError(f"no such rule: {', '.join(strange)}; there are {', '.join(sorted(known))}")
        try:
            return cls(**{**told, "phases": tuple(map(str, told.get("phases", ())))})
        except TypeError as error:
            raise UsageError(f"a rule has the wrong type: {error}") from None

    def ends(self, total: int) -> list[int]:
        """Number of nodes up to the end of each phase; the last is total."""
        ends = [min(total, _end(phase, total)) for phase in self.phases]
        return [*sorted({end for end in ends if end < total}), total]


_RANGES = (("concurrency", 1, 1000), ("per_minute", 0, 100_000), ("tries", 1, 20), ("backoff_s", 0, 86_400),
           ("most_backoff_s", 0, 86_400), ("abort_pct", 0, 100))


def _end(phase: str, total: int) -> int:
    digits = phase.removesuffix("%")
    try:
        value = float(digits)
    except ValueError:
        value = -1.0
    is_share = phase.endswith("%")
    if not 0 < value <= (100 if is_share else MOST_NODES) or not (is_share or value.is_integer()):
        raise UsageError(f"a phase is a number of nodes or a share of them, 5 or 10%, got {phase!r}")
    return max(1, int(total * value / 100)) if is_share else int(value)


@dataclass(frozen=True)
class Claim:
    """A node that a gateway is to see to now.

    number   of the claim in this job: what comes back under an older one is not counted
    turn     how often the node itself has said no: part of the id it gets
    again    an earlier try may have run
    """

    index: int
    number: int
    turn: int
    again: bool


@dataclass
class Past:
    """What earlier tries of a node left behind. not_before: seconds since 1970"""

    tries: int = 0
    turn: int = 0
    lost: int = 0
    again: bool = False
    not_before: float = 0.0


@dataclass
class Job:
    """The document. status: running, paused, stopped (by failures; resume goes on), aborted, done.

    mark: of the order it belongs to, since an id may be used again
    """

    rules: Rules
    states: bytearray
    status: str = "running"
    why: str = ""
    phase: int = 0
    bad: int = 0                   # failed or unknown, and settled in all: in this phase, since it was last resumed
    settled: int = 0
    claims: int = 0
    tokens: float = 0.0            # starts that per_minute allows now, and when that was counted
    tokens_at: float = 0.0
    running: dict[int, tuple[str, int]] = field(default_factory=dict)      # index -> (gateway, number of the claim)
    past: dict[int, Past] = field(default_factory=dict)
    mark: str = ""

    @classmethod
    def begin(cls, rules: Rules, total: int, now: float) -> Self:
        if not 0 < total <= MOST_NODES:
            raise UsageError(f"a job takes 1 to {MOST_NODES} nodes, the selection has {total}")
        return cls(rules, bytearray(WAITING.encode() * total), tokens=1.0, tokens_at=now)

    # -- the work
    def claim(self, owner: str, room: int, now: float) -> list[Claim]:
        """Nodes that a gateway takes on now, room of them at most."""
        if self.status != "running":
            return []
        self._refill(now)
        room = min(room, self.rules.concurrency - len(self.running))
        if self.rules.per_minute:
            room = min(room, int(self.tokens))
        taken: list[Claim] = []
        for index in self._ready(now):
            if len(taken) >= room:
                break
            taken.append(self._claim(index, owner))
        if self.rules.per_minute:
            self.tokens -= len(taken)
        return taken

    def settle(self, index: int, number: int, owner: str, result: str, now: float) -> bool:
        """Take what came of a claim, a word of AFTER. False when it does not stand: told before, or another has it."""
        if self.running.get(index) != (owner, number):
            return False
        del self.running[index]
        final, may_repeat, said_no, may_have_run = AFTER[result]
        past = self.past.setdefault(index, Past())
        past.again = (past.again or may_have_run) and not said_no
        past.turn += said_no
        if may_repeat and self._may_repeat(past, result):
            self._wait(index, past, result, now)
        else:
            self._finish(index, UNKNOWN if past.again and final == FAILED else final, past)
        return True

    def release(self, owner: str, now: float) -> int:
        """Give back what a dead gateway was at. Returns how many nodes that were."""
        held = [(index, number) for index, (who, number) in self.running.items() if who == owner]
        return sum(self.settle(index, number, owner, "lost", now) for index, number in held)

    def control(self, word: str, who: str = "") -> None:
        """pause, resume or abort. Raises UsageError when it is not the time for it."""
        after = CONTROL.get((word, self.status))
        if after is None:
            raise UsageError(f"a job that is {self.status} cannot be told to {word}")
        if word == "resume" and self.status == "stopped":
            self._forgive()
        self.status, self.why = after, f"by {who}" if who and after != "running" else ""
        if word == "abort":
            self.states = self.states.replace(WAITING.encode(), CANCELLED.encode())
        self._advance()

    def wait_s(self, now: float) -> float | None:
        """Seconds until a claim may be had that cannot be had now; None: only an outcome or a person changes that."""
        if self.status != "running" or len(self.running) >= self.rules.concurrency:
            return None
        waits = [max(0.0, self._not_before(index) - now) for index in self._waiting()]
        if not waits:
            return None
        short = 1.0 - self.tokens if self.rules.per_minute and self.tokens < 1.0 else 0.0
        return max(min(waits), short * MINUTE_S / max(1, self.rules.per_minute))

    # -- what is told
    @property
    def is_final(self) -> bool:
        """True when nothing will change any more."""
        return self.status in FINAL and not self.running

    def counts(self) -> dict[str, int]:
        return {word: self.states.count(letter.encode()) for letter, word in WORDS.items()}

    def state(self, index: int) -> str:
        return WORDS[chr(self.states[index])]

    def report(self) -> dict[str, Any]:
        ends = self.rules.ends(len(self.states))
        return {"status": self.status, "why": self.why, "phase": self.phase + 1, "phases": ends,
                "nodes": len(self.states), **self.counts()}

    # -- as JSON
    def to_json(self) -> dict[str, Any]:
        flat = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**flat, "states": self.states.decode(), "rules": asdict(self.rules),
                "past": {index: list(asdict(past).values()) for index, past in self.past.items()}}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        return cls(**{
            **told, "rules": Rules.of(told["rules"]), "states": bytearray(told["states"].encode()),
            "running": {int(index): (who, number) for index, (who, number) in told["running"].items()},
            "past": {int(index): Past(*values) for index, values in told["past"].items()}})

    # -- inside
    def _claim(self, index: int, owner: str) -> Claim:
        self.claims += 1
        self.states[index] = ord(RUNNING)
        self.running[index] = (owner, self.claims)
        past = self.past.get(index, Past())
        return Claim(index, self.claims, past.turn, past.again)

    def _waiting(self) -> Iterator[int]:
        end = self.rules.ends(len(self.states))[self.phase]
        index = self.states.find(WAITING.encode(), 0, end)
        while index >= 0:
            yield index
            index = self.states.find(WAITING.encode(), index + 1, end)

    def _ready(self, now: float) -> Iterator[int]:
        return (index for index in self._waiting() if self._not_before(index) <= now)

    def _not_before(self, index: int) -> float:
        past = self.past.get(index)
        return past.not_before if past else 0.0

    def _may_repeat(self, past: Past, result: str) -> bool:
        if self.status == "aborted":
            return False
        return past.lost < MOST_LOST if result == "lost" else past.tries + 1 < self.rules.tries

    def _wait(self, index: int, past: Past, result: str, now: float) -> None:
        """Back to the others. A gateway that died is no fault of the node, so it is no try of it."""
        if result == "lost":
            past.lost += 1
        else:
            past.not_before = now + min(self.rules.backoff_s * 2 ** past.tries, self.rules.most_backoff_s)
            past.tries += 1
        self.states[index] = ord(WAITING)

    def _finish(self, index: int, state: str, past: Past) -> None:
        self.states[index] = ord(state)
        if state not in BAD:
            del self.past[index]
        self.settled += 1
        self.bad += state in BAD
        self._judge()
        self._advance()

    def _judge(self) -> None:
        """Stop when too many of this phase have failed. So that the first node does not decide for all, a share is
        taken of at least as many nodes as go at a time, where the phase has so many."""
        ends = [0, *self.rules.ends(len(self.states))]
        first, last = ends[self.phase], ends[self.phase + 1]
        of = max(self.settled, min(last - first, self.rules.concurrency))
        is_over = self.rules.abort_pct < 100 and self.bad * 100 > self.rules.abort_pct * of
        if is_over and self.status in ("running", "stopped"):
            self.status = "stopped"
            self.why = (f"{self.bad} of {self.settled} failed or are unknown in phase {self.phase + 1} "
                        f"(nodes {first + 1} to {last}), over {self.rules.abort_pct:g} %")

    def _advance(self) -> None:
        ends = self.rules.ends(len(self.states))
        while self.phase < len(ends) - 1 and self.status == "running" and not self._is_open(ends[self.phase]):
            self.phase += 1
            self.bad = self.settled = 0
        if self.status == "running" and not self._is_open(len(self.states)):
            self.status, self.why = "done", ""

    def _is_open(self, end: int) -> bool:
        return any(self.states.find(letter.encode(), 0, end) >= 0 for letter in OPEN)

    def _forgive(self) -> None:
        """After a stop: the failed get new tries, and are no reason to stop again. Unknown ones stay as they are."""
        for index, past in self.past.items():
            if self.states[index] == ord(FAILED):
                self.states[index] = ord(WAITING)
                past.tries, past.not_before = 0, 0.0
        self.bad = self.settled = 0

    def _refill(self, now: float) -> None:
        """At most a second's worth is saved up, and at least one start."""
        per_s = self.rules.per_minute / MINUTE_S
        self.tokens = min(max(1.0, per_s), self.tokens + max(0.0, now - self.tokens_at) * per_s)
        self.tokens_at = now
