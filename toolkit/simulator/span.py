"""A span of board time that passes as fast as the program can work: whenever it would sleep, the time is skipped."""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from toolkit.simulator.board import Board
    from toolkit.simulator.control import Client

LAST_WORK_S = 1.0              # a program that never rests has so long, of real time, after the end of the span
REPL_S = 0.002                 # between two looks whether the REPL reads


class Span:
    """One call of board.clock.run().

    seconds    of board time; limit_s: of real time
    grace_ms   of real time that the outside has for an answer
    asked_by   whose end is that of the span
    done       called with None at the end, with a SimulatorError when the limit came first
    """

    def __init__(self, board: Board, seconds: float, limit_s: float, grace_ms: int, asked_by: Client,
                 done: Callable[[SimulatorError | None], None]) -> None:
        self._board = board
        self._seconds = seconds
        self._limit_s = limit_s
        self.asked_by = asked_by
        self._done = done
        self._end_s = board.clock.now() + seconds
        self._limit_at_s = time.monotonic() + limit_s
        self._stirred = False      # an event has interrupted the program: what it said before may be wrong
        board.clock.hurry(True, grace_ms)
        board.wake_sleepers()

    def step(self) -> None:
        """Called in every turn of the board's loop, when all that was due is done."""
        idle_s = self._idle_s()
        left_s = self._end_s - self._board.clock.now()
        if left_s <= 0 and (idle_s or left_s < -LAST_WORK_S):
            self.stop(None)
        elif time.monotonic() > self._limit_at_s:
            self.stop(self._failure(self._seconds - left_s))
        elif idle_s and left_s > 0:
            self._skip(min(idle_s, left_s))

    def stop(self, error: SimulatorError | None) -> None:
        self._board.span = None
        self._board.clock.hurry(False)
        self._board.wake_sleepers()
        self._done(error)

    def next_step_s(self) -> float:
        """When step() shall be called again, in time.monotonic(), whatever happens before."""
        now = time.monotonic()
        if self._board.state == "asleep":
            return now
        left_s = self._end_s - self._board.clock.now()
        end_s = now + (left_s if left_s > 0 else left_s + LAST_WORK_S)
        return min(self._limit_at_s, end_s, now + REPL_S if self._board.state == "repl" else math.inf)

    def _idle_s(self) -> float | None:
        """Seconds for which the board has nothing to do, inf = for ever; None while it works."""
        board = self._board
        board.drain()          # a timer that the program set before it went to sleep
        # events wait while the REPL reads: its read() is taken up again after a signal
        if board.state == "asleep" or (board.state == "repl" and board.console.is_at_rest()):
            return math.inf
        if not board.events_are_over():
            self._stirred = True
        elif self._stirred:
            self._stirred = False
            board.clock.mark()
            board.wake_sleepers()
        return None if self._stirred else board.idle_s()

    def _skip(self, seconds: float) -> None:
        board = self._board
        due_s = board.next_due_s()
        if due_s is not None:
            seconds = min(seconds, max(0.0, due_s - board.clock.now()))
        if seconds:
            board.skip(seconds)

    def _failure(self, passed_s: float) -> SimulatorError:
        return SimulatorError(
            f"{passed_s:.0f} s of {self._seconds:g} s had passed after {self._limit_s:g} s of real time; "
            f"the board's state is {self._board.state!r}. Fewer or longer sleeps pass faster; see limit_s")
