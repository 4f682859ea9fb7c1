"""Who may do what: tokens with roles, of which only hashes are kept, and a cookie for browsers."""
from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from toolkit.archive import write_whole
from toolkit.errors import ToolkitError, UsageError

ROLES = ("view", "operate", "admin")           # each may what those before it may
COOKIE = "micros_session"
COOKIE_S = 12 * 3600
LOOK_S = 5.0                                   # between two looks whether a token still counts
FILE, KEY_FILE = "tokens.json", "cookie.key"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OWN_PAGE = ("same-origin", "none")             # Sec-Fetch-Site, W3C Fetch Metadata: our page, or what a person typed
_PREFIX = "micros_"
_MOST_CHARS = 256
_LABEL = re.compile(r"[\w .@-]{1,40}")

Guard = Callable[[HTTPConnection], Awaitable["Caller"]]


class NotKeptError(ToolkitError):
    """Raised when a file of the gateway's folder cannot be written or read: the disk is full, or not ours."""


@dataclass(frozen=True)
class Token:
    """What is kept of a token. ident: tells it apart, and is no secret."""

    ident: str
    role: str
    hash: str
    label: str = ""
    made_at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Caller:
    """Whoever has shown a token. may_be_misled: a browser did, and another site's page may have had it do so."""

    ident: str
    role: str
    may_be_misled: bool = False

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


class Access:
    """The tokens of a gateway, in a file for its owner's eyes only. Nobody is trusted by address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokens = self._load()
        self._key = self._cookie_key()
        self._read_at = self._stamp()

    def is_new(self) -> bool:
        """True when there is no token yet: make one, and show it."""
        return not self._tokens

    def make(self, role: str, label: str = "") -> str:
        """A new token in clear, for the only time. Raises UsageError for an unknown role, NotKeptError."""
        if role not in ROLES:
            raise UsageError(f"a role is one of {', '.join(ROLES)}, got {role!r}")
        if label and not _LABEL.fullmatch(label):
            raise UsageError(f"a label is up to 40 letters, digits, blanks, . @ _ or -, got {label!r}")
        secret = _PREFIX + secrets.token_urlsafe(32)
        token = Token(secrets.token_hex(4), role, _hash(secret), label)
        self._refresh()
        self._save([*self._tokens, token])
        return secret

    def revoke(self, ident: str) -> bool:
        """False when there is no such token. Its cookies end with it. Raises NotKeptError: then it still counts."""
        self._refresh()
        kept = [token for token in self._tokens if token.ident != ident]
        found = len(kept) < len(self._tokens)
        if found:
            self._save(kept)
        return found

    def tokens(self) -> list[Token]:
        self._refresh()
        return list(self._tokens)

    def caller(self, secret: str) -> Caller | None:
        """Who holds a token; None for a wrong one. Takes the same time whichever is wrong."""
        self._refresh()
        told, found = _hash(secret[:_MOST_CHARS]), None
        for token in self._tokens:
            if hmac.compare_digest(token.hash, told):
                found = Caller(token.ident, token.role)
        return found

    def cookie(self, caller: Caller) -> str:
        """The value of a session cookie: whose, until when, signed."""
        text = f"{caller.ident}.{int(time.time()) + COOKIE_S}"
        return f"{text}.{self._sign(text)}"

    def of_cookie(self, value: str) -> Caller | None:
        text, _, signature = value[:_MOST_CHARS].rpartition(".")
        ident, _, until = text.partition(".")
        if not hmac.compare_digest(self._sign(text).encode(), signature.encode("utf-8", "replace")):
            return None
        if not until.isdigit() or int(until) < time.time():
            return None
        self._refresh()
        return next((Caller(ident, token.role) for token in self._tokens if token.ident == ident), None)

    def recognise(self, connection: HTTPConnection) -> Caller | None:
        """Who is behind a request or websocket, by its header or cookie."""
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret:
            return self.caller(secret.strip())
        value = connection.cookies.get(COOKIE)
        caller = self.of_cookie(value) if value else None
        if caller is None or not is_own_page(connection):
            return None
        return replace(caller, may_be_misled=not tells_its_page(connection))

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _cookie_key(self) -> bytes:
        path = self._folder / KEY_FILE
        key = _read(path)
        if key is None:
            key = secrets.token_bytes(32)
            _write(path, key)
        return key

    def _load(self) -> list[Token]:
        path = self._folder / FILE
        text = _read(path)
        try:
            return [Token(**row) for row in json.loads(text)] if text is not None else []
        except (ValueError, TypeError) as error:
            raise UsageError(f"{path} holds no tokens ({error}): mend it, or remove it to begin anew") from None

    def _save(self, tokens: list[Token]) -> None:
        """They count when they are kept."""
        _write(self._folder / FILE, json.dumps([asdict(token) for token in tokens], indent=1).encode())
        self._tokens, self._read_at = tokens, self._stamp()

    def _stamp(self) -> tuple[int, int]:
        try:
            found = os.stat(self._folder / FILE)
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def _refresh(self) -> None:
        """Another process makes tokens, too: `--gateway --token view` while this one runs."""
        if self._stamp() != self._read_at:
            self._tokens = self._load()
            self._read_at = self._stamp()


def is_own_page(connection: HTTPConnection) -> bool:
    """True when no other site's page has sent this: a browser names the page's origin when it acts for it."""
    origin = connection.headers.get("origin")
    if origin is None:
        return bool(connection.scope["type"] == "http")
    return urlsplit(str(origin)).netloc == connection.headers.get("host")


def tells_its_page(connection: HTTPConnection) -> bool:
    """False when it may be a picture in another port's page: a browser sends our cookie there, and no origin."""
    is_told = "origin" in connection.headers or connection.headers.get("sec-fetch-site") in OWN_PAGE
    return is_told or connection.scope.get("method") not in SAFE_METHODS


@functools.cache
def needs(role: str) -> Guard:
    """FastAPI dependency: `Depends(needs("operate"))`. 401 without a token, 403 when its role is not enough."""
    async def guard(connection: HTTPConnection) -> Caller:
        caller = connection.app.state.gateway.access.recognise(connection)
        if caller is None:
            raise HTTPException(401, "show a token: header Authorization: Bearer <token>; "
                                     "devToolKit.py --gateway --token view makes one", {"WWW-Authenticate": "Bearer"})
        if not caller.may(role):
            raise HTTPException(403, f"this takes the role {role}, and the token shown has {caller.role}")
        return caller  # type: ignore[no-any-return]

    return guard


async def disowned(connection: HTTPConnection, role: str) -> None:
    """Returns when the token or cookie behind a connection that lasts counts no more: revoked, or too old."""
    access: Access = connection.app.state.gateway.access
    while (caller := access.recognise(connection)) and caller.may(role):
        await asyncio.sleep(LOOK_S)


def _read(path: Path) -> bytes | None:
    """None when there is no such file. Raises NotKeptError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotKeptError(f"{path} cannot be read: {error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise NotKeptError(f"{path} cannot be written: {error.strerror}; make room for it, or set MICROS_DATA to "
                           "another folder") from None


def _hash(secret: str) -> str:
    # 256 random bits cannot be guessed, so one round of SHA-256 is enough; a password would need a slow hash
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
