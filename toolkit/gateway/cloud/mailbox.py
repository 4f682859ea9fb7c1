"""Actions that wait for things, run there, and have an outcome.

    waiting -> sent -> taken -> done        sent: in a reply; taken: the thing has acknowledged that reply by PUBACK
                          -> invoked -> done
    waiting -> expired | cancelled          taken, invoked -> unknown, when nothing is heard of it any more

A mail is handed out once. Only one whose reply was never acknowledged may come to a thing again, and then `tries` says
so: such an action may have run twice. A thing that took it and forgot it leaves `unknown`.
"""
from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ParamSpec, TypeVar

from toolkit.errors import UsageError
from toolkit.gateway.cloud.bell import Bell
from toolkit.gateway.cloud.plain import is_plain
from toolkit.gateway.cloud.vault import ConflictError, Store, Vault
from toolkit.gateway.engine import MIB, escaped, unescaped
from toolkit.gateway.errors import QueueFullError, UnavailableError, UnknownThingError

ACTIONS = Store("cloud_actions", 32 * MIB, 30 * 86_400)      # open.<thing>.<ident> and done.<thing>.<ident>: an Action
OPEN = ("waiting", "sent", "taken", "invoked")
WINDOW = 12                    # mails that a thing has and has not answered; our agents take 16
MOST_PROGRESS = 100
MOST_TEXT, MOST_PARAMS = 4096, 64 * 1024
SWEEP_S, LOOK_S = 1.0, 60.0
TIMED_OUT, UNKNOWN = 16, "unknown"
INVOKED = "Invoked"            # the word of progress that says: its outcome comes later

Given = ParamSpec("Given")
Made = TypeVar("Made")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Action:
    """ttl_s: for the thing to take it; timeout_s: for the next word of it. tries > 1: it may have run more than once.

    out, progress ([[seconds since 1970, text]]): of the thing. late: the outcome came after we had given up.
    """

    ident: str
    thing: str
    method: str
    params: dict[str, Any] | None = None
    by: str = ""
    ttl_s: float = 86_400.0
    timeout_s: float = 3600.0
    made_at: float = field(default_factory=time.time)
    state: str = "waiting"
    tries: int = 0
    heard_at: float = 0.0
    progress: list[list[Any]] = field(default_factory=list)
    code: int | None = None
    message: str | None = None
    out: dict[str, Any] | None = None
    ended_at: float = 0.0
    late: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_over(self, now: float) -> bool:
        """Nobody waits for it any longer, or somebody has given it up and did not come to tell."""
        if not self.is_open:
            return True
        if self.state in ("waiting", "sent"):
            return now > self.made_at + self.ttl_s
        return now > self.heard_at + self.timeout_s


class _StaleError(UnavailableError):
    """Raised when another gateway has changed what we knew: look again."""


def _looking_again(work: Callable[Given, Awaitable[Made]]) -> Callable[Given, Awaitable[Made]]:
    """A method that is done once more when what it knew was stale."""
    @functools.wraps(work)
    async def done(*words: Given.args, **named: Given.kwargs) -> Made:
        try:
            return await work(*words, **named)
        except _StaleError:
            return await work(*words, **named)

    return done


class _Box:
    """The open actions of a thing, as this gateway knows them: {ident: (action, revision)}."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.rows: dict[str, tuple[Action, int]] = {}
        self.is_fresh = False


class Mailbox:
    """on_mail(thing): there may be mail for it; on_end(action)."""

    def __init__(self, vault: Vault, bell: Bell) -> None:
        self.on_mail: Callable[[str], None] = lambda thing: None
        self.on_end: Callable[[Action], None] = lambda action: None
        self.on_change: Callable[[Action], None] = lambda action: None
        self._vault = vault
        self._bell = bell
        self._boxes: dict[str, _Box] = {}            # of things that are connected here, and of those just in use
        self._present: set[str] = set()
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        vault.declare(ACTIONS)
        bell.on("mail", self._rung)
        bell.on("done", self._ended)

    async def start(self) -> None:
        self.soon(self._sweeping())

    async def stop(self) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    def soon(self, work: Awaitable[None]) -> None:
        """Work that nobody waits for; when the engine is away it is left to the sweep."""
        async def quiet() -> None:
            with contextlib.suppress(UnavailableError, ConflictError):
                await work

        chore = asyncio.create_task(quiet())
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    # -- whoever asks
    async def post(self, thing: str, method: str, params: dict[str, Any] | None, by: str, most: int,
                   ttl_s: float = 86_400.0, timeout_s: float = 3600.0) -> Action:
        """A new action; when this returns it is kept. Raises QueueFullError, UsageError, UnavailableError."""
        is_fine = 0 < len(method) <= 128 and is_plain([method, params])
        if not is_fine or len(json.dumps(params)) > MOST_PARAMS:
            raise UsageError(f"an action has a name of 1-128 characters, its params up to {MOST_PARAMS} bytes")
        async with self._box(thing) as box:
            if len(box.rows) >= most:
                raise QueueFullError(f"{len(box.rows)} actions wait for {thing} already, its limit is {most}")
            action = Action(secrets.token_hex(12), thing, method, params, by, ttl_s, timeout_s)
            revision = await self._vault.swap(ACTIONS, _key("open", action), _dumped(action), 0)
            box.rows[action.ident] = action, revision
        self._bell.ring("mail", thing=thing)
        return action

    async def get(self, thing: str, ident: str) -> Action:
        """Raises UnknownThingError."""
        found = await self._found(f"{escaped(thing)}.{escaped(ident[:40])}")
        if found is None:
            raise UnknownThingError(f"{thing} has no action {ident[:40]!r}")
        return found

    async def all(self, thing: str, most: int = 100) -> list[Action]:
        """The latest first."""
        listed = await self._vault.keys(ACTIONS, f"*.{escaped(thing)}.*")
        keys = sorted({key.partition(".")[2] for key in listed})
        found: dict[str, Action] = {}
        for at in range(0, len(keys), 64):
            for action in await asyncio.gather(*map(self._found, keys[at:at + 64])):
                if action:
                    found[action.ident] = action
        return sorted(found.values(), key=lambda action: -action.made_at)[:most]

    async def _found(self, key: str) -> Action | None:
        """Asked in this order: what ends meanwhile is seen on either side."""
        entries = [await self._vault.get(ACTIONS, f"{place}.{key}") for place in ("open", "done")]
        entry = entries[1] or entries[0]
        return _loaded(entry.value) if entry else None

    async def wait(self, thing: str, ident: str, timeout_s: float) -> Action:
        """The action when it has ended, or as it is after so long."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(ident, []).append(waiter)
        try:
            action = await self.get(thing, ident)
            if action.is_open and timeout_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(timeout_s):
                        await waiter
                action = await self.get(thing, ident)
            return action
        finally:
            rows = self._waiters.get(ident, [])
            if waiter in rows:
                rows.remove(waiter)
            if not rows:
                self._waiters.pop(ident, None)

    @_looking_again
    async def cancel(self, thing: str, ident: str) -> Action:
        """Take back what the thing has not got yet. Raises UsageError when it has, UnknownThingError."""
        async with self._box(thing) as box:
            row = box.rows.get(ident)
            if row is None:
                return await self.get(thing, ident)
            if row[0].state != "waiting":
                raise UsageError(f"{thing} has this action already: it is {row[0].state}")
            return await self._give_up(box, row[0], "cancelled", None)

    # -- the thing
    async def begin(self, thing: str) -> bool:
        """A thing has come. True when mail waits."""
        self._present.add(thing)
        async with self._box(thing, is_fresh=True) as box:
            return any(action.state in ("waiting", "sent") for action, _ in box.rows.values())

    async def refreshed(self, thing: str) -> None:
        """What other gateways have put into the box of a thing that is here is read."""
        async with self._box(thing):
            pass

    def end(self, thing: str) -> None:
        self._present.discard(thing)
        self._boxes.pop(thing, None)

    @_looking_again
    async def check(self, thing: str, handed: Collection[str]) -> list[Action]:
        """Mails to be handed out now. handed: idents that this session of the thing got already"""
        found: list[Action] = []
        async with self._box(thing) as box:
            rows = sorted(box.rows.values(), key=lambda row: row[0].made_at)
            busy = sum(action.ident in handed and action.state in ("sent", "taken") for action, _ in rows)
            for action, _ in rows:
                if busy + len(found) < WINDOW and action.ident not in handed and action.state in ("waiting", "sent"):
                    found.append(await self._change(box, action, state="sent", tries=action.tries + 1))
        return found

    async def taken(self, thing: str, idents: Collection[str]) -> None:
        """The thing has acknowledged the reply with these: they do not go out again."""
        async with self._box(thing) as box:
            for ident in idents:
                row = box.rows.get(ident)
                if row and row[0].state == "sent":
                    await self._change(box, row[0], state="taken")

    @_looking_again
    async def update(self, thing: str, ident: str, text: str) -> bool:
        """A word of progress. False for no such mail."""
        async with self._box(thing) as box:
            row = box.rows.get(ident)
            if row is None:
                return await self._last_word(thing, ident, text)
            action = _told(row[0], text)
            if action is not row[0]:
                is_invoked = text == INVOKED or row[0].state == "invoked"
                action = await self._change(box, action, state="invoked" if is_invoked else "taken")
                self.on_change(action)
            return True

    @_looking_again
    async def ack(self, thing: str, ident: str, code: int, message: str | None, out: dict[str, Any] | None) -> bool:
        """The outcome; the first one counts. False for no such mail."""
        async with self._box(thing) as box:
            row = box.rows.get(ident)
            if row is None:
                return await self._late(thing, ident, code, message, out)
            await self._end(box, replace(row[0], state="done", code=code, message=message, out=out,
                                         tries=max(1, row[0].tries), ended_at=time.time()))
            return True

    def has_room(self, thing: str, handed: Collection[str]) -> bool:
        """True when mail waits that check() would hand out."""
        box = self._boxes.get(thing)
        rows = [action for action, _ in box.rows.values()] if box else []
        busy = sum(action.ident in handed and action.state in ("sent", "taken") for action in rows)
        return busy < WINDOW and any(action.ident not in handed and action.state in ("waiting", "sent")
                                     for action in rows)

    async def forget(self, thing: str) -> None:
        self.end(thing)
        for place in ("open", "done"):
            await self._vault.remove(ACTIONS, f"{place}.{escaped(thing)}.>")

    # -- within
    @contextlib.asynccontextmanager
    async def _box(self, thing: str, is_fresh: bool = False) -> Any:
        """The box, locked and read; after a conflict with another gateway the next one reads it once more."""
        box = self._boxes.setdefault(thing, _Box())
        async with box.lock:
            try:
                if is_fresh or not box.is_fresh or thing not in self._present:
                    await self._load(thing, box)
                yield box
            except (ConflictError, UnavailableError) as error:
                box.is_fresh = False
                if isinstance(error, ConflictError):
                    raise _StaleError("another gateway was quicker: try again") from None
                raise
            finally:
                if thing not in self._present and self._boxes.get(thing) is box:
                    del self._boxes[thing]

    async def _load(self, thing: str, box: _Box) -> None:
        rows: dict[str, tuple[Action, int]] = {}
        for key in await self._vault.keys(ACTIONS, f"open.{escaped(thing)}.*"):
            entry = await self._vault.get(ACTIONS, key)
            if entry is None:
                continue
            action = _loaded(entry.value)
            if await self._vault.get(ACTIONS, _key("done", action)):     # its end was written, its removal was not
                await self._vault.remove(ACTIONS, key)
            else:
                rows[action.ident] = action, entry.revision
        box.rows, box.is_fresh = rows, True

    async def _change(self, box: _Box, action: Action, **values: Any) -> Action:
        changed = replace(action, heard_at=time.time(), **values)
        revision = await self._vault.swap(ACTIONS, _key("open", changed), _dumped(changed), box.rows[action.ident][1])
        box.rows[action.ident] = changed, revision
        return changed

    async def _give_up(self, box: _Box, action: Action, state: str, code: int | None) -> Action:
        """First it is claimed: another gateway that would hand it out now meets a conflict."""
        claimed = await self._change(box, action, state=state)
        return await self._end(box, replace(claimed, code=code, ended_at=time.time()))

    async def _end(self, box: _Box, action: Action) -> Action:
        """First the end is kept, then the open one removed: whoever finds both knows."""
        try:
            await self._vault.swap(ACTIONS, _key("done", action), _dumped(action), 0)
        except ConflictError:
            action = await self.get(action.thing, action.ident)
        box.rows.pop(action.ident, None)
        self.soon(self._vault.remove(ACTIONS, _key("open", action)))
        self._told(action)
        return action

    async def _late(self, thing: str, ident: str, code: int, message: str | None, out: dict[str, Any] | None) -> bool:
        entry = await self._vault.get(ACTIONS, f"done.{escaped(thing)}.{escaped(ident)}")
        if entry is None:
            return False
        action = _loaded(entry.value)
        if action.state in (UNKNOWN, "expired"):
            ended = replace(action, state="done", code=code, message=message, out=out, late=True, ended_at=time.time())
            await self._vault.swap(ACTIONS, _key("done", action), _dumped(ended), entry.revision)
            self._told(ended)
        return True

    async def _last_word(self, thing: str, ident: str, text: str) -> bool:
        """Progress of what has ended: the public agent says things in any order."""
        entry = await self._vault.get(ACTIONS, f"done.{escaped(thing)}.{escaped(ident)}")
        if entry is None:
            return False
        action = _loaded(entry.value)
        told = _told(action, text)
        if told is not action:
            await self._vault.swap(ACTIONS, _key("done", action), _dumped(told), entry.revision)
        return True

    def _told(self, action: Action) -> None:
        self.on_end(action)
        self._bell.ring("done", thing=action.thing, ident=action.ident)

    def _wake(self, ident: str) -> None:
        for waiter in self._waiters.get(ident, ()):
            if not waiter.done():
                waiter.set_result(None)

    def _rung(self, told: dict[str, Any]) -> None:
        thing = str(told.get("thing"))
        self._stale(thing, told)
        self.on_mail(thing)

    def _ended(self, told: dict[str, Any]) -> None:
        self._stale(str(told.get("thing")), told)
        self._wake(str(told.get("ident")))

    def _stale(self, thing: str, told: dict[str, Any]) -> None:
        """What another gateway has written into a box is read before it is used."""
        if told.get("is_far") and thing in self._boxes:
            self._boxes[thing].is_fresh = False

    async def _sweeping(self) -> None:
        looked_at = 0.0
        while True:
            try:
                now = time.time()
                if now - looked_at >= LOOK_S:
                    looked_at = now
                    await self.sweep(await self._all_open())
                else:
                    await self.sweep([thing for thing, box in self._boxes.items()
                                      if any(row[0].is_over(now) for row in box.rows.values())])
            except UnavailableError as error:
                log.debug("the sweep waits: %s", error)
            except Exception:            # outer wall: the next sweep may fare better
                log.exception("the sweep of the mailbox failed")
            await asyncio.sleep(SWEEP_S)

    async def _all_open(self) -> list[str]:
        return sorted({unescaped(key.split(".")[1]) for key in await self._vault.keys(ACTIONS, "open.>")})

    async def sweep(self, things: list[str]) -> None:
        """End what nobody waits for any longer."""
        for thing in things:
            async with self._box(thing) as box:
                for action, _ in list(box.rows.values()):
                    if action.is_over(time.time()):
                        state = "expired" if action.state == "waiting" else UNKNOWN if action.is_open else action.state
                        await self._give_up(box, action, state, None if state == "cancelled" else TIMED_OUT)


def _told(action: Action, text: str) -> Action:
    """With one more word of progress; the same when it is the last one once more, as after a drop."""
    text = text[:MOST_TEXT]
    if action.progress and action.progress[-1][1] == text:
        return action
    return replace(action, progress=[*action.progress, [time.time(), text]][-MOST_PROGRESS:])


def _key(place: str, action: Action) -> str:
    return f"{place}.{escaped(action.thing)}.{escaped(action.ident)}"


def _dumped(action: Action) -> bytes:
    return json.dumps(asdict(action)).encode()


def _loaded(value: bytes) -> Action:
    return Action(**json.loads(value))
