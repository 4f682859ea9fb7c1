"""The things of the cloud: who they are, the tokens they come in with, what they may do and how much of it."""
from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from toolkit.errors import UsageError
from toolkit.gateway.cloud.plain import is_plain
from toolkit.gateway.cloud.vault import ConflictError, Store, Vault
from toolkit.gateway.engine import MIB, escaped, unescaped
from toolkit.gateway.errors import UnknownThingError

THINGS = Store("cloud_things", 16 * MIB)       # thing.<key>: a Thing; token.<hash>: a Token
ROLES = ("tell", "act", "share")               # each may what those before it may; see commands.COMMANDS
PREFIX = "thing_"
SHARED = "all"                 # no thing's key: in a path it stands for the files of all
DETAILS = ("name", "desc", "iccid", "esn", "imei", "meid", "imsi")
AT_ONCE = 64
COUNT_S = 30.0
TRIES = 5

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@ -]{0,63}")
_PATTERN = re.compile(r"[A-Za-z0-9*][A-Za-z0-9_.:@* -]{0,63}")
_LABEL = re.compile(r"[\w .@-]{0,40}")
_MOST_CHARS = 256              # of a secret that is shown


@dataclass(frozen=True)
class Limits:
    """What one thing may cost.

    rate_hz, burst   requests; one that asks faster is read more slowly
    keys             names of each kind whose last value is kept
    mails            actions that wait for it
    files, bytes     in its own store
    """

    rate_hz: float = 20.0
    burst: int = 200
    keys: int = 500
    mails: int = 100
    files: int = 100
    bytes: int = 64 * MIB


@dataclass(frozen=True)
class Token:
    """What is kept of a token. things: a key, or a pattern with *; whoever fits it and comes first is registered."""

    ident: str
    things: str
    role: str
    label: str = ""
    most: int = 1                              # things that may come in with it
    limits: Mapping[str, float] = field(default_factory=dict)
    made_at: float = field(default_factory=time.time)

    def bounds(self) -> Limits:
        return Limits(**self.limits)           # type: ignore[arg-type]


@dataclass(frozen=True)
class Thing:
    """token: ident of the one it came with last; details: of thing.update, iccid and the like"""

    key: str
    token: str = ""
    role: str = "tell"
    limits: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    is_blocked: bool = False
    made_at: float = field(default_factory=time.time)
    seen_at: float = 0.0

    def may(self, role: str) -> bool:
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)

    def bounds(self) -> Limits:
        return Limits(**self.limits)           # type: ignore[arg-type]


class Things:
    """The register, kept in a vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._users: dict[str, int] = {}               # token ident -> things that came with it, as last counted
        self._counted_at = -COUNT_S
        vault.declare(THINGS)

    # -- tokens
    async def make_token(self, things: str, role: str = "act", label: str = "", most: int | None = None,
                         limits: Mapping[str, float] | None = None) -> tuple[Token, str]:
        """(what is kept, the secret in clear for the only time). Raises UsageError."""
        if not _PATTERN.fullmatch(things):
            raise UsageError(f"a token is for a thing key or a pattern with *, up to 64 signs, got {things[:80]!r}")
        if role not in ROLES:
            raise UsageError(f"a thing's role is one of {', '.join(ROLES)}, got {role!r}")
        if not _LABEL.fullmatch(label):
            raise UsageError(f"a label is up to 40 letters, digits, blanks, . @ _ or -, got {label!r}")
        most = most if most is not None else 1000 if "*" in things else 1
        token = Token(secrets.token_hex(4), things, role, label, most, checked_limits(limits or {}))
        secret = PREFIX + secrets.token_urlsafe(32)
        await self._vault.swap(THINGS, f"token.{_hash(secret)}", _dumped(token), 0)
        return token, secret

    async def tokens(self) -> list[Token]:
        return [token for _, token in await self._tokens()]

    async def revoke(self, ident: str) -> bool:
        """False when there is none. Ending the sessions is the caller's."""
        for key, token in await self._tokens():
            if token.ident == ident:
                await self._vault.remove(THINGS, key)
                return True
        return False

    async def admit(self, key: str, secret: bytes) -> Thing | None:
        """Who comes with this key and token; None: nobody we know. A new one is registered."""
        if not is_key(key) or not 0 < len(secret) <= _MOST_CHARS:
            return None
        entry = await self._vault.get(THINGS, f"token.{_hash(secret)}")
        token = Token(**json.loads(entry.value)) if entry else None
        if token is None or not fnmatchcase(key, token.things):
            return None
        for _ in range(TRIES):
            found, revision = await self._read(key)
            if found is None and await self._is_used_up(token):
                return None
            if found and found.is_blocked:
                return None
            thing = replace(found or Thing(key), token=token.ident, role=token.role, limits=token.limits,
                            seen_at=time.time())
            try:
                await self._vault.swap(THINGS, _of(key), _dumped(thing), revision)
            except ConflictError:
                continue
            if found is None:
                self._users[token.ident] = self._users.get(token.ident, 0) + 1
            return thing
        return None

    # -- things
    async def get(self, key: str) -> Thing:
        """Raises UnknownThingError."""
        found, _ = await self._read(key) if is_key(key) else (None, 0)
        if found is None:
            raise UnknownThingError(f"there is no thing {key[:64]!r}: GET /api/v1/things lists them")
        return found

    async def all(self) -> list[Thing]:
        keys = [unescaped(name.partition(".")[2]) for name in await self._vault.keys(THINGS, "thing.*")]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(key: str) -> Thing | None:
            async with gate:
                return (await self._read(key))[0]

        return [thing for thing in await asyncio.gather(*map(one, keys)) if thing]

    async def change(self, key: str, **values: Any) -> Thing:
        """values: fields of Thing; those in details are merged, None takes one out. Raises UnknownThingError."""
        if not is_plain(values):
            raise UsageError("a text of a thing has a form in UTF-8")
        for _ in range(TRIES):
            thing, revision = await self._read(key)
            if thing is None:
                break
            details = {**thing.details, **values.get("details", {})}
            changed = replace(thing, **{**values, "details": {name: text for name, text in details.items() if text}})
            if changed == thing:
                return thing
            try:
                await self._vault.swap(THINGS, _of(key), _dumped(changed), revision)
                return changed
            except ConflictError:
                continue
        return await self.get(key)

    async def forget(self, key: str) -> None:
        await self._vault.remove(THINGS, _of(key))

    async def _is_used_up(self, token: Token) -> bool:
        """Counted anew now and then, since other gateways let things in, too, and before anybody is refused."""
        is_old = time.monotonic() - self._counted_at > COUNT_S
        if is_old or self._users.get(token.ident, 0) >= token.most:
            self._users = dict(Counter(thing.token for thing in await self.all()))
            self._counted_at = time.monotonic()
        return self._users.get(token.ident, 0) >= token.most

    async def _read(self, key: str) -> tuple[Thing | None, int]:
        entry = await self._vault.get(THINGS, _of(key))
        return (Thing(**json.loads(entry.value)), entry.revision) if entry else (None, 0)

    async def _tokens(self) -> list[tuple[str, Token]]:
        found = []
        for key in await self._vault.keys(THINGS, "token.*"):
            entry = await self._vault.get(THINGS, key)
            if entry:
                found.append((key, Token(**json.loads(entry.value))))
        return found


def checked_limits(limits: Mapping[str, float]) -> dict[str, float]:
    """Raises UsageError for a limit there is not, or that is no positive number."""
    known = asdict(Limits())
    for name, value in limits.items():
        if name not in known or isinstance(value, bool) or not 0 < value <= 1e12:
            raise UsageError(f"a limit is a positive number for one of {', '.join(known)}, got {name[:20]!r}: {value}")
    return {name: value if name == "rate_hz" else int(value) for name, value in limits.items()}


def is_key(key: object) -> bool:
    return isinstance(key, str) and key != SHARED and bool(_KEY.fullmatch(key))


def _of(key: str) -> str:
    return f"thing.{escaped(key)}"


def _dumped(record: Thing | Token) -> bytes:
    return json.dumps(asdict(record)).encode()


def _hash(secret: str | bytes) -> str:
    # 256 random bits of our own making: one round is enough, as for the tokens of access.py
    return hashlib.sha256(secret if isinstance(secret, bytes) else secret.encode()).hexdigest()
