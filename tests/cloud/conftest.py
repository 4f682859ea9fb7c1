"""Things of the Device Cloud for these tests: a virtual board and a host program, driven by the same calls."""
import asyncio
import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.responder import TOKEN, VECTORS, Responder, eventually
from toolkit.simulator import VirtualBoard

HERE = Path(__file__).parent
APP = "golden-app"
THING = f"{VECTORS['device_id']}-{APP}"


def settings(cloud: Responder, /, **more: Any) -> dict[str, Any]:
    place = {"host": "localhost", "port": cloud.port, "token": TOKEN, "file_xfer_host": "http://localhost",
             "file_xfer_port": cloud.file_port, **more.pop("cloud", {})}
    return {"cloud": place, **more}


class HostThing:
    """The program on this interpreter."""

    def __init__(self, folder: Path, config: dict[str, Any], program: str = "golden.py") -> None:
        self.folder = folder
        (folder / f"{APP}-connect.cfg").write_text(json.dumps(config))
        (folder / "device_id").write_text(VECTORS["device_id"])
        spec = importlib.util.spec_from_file_location("golden_of_a_host", HERE / program)
        assert spec and spec.loader
        self._program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._program)

    def begin(self, config: dict[str, Any] | None = None) -> Any:
        """Status of connect(). config: counts more than the file"""
        return self.call("begin", str(self.folder), config or {})

    def call(self, name: str, *words: Any) -> Any:
        return asyncio.run(getattr(self._program, name)(*words))

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def stop(self) -> None:
        self.call("end")


class BoardThing:
    """The program on a virtual board, as a load module."""

    def __init__(self, folder: Path, config: dict[str, Any], program: str = "golden.py", **options: Any) -> None:
        files = {f"{APP}-connect.cfg": json.dumps(config), "device_id": VECTORS["device_id"],
                 "modules/LM_golden.py": (HERE / program).read_text()}
        for path in folder.glob("*.der"):
            files[path.name] = path.read_bytes()      # type: ignore[assignment]
        self.board = VirtualBoard(config={"ntphost": "n/a"}, files=files, mpy=True, **options)
        self.board.__enter__()
        self.folder = self.board.dir

    def begin(self, config: dict[str, Any] | None = None) -> Any:
        return self.call("begin", ".", config or {})

    def call(self, name: str, *words: Any) -> Any:
        line = " ".join(["golden", name, *[json.dumps(word, separators=(",", ":")) for word in words]])
        with self.board.session(30.0) as session:
            said = session.send(line)
        assert not said.startswith("exec_lm_core"), f"{line}: {said}\n{self.board.console()}"
        return json.loads(said.replace("True", "true").replace("False", "false").replace("'", '"'))

    def path(self, name: str) -> str:
        return "/" + name

    def write(self, name: str, data: bytes) -> None:
        (self.board.dir / name).write_bytes(data)

    def read(self, name: str) -> bytes:
        return (self.board.dir / name).read_bytes()

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def stop(self) -> None:
        self.board.__exit__(None, None, None)


KINDS = {"board": BoardThing, "host": HostThing}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(cert, key) of localhost in PEM; beside them `ca.der`, and `other.der` of somebody else."""
    folder = tmp_path_factory.mktemp("keys")
    cert, key = str(folder / "ca.pem"), str(folder / "key.pem")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for name, der in ((str(folder / "other.pem"), "other.der"), (cert, "ca.der")):      # the key is that of the last
        subprocess.run(["openssl", "req", "-x509", *curve, "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", name],
                       check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-in", name, "-outform", "DER", "-out", str(folder / der)], check=True,
                       capture_output=True)
    return cert, key


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Responder]:
    with Responder() as running:
        yield running


@pytest.fixture(scope="module")
def thing(kind: str, cloud: Responder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Connected to the cloud of this file."""
    made = KINDS[kind](tmp_path_factory.mktemp("thing"), settings(cloud))
    try:
        since = len(cloud.requests)
        assert made.begin() == 0
        eventually(lambda: "mailbox.check" in [row[2] for row in cloud.requests[since:]])
        yield made
    finally:
        made.stop()
