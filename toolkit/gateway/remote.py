"""A client of a gateway's REST API, for commands: where it is, the token from a file or the environment."""
from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from toolkit.errors import LinkError, RefusedError, ToolkitError, UnknownDeviceError, UsageError

ADDRESS_VARIABLE, TOKEN_VARIABLE, FILE_VARIABLE = "MICROS_GATEWAY", "MICROS_GATEWAY_TOKEN", "MICROS_GATEWAY_TOKEN_FILE"
ADDRESS = "http://127.0.0.1:5000"
TIMEOUT_S = 60.0
HINT = f"""The token comes from the variable {TOKEN_VARIABLE}, or from a file that {FILE_VARIABLE} names; it is never
a word of the command line. devToolKit.py --gateway --token operate makes one."""

# HTTP status -> error with the exit code a script sees
_ERRORS: dict[int, type[ToolkitError]] = {
    401: RefusedError, 403: RefusedError, 404: UnknownDeviceError, 409: RefusedError, 422: UsageError, 503: LinkError}


class Remote:
    """A gateway, and what it answers."""

    def __init__(self, address: str | None = None, token: str | None = None) -> None:
        """address: None for that of the environment, else this machine's. Raises UsageError without a token."""
        self.address = (address or os.environ.get(ADDRESS_VARIABLE) or ADDRESS).rstrip("/")
        if not self.address.startswith(("http://", "https://")):
            raise UsageError(f"a gateway is at http://host:port, got {self.address[:80]!r}")
        self.token = token or token_of_environment()

    def ask(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of an answer, None for an empty one.

        Raises LinkError when there is no gateway, RefusedError, UsageError, UnknownDeviceError with its words.
        """
        given = {key: value for key, value in query.items() if value is not None}
        target = f"{self.address}{path}{'?' + urllib.parse.urlencode(given, doseq=True) if given else ''}"
        request = urllib.request.Request(target, None if body is None else json.dumps(body).encode(), method=verb,
                                         headers={"Authorization": f"Bearer {self.token}",
                                                  "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (OSError, ValueError) as error:
            raise LinkError(f"no gateway answers at {self.address} ({getattr(error, 'reason', error)}): start one with "
                            f"devToolKit.py --gateway, or name it with {ADDRESS_VARIABLE}") from None
        return json.loads(text) if text else None


def token_of_environment() -> str:
    """Raises UsageError."""
    token, path = os.environ.get(TOKEN_VARIABLE, ""), os.environ.get(FILE_VARIABLE, "")
    try:
        token = token or (Path(path).expanduser().read_text() if path else "")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{FILE_VARIABLE} names {path}, which cannot be read: {error}") from None
    if not token.strip():
        raise UsageError(f"the gateway wants a token. {HINT}")
    return token.strip()


def _refused(error: urllib.error.HTTPError) -> ToolkitError:
    text = error.read().decode("utf-8", "replace")
    try:
        words = str(json.loads(text)["detail"])
    except (ValueError, KeyError, TypeError):
        words = f"the gateway answered {error.code}: {text[:200]}"
    return _ERRORS.get(error.code, ToolkitError)(words)
