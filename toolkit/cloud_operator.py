"""The operator's side of a Device Cloud: log in, then ask for things, actions and files.

POST <cloud>/api with {"auth": {...}} gives a session, with {"cmd": {"command", "params"}} it does something.
"""
from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from toolkit.errors import LinkError, RefusedError

WAIT_S = 45.0                  # an action may take 30
MOST_BYTES = 1 << 24


class Operator:
    """address: host, host:port, or https://...; http:// is for loopback

    Raises LinkError when the cloud cannot be reached, RefusedError when it does not let us in.
    """

    def __init__(self, address: str, username: str, password: str, ca: str | None = None,
                 is_checked: bool = True) -> None:
        self._url = (address if "://" in address else f"https://{address}").rstrip("/") + "/api"
        self._context = ssl.create_default_context(cafile=ca)
        if not is_checked:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE
        self._session = ""
        told = self._post({"auth": {"command": "api.authenticate",
                                    "params": {"username": username, "password": password}}}).get("auth")
        session = told.get("params", {}).get("sessionId") if isinstance(told, dict) else None
        if not session:
            raise RefusedError(f"{address} does not let {username} in")
        self._session = str(session)

    def ask(self, command: str, params: dict[str, Any]) -> dict[str, Any]:
        """{"success": ...} as the cloud gives it. Raises LinkError, RefusedError."""
        found = self._post({"cmd": {"command": command, "params": params}}).get("cmd")
        if not isinstance(found, dict):
            raise LinkError(f"{self._url} answers {command} with something else")
        return found

    def execute(self, thing: str, method: str, params: dict[str, Any] | None = None, wait_s: int = 30
                ) -> dict[str, Any]:
        """Have a thing run an action. wait_s: 0: do not wait for its outcome"""
        return self.ask("method.exec", {"thingKey": thing, "method": method, "ackTimeout": wait_s,
                                        "params": params or {}})

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        head = {"Content-Type": "application/json", **({"sessionId": self._session} if self._session else {})}
        try:
            with urlopen(Request(self._url, json.dumps(body).encode(), head), timeout=WAIT_S,
                         context=self._context) as answer:
                found = json.loads(answer.read(MOST_BYTES))
        except HTTPError as error:
            if error.code in (401, 403):
                raise RefusedError(f"{self._url} refuses: {error.code} {error.reason}") from None
            raise LinkError(f"{self._url}: {error.code} {error.reason}") from None
        except (URLError, OSError) as error:
            raise LinkError(f"{self._url}: {getattr(error, 'reason', error)}") from None
        except ValueError:
            raise LinkError(f"{self._url} does not speak JSON") from None
        if not isinstance(found, dict):
            raise LinkError(f"{self._url} answers with something else")
        return found
