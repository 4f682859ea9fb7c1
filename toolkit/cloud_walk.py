"""Every door of the agent, tried against a cloud, one after the other.

A check is a method of Walk that returns a word for people, or raises Failed or Skipped.
"""
from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.cloud_operator import Operator
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from device_cloud import Client

WAIT_S = 20.0
BODY = bytes(range(256)) * 257       # more than one piece, and no round number of them
NO_OPERATOR = "no operator: HDCADDRESS, HDCUSERNAME, HDCPASSWORD"


class Failed(Exception):
    """Raised when a door does not do what it should."""


class Skipped(Exception):
    """Raised when a door cannot be tried."""


@dataclass(frozen=True)
class Row:
    """result: ok failed skipped"""

    check: str
    result: str
    ms: int
    detail: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Walk:
    """config: what stands in a -connect.cfg; folder: an empty one, for files of ours"""

    def __init__(self, app: str, config: dict[str, Any], ident: str, folder: Path, operator: Operator | None) -> None:
        self._app, self._config, self._folder, self._operator = app, config, folder, operator
        (folder / f"{app}-connect.cfg").write_text(json.dumps(config))
        (folder / "device_id").write_text(ident)
        self._mark = secrets.token_hex(4)
        self._refusals: list[str] = []
        self._heard: list[tuple[str, Any]] = []
        self._client = self._made()

    def rows(self) -> Iterator[Row]:
        """Each as soon as it is known. Nothing but the first is tried without a connection."""
        is_up = True
        try:
            for name, check in CHECKS:
                row = self._row(name, check) if is_up else Row(name, "skipped", 0, "no connection")
                is_up = is_up and (name != "connect" or row.result == "ok")
                yield row
        finally:
            self._client.disconnect()

    def _row(self, name: str, check: Callable[[Walk], str]) -> Row:
        begun = time.monotonic()
        try:
            result, detail = "ok", check(self)
        except Skipped as error:
            result, detail = "skipped", str(error)
        except (Failed, ToolkitError, OSError, KeyError, ValueError, ImportError) as error:
            result, detail = "failed", str(error) or type(error).__name__
        return Row(name, result, round(1000 * (time.monotonic() - begun)), detail)

    def _made(self, **more: Any) -> Client:
        from device_cloud import Client

        return Client(self._app, {"config_dir": str(self._folder), "quiet": True, "loop_time": 0.2, **more},
                      error_handler=lambda codes, sent, reply: self._refusals.append(f"{codes} {reply}"))

    # -- checks

    def connect(self) -> str:
        self._client.initialize()
        for name, function in _ACTIONS.items():
            self._client.action_register_callback(name, function, self._heard)
        _is(self._client.connect(WAIT_S), 0)
        return str(self._client.agent.thing)

    def telemetry(self) -> str:
        _is(self._client.telemetry_publish("validate", self._number(), cloud_response=True, corr_id=self._mark), 0)
        return "acknowledged"

    def last_telemetry(self) -> str:
        value = self._number() + 0.5
        _is(self._client.telemetry_publish("validate", value), 0)
        return self._reads(self._client.telemetry_read_last_sample, "validate", value)

    def attribute(self) -> str:
        _is(self._client.attribute_publish("validate", self._mark), 0)
        return self._reads(self._client.attribute_read_last_sample, "validate", self._mark)

    def alarm(self) -> str:
        return self._delivered(self._client.alarm_publish("validate", 0, "all is well"))

    def event(self) -> str:
        return self._delivered(self._client.event_publish(f"validate {self._mark}"))

    def location(self) -> str:
        return self._delivered(self._client.location_publish(45.35, -75.91, 10.0, 70.0, 0.5, 3.0, "manual"))

    def ping(self) -> str:
        _is(self._client.diag_ping(), 0)
        return "answered"

    def clock(self) -> str:
        _is(self._client.diag_time(), 0)
        return "answered"

    def details(self) -> str:
        _is(self._client.update_thing_details(description="tried by devToolKit.py --cloud validate"), 0)
        return "description set"

    def upload(self) -> str:
        path = self._folder / "here.bin"
        path.write_bytes(BODY)
        _is(self._client.file_upload(str(path.absolute()), self._file(), blocking=True, timeout=WAIT_S), 0)
        return f"{len(BODY)} bytes"

    def download(self) -> str:
        path = self._folder / "back.bin"
        _is(self._client.file_download(self._file(), str(path), blocking=True, timeout=WAIT_S), 0)
        if path.read_bytes() != BODY:
            raise Failed("other bytes than those that were sent")
        return "the same bytes"

    def missing_file(self) -> str:
        path = str(self._folder / "none.bin")
        _is(self._client.file_download(f"none-{self._mark}", path, blocking=True, timeout=WAIT_S), 12)
        return "status 12"

    def action(self) -> str:
        answer = self._do("validate_ok", {"mark": self._mark})
        if not answer.get("success"):
            raise Failed(f"the thing did it, the operator hears {_short(answer)}")
        return "done"

    def failing_action(self) -> str:
        return _short(self._do("validate_fails"))

    def raising_action(self) -> str:
        return _short(self._do("validate_raises"))

    def unknown_action(self) -> str:
        return _short(self._told("validate_nothing"))

    def away(self) -> str:
        """What is said and asked while there is no connection."""
        self._client.disconnect()
        value = self._number() + 0.25
        _is(self._client.telemetry_publish("validate", value), 0)
        if self._operator:
            self._operator.execute(self._client.agent.thing, "validate_ok", {"mark": "later"}, 0)
        _is(self._client.connect(WAIT_S), 0)
        said = self._reads(self._client.telemetry_read_last_sample, "validate", value)
        if self._operator:
            _eventually(lambda: ("validate_ok", "later") in self._heard, "the action that waited did not come")
        return said

    def wrong_token(self) -> str:
        self._client.disconnect()
        other = self._made(cloud={"token": f"wrong-{self._mark}"})
        other.initialize()
        try:
            _is(other.connect(WAIT_S), 19)
        finally:
            other.disconnect()
        return "refused"

    # -- what they share

    def _number(self) -> int:
        """Another one each time."""
        return int(time.time()) % 1_000_000

    def _file(self) -> str:
        return f"validate-{self._mark}.bin"

    def _reads(self, read: Callable[[str], tuple[int, Any, Any]], name: str, value: Any) -> str:
        _eventually(lambda: read(name)[:2] == (0, value), f"the cloud does not give {value} back")
        return "read back"

    def _delivered(self, status: int) -> str:
        _is(status, 0)
        self._refusals.clear()
        _eventually(lambda: not self._client.agent.is_busy() and not self._client.agent.requests.waiting(),
                    "no reply came")
        if self._refusals:
            raise Failed(f"refused: {self._refusals[0][:120]}")
        return "acknowledged"

    def _do(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the operator hears of an action that the thing has run."""
        self._heard.clear()
        answer = self._told(method, params)
        _eventually(lambda: method in [name for name, _ in self._heard], "the thing did not hear of it")
        return answer

    def _told(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._operator is None:
            raise Skipped(NO_OPERATOR)
        return self._operator.execute(self._client.agent.thing, method, params)


CHECKS: tuple[tuple[str, Callable[[Walk], str]], ...] = (
    ("connect", Walk.connect), ("telemetry with reply", Walk.telemetry), ("last telemetry", Walk.last_telemetry),
    ("attribute", Walk.attribute), ("alarm", Walk.alarm), ("event", Walk.event), ("location", Walk.location),
    ("diag ping", Walk.ping), ("diag time", Walk.clock), ("thing details", Walk.details), ("upload", Walk.upload),
    ("download", Walk.download), ("missing file", Walk.missing_file), ("action", Walk.action),
    ("failing action", Walk.failing_action), ("raising action", Walk.raising_action),
    ("unknown action", Walk.unknown_action), ("away and back", Walk.away), ("wrong token", Walk.wrong_token),
)


def _ok(client: Client, params: dict[str, Any] | None, heard: list[tuple[str, Any]]) -> tuple[int, str, dict[str, Any]]:
    heard.append(("validate_ok", (params or {}).get("mark")))
    return 0, "", params or {}


def _fails(client: Client, params: dict[str, Any] | None, heard: list[tuple[str, Any]]) -> tuple[int, str]:
    heard.append(("validate_fails", None))
    return 4, "it failed, as it should"


def _raises(client: Client, params: dict[str, Any] | None, heard: list[tuple[str, Any]]) -> tuple[int, str]:
    heard.append(("validate_raises", None))
    raise ValueError("it raised, as it should")


_ACTIONS = {"validate_ok": _ok, "validate_fails": _fails, "validate_raises": _raises}


def _is(status: int, wanted: int) -> None:
    from device_cloud import status_string

    if status != wanted:
        raise Failed(f"status {status} ({status_string(status)}), expected {wanted}")


def _eventually(fact: Callable[[], bool], text: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not fact():
        if time.monotonic() > deadline:
            raise Failed(text)
        time.sleep(0.05)


def _short(answer: dict[str, Any]) -> str:
    return json.dumps(answer)[:120]
