"""The gateway's link to one node: one session that lasts, commands in order, answers shared, one owner of its state."""
from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from toolkit.errors import LinkError, RefusedError, ToolkitError
from toolkit.gateway.errors import (
    NodeLockedError,
    NodeOfflineError,
    NodeSilentError,
    QueueFullError,
    StrangeAnswerError,
)
from toolkit.gateway.reading import is_reading, normal, one_line
from toolkit.gateway.session import Session
from toolkit.gateway.settings import Settings
from toolkit.inventory import Device
from toolkit.session import archived_password, failed

UNKNOWN, UP, DOWN = "unknown", "up", "down"
KEPT_ANSWERS = 64              # of reading commands, for each node
LEAST_S = 0.05                 # a command that had to wait still gets this long for its answer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What a node said to a command.

    ok          False when the node says that the command failed
    latency_s   from sending to the whole answer
    at          when it came, seconds since 1970
    """

    text: str
    ok: bool
    latency_s: float
    at: float


@dataclass
class Request:
    """Lines that nothing may come between, and who waits for their answers. is_sent: the node has got some of it."""

    lines: Sequence[str]
    deadline: float
    is_reading: bool
    answers: asyncio.Future[list[Answer]]
    is_sent: bool = False


@dataclass
class Figures:
    """Counted since the gateway began."""

    commands: int = 0
    failures: int = 0              # the node said no
    lost: int = 0                  # no answer
    refused: int = 0               # the queue was full, or the wait too long
    connects: int = 0
    shared: int = 0                # answered from what was known, or together with another


@dataclass
class State:
    """What is known of a node's reachability. why: of a node that is down, or up and busy or locked."""

    state: str = UNKNOWN
    why: str = ""
    latency_s: float | None = None
    last_seen: float | None = None
    figures: Figures = field(default_factory=Figures)


class NodeLink:
    """Alone decides whether its node is up or down, and tells so.

    told     called whenever name, version or state have changed
    met      (device) when another node answers at the address
    """

    def __init__(self, device: Device, settings: Settings, told: Callable[[], None],
                 met: Callable[[Device], None]) -> None:
        self.device = device
        self.version = ""
        self.is_locked = False
        self.now = State()
        self._settings = settings
        self._told = told
        self._met = met
        self._waiting: deque[Request] = deque()
        self._news = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._kept: dict[str, Answer] = {}
        self._asked: dict[str, asyncio.Future[list[Answer]]] = {}
        self._tried_at = -1e9
        self._trouble: ToolkitError | None = None
        self._tried: str | None = None
        self._refused: str | None = None
        self._purse = float(settings.burst)
        self._purse_at = time.monotonic()

    # -- asking
    async def ask(self, command: str, *, timeout_s: float | None = None, max_age_s: float = 0) -> Answer:
        """One command. An answer up to max_age_s old will do for commands of `reading.py`; these may be shared.

        Raises UsageError for what is no command, NodeOfflineError, NodeBusyError, NodeLockedError, QueueFullError
        when it was not sent, NodeSilentError when it was and its outcome is not known.
        """
        command = normal(command)
        if not is_reading(command):
            return (await self._do([command], timeout_s))[0]
        kept = self._kept.get(command)
        if kept and time.time() - kept.at <= max_age_s:
            self.now.figures.shared += 1
            return kept
        return await self._shared(command, timeout_s)

    async def converse(self, lines: Sequence[str], *, timeout_s: float | None = None) -> list[Answer]:
        """Several lines with nothing of others between them, as `conf`, `socmax 4`, `noconf`.

        Raises as ask(), UsageError for a line that a node would take for two.
        """
        for line in lines:
            one_line(line)
        return await self._do(lines, timeout_s)

    async def open_console(self) -> Session:
        """A session of its own, logged in where the archive has the password; for go_raw(). Takes a seat."""
        try:
            return await Session.open(self.device, self._settings.connect_s, self._password)
        except NodeLockedError:
            self._refused = self._tried
            raise

    # -- life
    def move(self, device: Device) -> None:
        """The node is known to be elsewhere, or to have another name."""
        is_elsewhere = device.where != self.device.where
        self.device = device
        if is_elsewhere:
            self._tried_at = -1e9
            self._drop_session()

    def renew(self) -> None:
        """What a session learned at its start may be old: the next command gets a new one."""
        self._drop_session()

    def forget_answers(self) -> None:
        self._kept.clear()

    async def close(self) -> None:
        tasks = [task for task in (self._worker, *self._running) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop_session()
        self._refuse_all(NodeOfflineError("the gateway is stopping"))

    @property
    def is_open(self) -> bool:
        return self._session is not None and self._session.is_open

    @property
    def queued(self) -> int:
        return len(self._waiting) + len(self._running)

    # -- a request's way
    async def _shared(self, command: str, timeout_s: float | None) -> Answer:
        """Who asks what somebody is asking already, waits for the same answer."""
        shared = self._asked.get(command)
        if shared is None:
            shared = self._put([command], timeout_s, is_reading=True).answers
            self._asked[command] = shared
            shared.add_done_callback(lambda done: self._answered(command, done))
        else:
            self.now.figures.shared += 1
        return (await asyncio.shield(shared))[0]

    def _answered(self, command: str, answers: asyncio.Future[list[Answer]]) -> None:
        """In one step from being asked to being known: in between somebody would ask again."""
        self._asked.pop(command, None)
        if answers.cancelled() or answers.exception():
            return
        self._kept.pop(command, None)
        self._kept[command] = answers.result()[0]
        while len(self._kept) > KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]

    async def _do(self, lines: Sequence[str], timeout_s: float | None) -> list[Answer]:
        return await asyncio.shield(self._put(lines, timeout_s, is_reading=False).answers)

    def _put(self, lines: Sequence[str], timeout_s: float | None, is_reading: bool) -> Request:
        if len(self._waiting) >= self._settings.queue:
            self.now.figures.refused += 1
            raise QueueFullError(f"{self.device.name} has {len(self._waiting)} commands waiting: ask again later")
        answers: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        answers.add_done_callback(lambda done: done.cancelled() or done.exception())      # nobody may wait any more
        deadline = time.monotonic() + (timeout_s or self._settings.timeout_s)
        request = Request(lines, deadline, is_reading, answers)
        self._waiting.append(request)
        self._news.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name=f"link {self.device.uid}")
        return request

    async def _work(self) -> None:
        """Until the node has had nothing to do for a while."""
        try:
            while await self._has_work():
                await self._next()
        finally:
            self._drop_session()

    async def _has_work(self) -> bool:
        if self._waiting:
            return True
        self._news.clear()
        try:
            async with asyncio.timeout(self._settings.idle_s):
                await self._news.wait()
        except TimeoutError:
            return bool(self._waiting)
        return True

    async def _next(self) -> None:
        """Send the oldest request, at its turn: what acts goes alone, what reads goes along with others that read."""
        if not self._waiting:
            return
        request = self._waiting.popleft()
        try:
            await self._pace(request)
            session = await self._opened()
            if request.is_reading and session.pipelines:
                await self._room(self._settings.pipeline - 1)
                self._spawn(self._serve(session, request))
            else:
                await self._room(0)
                await self._serve(await self._opened(), request)      # the wait may have outlived the session
        except ToolkitError as error:
            _refuse(request, error)
        except asyncio.CancelledError:
            _refuse(request, NodeOfflineError("the gateway is stopping"))
            raise
        except Exception as error:       # outer wall: one request does not end a link
            log.exception("a command for %s failed", self.device.name)
            _refuse(request, NodeOfflineError(f"{self.device.name}: {type(error).__name__}"))

    async def _pace(self, request: Request) -> None:
        """Wait until the node's rate allows another command. Raises QueueFullError when the caller would not."""
        settings, now = self._settings, time.monotonic()
        self._purse = min(settings.burst, self._purse + (now - self._purse_at) * settings.rate_hz) - 1
        self._purse_at = now
        wait_s = max(0.0, -self._purse / settings.rate_hz)
        if now + wait_s + LEAST_S > request.deadline:
            self._purse += 1
            self.now.figures.refused += 1
            raise QueueFullError(f"{self.device.name} is given {settings.rate_hz:g} commands a second, and this one "
                                 "had to wait too long: ask less often")
        if wait_s:
            await asyncio.sleep(wait_s)

    async def _room(self, most: int) -> None:
        while len(self._running) > most:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, session: Session, request: Request) -> None:
        try:
            try:
                answers = await self._told_all(session, request)
            except LinkError:
                if not request.is_reading:
                    raise
                answers = await self._told_all(await self._opened(), request)      # reading twice does no harm
        except ToolkitError as error:
            self._failed(request, error)
            return
        except BaseException:
            _refuse(request, NodeSilentError(f"{self.device.name}: the gateway stopped before the answer"))
            raise
        if not request.answers.done():
            request.answers.set_result(answers)
        self._seen(answers)              # whatever becomes of this news, who asked has the answer

    async def _told_all(self, session: Session, request: Request) -> list[Answer]:
        if session.in_configure:                # somebody's line has left it so
            await session.say("noconf", self._settings.connect_s)
        return [await self._told_one(session, request, line) for line in request.lines]

    async def _told_one(self, session: Session, request: Request, line: str) -> Answer:
        begun = time.monotonic()
        request.is_sent = request.is_sent or session.is_open
        text = await session.say(line, max(LEAST_S, request.deadline - begun))
        self.now.figures.commands += 1
        answer = Answer(text, not failed(text), time.monotonic() - begun, time.time())
        self.now.figures.failures += not answer.ok
        return answer

    def _failed(self, request: Request, error: ToolkitError) -> None:
        if request.is_sent and isinstance(error, LinkError):
            self.now.figures.lost += 1
            if not isinstance(error, NodeSilentError):
                error = NodeSilentError(f"{error}; some of it was sent: the node may have done it, or not")
        _refuse(request, error)

    # -- the session
    async def _opened(self) -> Session:
        """The session, a new one where there is none. Raises what Session.open raises, the same again for a while."""
        async with self._opening:
            if self._session and self._session.is_open:
                return self._session
            return await self._new_session()

    async def _new_session(self) -> Session:
        if self._trouble and time.monotonic() - self._tried_at < self._settings.retry_s:
            raise self._trouble
        self._tried_at = time.monotonic()
        try:
            session = await Session.open(self.device, self._settings.connect_s, self._password)
            self._check(session)
        except ToolkitError as error:
            self._trouble = error
            self._know(error)
            raise
        self._trouble = None
        self._take(session)
        return session

    def _know(self, error: ToolkitError) -> None:
        """What an attempt that failed tells of the node: one that says no is up."""
        self.is_locked = isinstance(error, NodeLockedError)
        if self.is_locked:
            self._refused = self._tried         # a node counts wrong passwords: none is sent twice
        self._tell(UP if isinstance(error, RefusedError) else DOWN, str(error))

    def _check(self, session: Session) -> None:
        """Raises StrangeAnswerError when another node has got the address."""
        if session.uid == self.device.uid:
            return
        session.close()
        self._met(replace(self.device, uid=session.uid, name=session.name))
        raise StrangeAnswerError(f"{self.device.name} ({self.device.uid}) has left {self.device.where}: "
                                 f"{session.name} ({session.uid}) answers there")

    def _take(self, session: Session) -> None:
        self._session = session
        self.now.figures.connects += 1
        self.is_locked = session.is_locked
        news = (session.name, session.version) != (self.device.name, self.version)
        self.device = replace(self.device, name=session.name)
        self.version = session.version or self.version
        if self.now.figures.connects > 1:
            self.forget_answers()               # it may have restarted
        self._tell(UP, "", news)

    def _drop_session(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    def _seen(self, answers: Sequence[Answer]) -> None:
        self.now.latency_s, self.now.last_seen = answers[-1].latency_s, answers[-1].at
        self._tell(UP, "")

    def _tell(self, state: str, why: str, is_news: bool = False) -> None:
        if state == UP:
            self.now.last_seen = time.time()
        changed = (state, why) != (self.now.state, self.now.why) if state == UP else state != self.now.state
        self.now.state, self.now.why = state, why
        if changed or is_news:
            self._told()

    def _refuse_all(self, error: ToolkitError) -> None:
        while self._waiting:
            _refuse(self._waiting.popleft(), error)

    def _password(self) -> str | None:
        self._tried = archived_password(self.device)
        return None if self._tried == self._refused else self._tried


def _refuse(request: Request, error: ToolkitError) -> None:
    if not request.answers.done():
        request.answers.set_exception(error)
