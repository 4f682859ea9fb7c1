"""Long work of the toolkit behind REST: each run is a command in a process of its own, told line by line.

A run goes on when the page that began it is closed. Its words come from tables here, never from a request.
"""
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, File, Query, Request, UploadFile
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from toolkit import apps, lint
from toolkit.archive import checked_name
from toolkit.errors import UsageError
from toolkit.gateway import drop
from toolkit.gateway.api.doors import Admin, Operate, TheGateway, TheNode, View, allowed, entered
from toolkit.gateway.api.files import Finding
from toolkit.gateway.errors import QueueFullError, UnknownThingError
from toolkit.gateway.problems import ALWAYS, OF_A_NODE, responses
from toolkit.gateway.run_process import MARK

if TYPE_CHECKING:
    from toolkit.gateway.events import Events
    from toolkit.gateway.gateway import Gateway

MOST_RUNS = 4                  # at a time
KEPT = 20                      # that have ended
LINES = 500                    # of a run that are kept
LINE_BYTES = 1 << 16
STOP_S = 3.0
MOST_SET_FILES = 1000
CORE = frozenset({"main.py", "micrOS.py", "InterpreterShell.py"})      # at the root of a source tree of micrOS
PACKAGE_ROOT = Path(__file__).resolve().parents[2]

State = Literal["running", "done", "failed", "stopped"]
Clean = Callable[[], None]


class Progress(BaseModel):
    title: str
    done: int
    of: int = Field(description="0: not known")


class RunRow(BaseModel):
    id: str
    title: str
    uid: str = Field(description="of the node it is for; empty: none")
    state: State
    exit_code: int | None
    progress: Progress | None
    lines: list[str] = Field(description="what it has said, the last ones")
    begun_at: float
    ended_at: float | None


class AppRow(BaseModel):
    name: str
    about: str


class NameOf(BaseModel):
    name: str = Field(min_length=1, max_length=32, description="of an archived configuration")


class Update(BaseModel):
    lm_only: bool = Field(default=False, description="only the load modules, which go live without a restart")
    force: bool = Field(default=False, description="whatever version the node has")


class SetUpdate(BaseModel):
    findings: list[Finding] = Field(description="of its load modules")
    run: RunRow | None = Field(description="null: not begun, the findings say why; force=true begins all the same")


@dataclass
class Run:
    """One command on its way, or ended.

    clean   what is to be done at its end, as removing a file with secrets
    role    that it takes to begin it, and to stop it
    """

    title: str
    uid: str = ""
    clean: Clean | None = None
    role: str = "admin"
    ident: str = field(default_factory=lambda: secrets.token_hex(4))
    state: State = "running"
    exit_code: int | None = None
    progress: Progress | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    begun_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    process: asyncio.subprocess.Process | None = None

    def row(self) -> RunRow:
        return RunRow(id=self.ident, title=self.title, uid=self.uid, state=self.state, exit_code=self.exit_code,
                      progress=self.progress, lines=list(self.lines), begun_at=self.begun_at, ended_at=self.ended_at)


class Runs:
    """All runs of a gateway; events `run.begun`, `run.line`, `run.progress`, `run.ended` tell of them."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def all(self) -> list[Run]:
        """The newest first."""
        return sorted(self._runs.values(), key=lambda run: -run.begun_at)

    def find(self, ident: str) -> Run:
        if ident not in self._runs:
            raise UnknownThingError(f"there is no run {ident}: GET /api/v1/runs lists them")
        return self._runs[ident]

    def begin(self, title: str, words: Sequence[str], uid: str = "", clean: Clean | None = None,
              role: str = "admin") -> Run:
        """words: of the command line. Raises QueueFullError when enough are on their way."""
        if sum(run.state == "running" for run in self._runs.values()) >= MOST_RUNS:
            if clean:
                clean()
            raise QueueFullError(f"{MOST_RUNS} runs are on their way, which is all there is room for")
        run = Run(title, uid, clean, role)
        self._runs[run.ident] = run
        for old in [run for run in self.all() if run.state != "running"][KEPT:]:
            del self._runs[old.ident]
        task = asyncio.create_task(self._carry_out(run, words))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._publish("begun", run, title=title)
        return run

    async def end(self, run: Run) -> None:
        """As Ctrl-C would, then harder."""
        process = run.process
        if run.state != "running" or process is None:
            return
        run.state = "stopped"
        for number in (signal.SIGINT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number) if os.name == "posix" else process.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S)
                return

    async def stop(self) -> None:
        await asyncio.gather(*(self.end(run) for run in self.all()))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, run: Run, words: Sequence[str]) -> None:
        try:
            run.process = await asyncio.create_subprocess_exec(
                sys.executable, "-u", "-m", "toolkit.gateway.run_process", *words, cwd=PACKAGE_ROOT,
                env={**os.environ, "COLUMNS": "100"},
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                limit=LINE_BYTES, start_new_session=True)
            assert run.process.stdout
            async for line in run.process.stdout:
                self._take(run, str(line, "utf-8", "replace").rstrip())
            run.exit_code = await run.process.wait()
        except (OSError, ValueError) as error:
            run.lines.append(f"the run ended before its time: {error}")
        finally:
            await _gone(run.process)             # of a run that broke off here, its process would go on
            if run.clean:
                run.clean()
            if run.state == "running":
                run.state = "done" if run.exit_code == 0 else "failed"
            run.ended_at = time.time()
            self._publish("ended", run, title=run.title, state=run.state, exit_code=run.exit_code)

    def _take(self, run: Run, line: str) -> None:
        if line.startswith(MARK):
            run.progress = Progress(**json.loads(line.removeprefix(MARK)))
            self._publish("progress", run, **run.progress.model_dump())
        else:
            run.lines.append(line)
            self._publish("line", run, text=line)

    def _publish(self, what: str, run: Run, **data: Any) -> None:
        self._events.publish(f"run.{what}", {"id": run.ident, "uid": run.uid, **data})


async def _gone(process: asyncio.subprocess.Process | None) -> None:
    if process and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()
        await process.wait()


def runs_of(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


router = APIRouter(prefix="/api/v1", tags=["runs"], dependencies=entered, responses=responses(*ALWAYS))
TheRuns = Annotated[Runs, Depends(runs_of)]
Ident = Annotated[str, InPath(pattern=r"^[0-9a-f]{8}$")]


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.state.runs = Runs(gateway.events)
    gateway.on_stop(app.state.runs.stop)
    app.include_router(router)


@router.get("/runs")
async def rows(runs: TheRuns, caller: View, uid: str = "") -> list[RunRow]:
    """Runs there are and were, the newest first. uid: only those for a node."""
    return [run.row() for run in runs.all() if not uid or run.uid == uid]


@router.get("/runs/{ident}")
async def one(ident: Ident, runs: TheRuns, caller: View) -> RunRow:
    return runs.find(ident).row()


@router.delete("/runs/{ident}")
async def end(ident: Ident, runs: TheRuns, caller: Operate) -> RunRow:
    """Stop it, wherever it is. Takes the role that began it."""
    run = runs.find(ident)
    allowed(caller, run.role, f"to stop {run.title}")
    await runs.end(run)
    return run.row()


@router.get("/apps")
async def app_rows(caller: View) -> list[AppRow]:
    """The programs of toolkit/dashboard_apps."""
    return [AppRow(name=name, about=apps.about(name)) for name in apps.names() if not name.startswith("_")]


@router.post("/devices/{device}/apps/{name}", status_code=202, responses=responses(*OF_A_NODE))
async def run_app(name: Annotated[str, InPath(max_length=60)], node: TheNode, runs: TheRuns, caller: Operate) -> RunRow:
    """Run an app on a node."""
    if name not in apps.names():
        raise UnknownThingError(f"there is no app {name[:60]!r}: GET /api/v1/apps lists them")
    return runs.begin(f"{name} on {node.name}", ["--applications", name, "--dev", node.uid], node.uid,
                      role="operate").row()


@router.post("/devices/{device}/update", status_code=202, responses=responses(*OF_A_NODE))
async def update(wanted: Update, node: TheNode, runs: TheRuns, caller: Admin) -> RunRow:
    """Bring this version of micrOS onto a node, over the air."""
    flags = [*["--lm-only"] * wanted.lm_only, *["-f"] * wanted.force]
    return runs.begin(f"update of {node.name}", ["--OTA", "--dev", node.uid, *flags], node.uid).row()


@router.post("/devices/{device}/update/set", status_code=202, responses=responses(*OF_A_NODE))
async def update_by_set(
    node: TheNode, gateway: TheGateway, runs: TheRuns, caller: Admin,
    files: Annotated[list[UploadFile], File(min_length=1, max_length=MOST_SET_FILES,
                                            description="a source tree of micrOS, named as on the node")],
    force: Annotated[bool, Query(description="whatever version the node has, and whatever was found")] = False,
) -> SetUpdate:
    """Bring another set than the gateway's onto a node, over the air: whole, or not at all."""
    parcel = [drop.Parcel(drop.checked_name(each.filename), await each.read(gateway.settings.max_file_bytes + 1))
              for each in files]
    drop.check(parcel, gateway.settings)
    if not {each.name for each in parcel} >= CORE:
        raise UsageError(f"a set is the source tree of micrOS, with {', '.join(sorted(CORE))} at its root")
    findings = [_finding(each) for each in await asyncio.to_thread(drop.findings, parcel)]
    if findings and not force:
        return SetUpdate(findings=findings, run=None)
    scratch = tempfile.TemporaryDirectory(prefix="micros-set-")
    try:
        await asyncio.to_thread(_laid_out, Path(scratch.name), parcel)
    except BaseException:
        scratch.cleanup()
        raise
    run = runs.begin(f"update of {node.name} with {len(parcel)} files", ["--OTA", "--dev", node.uid, "--from",
                     scratch.name, *["-f"] * force], node.uid, clean=scratch.cleanup)
    return SetUpdate(findings=findings, run=run.row())


def _finding(each: lint.Finding) -> Finding:
    return Finding(file=each.path.name, line=each.line, rule=each.rule, what=each.what, expected=each.expected,
                   mend=each.mend)


def _laid_out(folder: Path, parcel: Sequence[drop.Parcel]) -> None:
    for each in parcel:
        path = folder / each.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data)
        except OSError as error:
            raise UsageError(f"{each.name} cannot be laid out beside the other files: {error.strerror}") from None


@router.post("/devices/{device}/backup", status_code=202, responses=responses(*OF_A_NODE))
async def backup(node: TheNode, runs: TheRuns, caller: Admin) -> RunRow:
    """Keep the node's settings in the archive of the gateway's machine."""
    return runs.begin(f"backup of {node.name}", ["--backup_node_config", "--dev", node.uid], node.uid).row()


@router.post("/devices/{device}/restore", status_code=202, responses=responses(*OF_A_NODE))
async def restore(wanted: NameOf, node: TheNode, runs: TheRuns, caller: Admin) -> RunRow:
    """Give archived settings to a node."""
    return runs.begin(f"restore of {wanted.name} to {node.name}",
                      ["--restore", archived(wanted.name), "--dev", node.uid], node.uid).row()


def archived(name: str) -> str:
    """The name of a configuration in the archive. Raises UsageError for what is none."""
    from toolkit import archive

    if checked_name(name) not in archive.archived():
        raise UsageError(f"no configuration {name!r} in the archive; there are: {', '.join(archive.archived()) or '-'}")
    return name
