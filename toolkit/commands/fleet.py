"""fleet -- order something of many nodes, and follow it."""
from __future__ import annotations

import argparse
import base64
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.commands import Out, add_json, to_json
from toolkit.errors import LinkError, UsageError
from toolkit.table import table

if TYPE_CHECKING:
    from toolkit.gateway.remote import Remote

HELP = "run, set, send or update on many nodes, through a gateway"
FLAGS = ("--fleet",)
EPILOG = """run SELECTION COMMAND: each node exactly once, one of 1.20 at most once. config SELECTION KEY VALUE, - reads
it from stdin. drop SELECTION FILE... update SELECTION. nodes SELECTION. tag NODE TAG... list. show, pause,
resume, abort, forget JOB. SELECTION: "name=lamp* version<2.1 tag=hall not board=rp2", or: all.

A job goes on whatever dies. A command that ran and failed is not run again, unless you resume after a stop. Secrets
are kept until the job is over, and go through a cluster by tls:// only. Gateway: --gateway-at, MICROS_GATEWAY or
http://127.0.0.1:5000. Token: MICROS_GATEWAY_TOKEN, or a file that MICROS_GATEWAY_TOKEN_FILE names.

exit codes: 0 all done, 1 some failed, are unknown, or it stopped, 4 no gateway or no engine

examples:
  devToolKit.py --fleet run "tag=hall" rgb toggle
  devToolKit.py --fleet update "version<2.1" --canary 5 --concurrency 20
"""
STATES = ("waiting", "running", "done", "current", "failed", "unknown", "cancelled")
BAD = ("failed", "unknown")
LOOK_S = 0.5
GONE_S = 60.0                  # a gateway that is away for longer is given up
MOST_ROWS = 1000
SHOWN_ROWS = 50                # of nodes that failed, in the table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=sorted(ACTIONS), metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument("words", nargs="*", metavar="WORD", help="what the action takes")
    parser.add_argument("--gateway-at", metavar="URL")
    parser.add_argument("--canary", type=int, default=0, metavar="N", help="so many nodes first; failures stop the job")
    parser.add_argument("--phases", default="", metavar="N,P%", help="more such ends: 50,10%%,50%%")
    parser.add_argument("--concurrency", type=int, default=20, metavar="N", help="nodes at a time, default 20; a "
                        "gateway updates up to 20")
    parser.add_argument("--per-minute", type=int, default=0, metavar="N", help="starts a minute")
    parser.add_argument("--tries", type=int, default=3, metavar="N", help="of each node, default 3")
    parser.add_argument("--backoff", type=float, default=5.0, metavar="S", help="before the 2nd try, then doubled")
    parser.add_argument("--abort-pct", type=float, default=10.0, metavar="PCT", help="of a phase, then it stops")
    parser.add_argument("--all", action="store_true", help="config: also nodes that have the value")
    parser.add_argument("--force", action="store_true", help="update: any version; drop: despite findings")
    parser.add_argument("--lm-only", action="store_true", help="update: only the load modules")
    parser.add_argument("--id", help="of your choice: the same order sent twice is one job")
    parser.add_argument("--no-wait", action="store_true", help="do not follow the job")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit.gateway.remote import Remote

    return ACTIONS[args.action](Remote(args.gateway_at), args, out)


# -- orders


def _run(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    selection, *command = _at_least(args, 2, "run SELECTION COMMAND")
    return _ordered(remote, args, out, selection, {"kind": "command", "command": " ".join(command)})


def _config(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    selection, key, *value = _at_least(args, 3, "config SELECTION KEY VALUE")
    text = sys.stdin.readline().rstrip("\n") if value == ["-"] else " ".join(value)
    return _ordered(remote, args, out, selection, {"kind": "config", "key": key, "value": text})


def _drop(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    from toolkit.commands.drop import check, named

    selection, *paths = _at_least(args, 2, "drop SELECTION FILE...")
    files = {name: path for given in paths for name, path in named(Path(given))}
    for name, path in files.items():
        check(name, path)
    contents = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    return _ordered(remote, args, out, selection, {"kind": "drop", "files": contents, "force": args.force})


def _update(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    selection, = _exactly(args, 1, "update SELECTION")
    return _ordered(remote, args, out, selection, {"kind": "update", "force": args.force, "lm_only": args.lm_only})


def _ordered(remote: Remote, args: argparse.Namespace, out: Out, selection: str, what: Mapping[str, Any]) -> int:
    """With an id of ours, so that an order whose answer is lost may be sent again."""
    phases = [*([str(args.canary)] if args.canary else []), *(each for each in args.phases.split(",") if each)]
    rules = {"concurrency": args.concurrency, "phases": phases, "per_minute": args.per_minute, "tries": args.tries,
             "backoff_s": args.backoff, "abort_pct": args.abort_pct, "skip_current": not args.all}
    ident = args.id or time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(3)
    order = {**what, "selection": selection, "id": ident, "rules": rules}
    report = _insisting(lambda: remote.ask("POST", "/api/v1/jobs", order), GONE_S / 6)
    if args.no_wait:
        out(to_json(report) if args.json else f"job {ident}: {report['nodes']} nodes; --fleet show {ident} follows it")
        return 0
    return _followed(remote, args, out, ident)


# -- jobs


def _list(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    _exactly(args, 0, "list")
    jobs = remote.ask("GET", "/api/v1/jobs")
    if args.json:
        out(to_json(jobs))
        return 0
    heads = ("JOB", "KIND", "STATUS", "NODES", *(state.upper() for state in STATES), "SELECTION")
    rows = [(job["id"], job["kind"], job["status"], str(job["nodes"]), *(str(job[state]) for state in STATES),
             job["selection"]) for job in jobs]
    for line in table(heads, rows) if rows else ["no jobs yet: --fleet run SELECTION COMMAND makes one"]:
        out(line)
    return 0


def _show(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    ident, = _exactly(args, 1, "show JOB")
    return _told(remote, args, out, ident) if args.no_wait else _followed(remote, args, out, ident)


def _controlled(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    ident, = _exactly(args, 1, f"{args.action} JOB")
    report = remote.ask("POST", f"/api/v1/jobs/{ident}/{args.action}")
    if args.action == "resume" and not args.no_wait:
        return _followed(remote, args, out, ident)
    out(to_json(report) if args.json else _line(report))
    return 0


def _forget(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    ident, = _exactly(args, 1, "forget JOB")
    remote.ask("DELETE", f"/api/v1/jobs/{ident}")
    return 0


def _followed(remote: Remote, args: argparse.Namespace, out: Out, ident: str) -> int:
    """Until nothing happens any more by itself, over a gateway that goes and comes."""
    with _live() if sys.stdout.isatty() and not args.json else _silent() as show:
        while True:
            report = _insisting(lambda: remote.ask("GET", f"/api/v1/jobs/{ident}"), GONE_S)
            show(report)
            if report["status"] != "running" and not report["running"]:
                break
            time.sleep(LOOK_S)
    return _told(remote, args, out, ident)


def _told(remote: Remote, args: argparse.Namespace, out: Out, ident: str) -> int:
    report = remote.ask("GET", f"/api/v1/jobs/{ident}")
    if args.json:
        out(to_json({**report, "rows": list(_rows(remote, ident))}))
    else:
        out(_line(report))
        bad = list(_rows(remote, ident, BAD))
        for line in table(("NODE", "UID", "STATE", "WHY"), [_cells(row) for row in bad[:SHOWN_ROWS]]) if bad else ():
            out(line)
        if len(bad) > SHOWN_ROWS:
            out(f"and {len(bad) - SHOWN_ROWS} more: --json has all")
    return 0 if report["status"] in ("done", "running") and not any(report[state] for state in BAD) else 1


def _rows(remote: Remote, ident: str, states: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    first = 0
    while rows := remote.ask("GET", f"/api/v1/jobs/{ident}/nodes", state=list(states), first=first, most=MOST_ROWS):
        yield from rows
        first += len(rows)
        if len(rows) < MOST_ROWS:
            return


def _cells(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["name"], row["uid"], row["state"], " ".join(row["text"].split())[:100]


def _line(report: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{report[state]} {state}" for state in STATES if report[state])
    why = f" ({report['why']})" if report["why"] else ""
    return f"job {report['id']}: {report['status']}{why}; phase {report['phase']} of {len(report['phases'])}: {counts}"


# -- nodes


def _nodes(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    words = _at_least(args, 1, "nodes SELECTION")
    rows = remote.ask("GET", "/api/v1/selection", expression=" ".join(words))
    if args.json:
        out(to_json(rows))
        return 0
    cells = [(row["name"], row["uid"], row["address"], row["version"], row["board"], row["state"],
              " ".join(row["tags"])) for row in rows]
    for line in table(("NODE", "UID", "ADDRESS", "VERSION", "BOARD", "STATE", "TAGS"), cells):
        out(line)
    return 0


def _tag(remote: Remote, args: argparse.Namespace, out: Out) -> int:
    from urllib.parse import quote

    node, *tags = _at_least(args, 1, "tag NODE [TAG...]")
    told = remote.ask("PUT", f"/api/v1/devices/{quote(node, safe='')}/tags", tags)
    out(to_json(told) if args.json else f"{node}: {' '.join(told) or 'no tags'}")
    return 0


# -- helpers


def _at_least(args: argparse.Namespace, count: int, usage: str) -> list[str]:
    words: list[str] = args.words
    if len(words) < count:
        raise UsageError(f"--fleet {usage}; got {' '.join(words) or 'nothing'} behind {args.action}")
    return words


def _exactly(args: argparse.Namespace, count: int, usage: str) -> list[str]:
    if len(args.words) > count:
        raise UsageError(f"--fleet {usage}; a selection with blanks stands in quotes")
    return _at_least(args, count, usage)


def _insisting(ask: Callable[[], Any], limit_s: float) -> Any:
    end_s = time.monotonic() + limit_s
    while True:
        try:
            return ask()
        except LinkError:
            if time.monotonic() > end_s:
                raise
            time.sleep(LOOK_S)


@contextmanager
def _live() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A bar and the counts on the terminal, as long as the job is followed."""
    from rich.console import Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar

    with Live(refresh_per_second=4, transient=True) as screen:
        def show(report: Mapping[str, Any]) -> None:
            over = report["nodes"] - report["waiting"] - report["running"]
            screen.update(Group(_line(report), ProgressBar(total=report["nodes"], completed=over)))

        yield show


@contextmanager
def _silent() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Nobody watches."""
    yield lambda report: None


ACTIONS: dict[str, Callable[[Remote, argparse.Namespace, Out], int]] = {
    "run": _run, "config": _config, "drop": _drop, "update": _update, "list": _list, "show": _show,
    "pause": _controlled, "resume": _controlled, "abort": _controlled, "forget": _forget, "nodes": _nodes, "tag": _tag}
