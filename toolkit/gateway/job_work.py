"""What a fleet job does with one node: run a command, set a key, send files, bring a new version."""
from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from toolkit import console
from toolkit.errors import LinkError, ToolkitError, UnknownDeviceError, UsageError
from toolkit.fileport import OURS, numbers
from toolkit.gateway import drop, node_config
from toolkit.gateway.errors import NodeBusyError, NodeLockedError, NodeOfflineError, NodeSilentError, QueueFullError
from toolkit.gateway.events import Events
from toolkit.gateway.job_ledger import Outcome, Spec, Target
from toolkit.gateway.job_rules import Claim
from toolkit.gateway.nodes import Node, Nodes
from toolkit.gateway.reading import normal
from toolkit.gateway.reading import role_for as role_of_command
from toolkit.inventory import Device
from toolkit.link.shell import MAX_COMMAND_BYTES
from toolkit.link.webrepl import BusyError, NoMemoryError
from toolkit.session import failed
from toolkit.settings import is_secret

NOT_SENT = (NodeOfflineError, NodeBusyError, NodeLockedError, QueueFullError)
ID_BYTES = 48                      # of `job <id> ` before a command
RUNNING_LOOK_S = 1.0               # between two questions to a node that is still at it
COMMAND_S, UPDATE_S = 60.0, 900.0
ROOMS = {"update": 20}             # at a time; each is a process of 27 MB that takes 0.35 s of a processor, then waits
MOST_VALUE_CHARS = 1500
ALWAYS_SKIPS = {"drop": "a file that a node has, by SHA-256, is never sent again",
                "update": "only what a node does not have, by SHA-256, is ever sent"}

_HEAD = re.compile(r"job [A-Za-z0-9_-]+: (new|known|running|unknown|refused)")
_COMMAND_LINE = "from toolkit.commands import main; raise SystemExit(main())"
_BUILD_LINE = "from toolkit.compile import build; build(mpy=True)"
_UNREACHED_CODES = (4,)            # of toolkit.errors: the node was not reached, or the link broke off

Do = Callable[["Work", Node, Spec, Claim], Awaitable[Outcome]]


class Work:
    """Does a job's task on a node of a gateway."""

    def __init__(self, nodes: Nodes, events: Events) -> None:
        self._nodes = nodes
        self._events = events
        self._building = asyncio.Lock()
        self._is_built = False

    async def execute(self, target: Target, spec: Spec, claim: Claim) -> Outcome:
        """One try at one node: jobs.Execute."""
        if spec.seal and not spec.apart:
            return Outcome("failed", "what this job brings is not kept any more: order it anew")
        node = self._node(target)
        try:
            return await KINDS[spec.kind](self, node, spec, claim)
        except NOT_SENT as error:
            return Outcome("unreached", str(error))
        except (BusyError, NoMemoryError, LinkError) as error:
            return Outcome("unreached", str(error))
        except ToolkitError as error:
            return Outcome("failed", str(error))

    def _node(self, target: Target) -> Node:
        """Another gateway may have found it, and this one not yet."""
        try:
            return self._nodes.find(target.uid)
        except UnknownDeviceError:
            self._nodes.keep([Device(target.uid, target.address, target.port, target.name)])
            return self._nodes.find(target.uid)

    # -- command
    async def command(self, node: Node, spec: Spec, claim: Claim) -> Outcome:
        """Exactly once on a node that keeps ids, at most once on one that does not."""
        line = str(spec.whole["command"])
        version = (await node.ask("version", max_age_s=3600)).text
        if tuple(numbers(version)) >= OURS:
            told = await self._by_id(node, spec.on_node(claim.turn), line)
            if told is not None:
                return told
        if claim.again:
            return Outcome("unknown", f"{node.name} ({version}) keeps no ids of jobs, and may have run it before")
        return await self._at_most_once(node, line)

    async def _by_id(self, node: Node, ident: str, line: str) -> Outcome | None:
        """None when the node has no command `job`, so that nothing was run."""
        end_s = asyncio.get_running_loop().time() + COMMAND_S
        while True:
            try:
                answer = await node.ask(f"job {ident} {line}", timeout_s=COMMAND_S)
            except NodeSilentError as error:
                return Outcome("unsure", str(error))
            head, _, text = answer.text.partition("\n")
            found = _HEAD.match(head)
            if found is None:
                return Outcome("erred", head) if head.startswith("Invalid job") else None
            if found[1] != "running":
                return _of_head(found[1], head, text)
            if asyncio.get_running_loop().time() > end_s:
                return Outcome("unsure", f"{node.name} is still at it after {COMMAND_S:g} s")
            await asyncio.sleep(RUNNING_LOOK_S)

    async def _at_most_once(self, node: Node, line: str) -> Outcome:
        try:
            answer = await node.ask(line, timeout_s=COMMAND_S)
        except NodeSilentError as error:
            return Outcome("unknown", str(error))
        return Outcome("ok" if answer.ok else "erred", answer.text)

    # -- config: setting a value twice is no harm
    async def config(self, node: Node, spec: Spec, claim: Claim) -> Outcome:
        key, value = str(spec.whole["key"]), str(spec.whole["value"])
        node_config.check_key(key)                   # the order may be of an older gateway
        if spec.what.get("skip_current", True) and not is_secret(key):
            _, there, _ = await node.link.converse(["conf", key, "noconf"])
            if there.text == value:
                return Outcome("current", "it has that value")
        await node_config.change(node, key, value, self._events, spec.by)
        return Outcome("ok", "Saved")

    # -- drop: a file that is there, by SHA-256, is not sent again
    async def drop(self, node: Node, spec: Spec, claim: Claim) -> Outcome:
        await node.ask("version", max_age_s=3600)            # that it is the node, and not another at its address
        sent = [each.name for each in await drop.send(node, parcel_of(spec.whole), self._events) if each.sent]
        return Outcome("ok", f"sent {', '.join(sent)}") if sent else Outcome("current", "it has these files")

    # -- update: --OTA looks what differs, and repeats what broke off
    async def update(self, node: Node, spec: Spec, claim: Claim) -> Outcome:
        await node.ask("version")
        await self._built()
        return await _updated(node.device, spec.whole)

    async def _built(self) -> None:
        """Compile once before the first update, not in each of those that begin with it. It may fail: they tell why."""
        async with self._building:
            if not self._is_built:
                await _ended(_BUILD_LINE)
                self._is_built = True


def _of_head(word: str, head: str, text: str) -> Outcome:
    if word in ("new", "known"):
        return Outcome("erred" if failed(text) else "ok", text)
    return Outcome({"unknown": "unknown", "refused": "unreached"}[word], head)


async def _updated(device: Device, what: Mapping[str, Any]) -> Outcome:
    """A process of its own: it has its words on stderr, nobody to ask for a password, and an end.

    It ends with us, too: the gateway that takes the node over begins another one.
    """
    flags = ["--force_update"] * bool(what.get("force")) + ["--lm-only"] * bool(what.get("lm_only"))
    try:
        code, out, err = await _ended(_COMMAND_LINE, "--OTA", "--json", "--dev", device.where, *flags)
    except TimeoutError:
        return Outcome("unreached", f"the update did not end within {UPDATE_S:g} s; what was sent is kept there")
    if code:
        why = (err.strip().splitlines() or ["it said nothing"])[-1]
        return Outcome("unreached" if code in _UNREACHED_CODES else "failed", why)
    told = json.loads(out[out.index("{"):])
    if not told["sent"] and not told["removed"]:
        return Outcome("current", f"it has {told['to']} and every file of it")
    return Outcome("ok", f"{told['from']} -> {told['to']}, {told['sent']} files, {told['bytes']} bytes")


async def _ended(line: str, *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a line of Python in a process that ends with us. Raises TimeoutError."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", line, *words, stdin=DEVNULL, stdout=PIPE,
                                                   stderr=PIPE, cwd=Path(__file__).parents[2])
    try:
        async with asyncio.timeout(UPDATE_S):
            out, err = (str(said, "utf-8", "replace") for said in await process.communicate())
        return process.returncode or 0, out, err
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# -- what an order has to hold


def check_command(what: Mapping[str, Any]) -> dict[str, Any]:
    line = normal(str(what.get("command", "")))
    if line.split()[0] == "job":
        raise UsageError("leave `job` away: the gateway gives each node its id")
    if len(line.encode()) > MAX_COMMAND_BYTES - ID_BYTES:
        raise UsageError(f"a command of a job takes up to {MAX_COMMAND_BYTES - ID_BYTES} bytes")
    return {"command": line}


def check_config(what: Mapping[str, Any]) -> dict[str, Any]:
    key, value = str(what.get("key", "")), str(what.get("value", ""))
    node_config.check_key(key)
    node_config.typed(value)
    if len(value) > MOST_VALUE_CHARS:
        raise UsageError(f"a value is up to {MOST_VALUE_CHARS} characters")
    return {"key": key, "value": value, "skip_current": bool(what.get("skip_current", True))}


def check_drop(what: Mapping[str, Any]) -> dict[str, Any]:
    """A load module is looked through, unless force says that it is to go all the same."""
    parcel = parcel_of(what)
    if not parcel:
        raise UsageError("a drop takes files: {name on the node: content as base64}")
    found = [] if what.get("force") else drop.findings(parcel)
    if found:
        raise UsageError(f"{found[0].path.name}:{found[0].line}: {found[0].what}; expected {found[0].expected}. "
                         f"{len(found)} findings in all, nothing was sent; force sends all the same")
    return {"files": dict(what["files"])}


def check_update(what: Mapping[str, Any]) -> dict[str, Any]:
    return {"force": bool(what.get("force", False)), "lm_only": bool(what.get("lm_only", False))}


def parcel_of(what: Mapping[str, Any]) -> list[drop.Parcel]:
    """Raises UsageError."""
    try:
        return [drop.Parcel(drop.checked_name(name), base64.b64decode(text, validate=True))
                for name, text in dict(what.get("files") or {}).items()]
    except (binascii.Error, TypeError, ValueError) as error:
        raise UsageError(f"files are {{name: content as base64}}: {error}") from None


def role_for(kind: str, what: Mapping[str, Any]) -> str:
    """As on one node: what changes its settings or programs takes admin."""
    return "operate" if kind == "command" and role_of_command(str(what["command"])) != "admin" else "admin"


def divided(kind: str, what: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what anybody may see of an order, what stands in its place until the job is over)"""
    seen = shown(kind, what)
    return seen, {key: value for key, value in what.items() if seen.get(key) != value}


def is_secret_setting(kind: str, what: Mapping[str, Any]) -> bool:
    return kind == "config" and is_secret(str(what["key"]))


def check_skip(kind: str, skip_current: bool) -> None:
    """Raises UsageError where there is no other way."""
    if not skip_current and kind in ALWAYS_SKIPS:
        raise UsageError(f"{ALWAYS_SKIPS[kind]}: leave --all (rules.skip_current false) away, it is for config")


def shown(kind: str, what: Mapping[str, Any]) -> dict[str, Any]:
    """What was ordered, without secrets and without the content of files."""
    if is_secret_setting(kind, what):
        return {**what, "value": "***"}
    if kind == "command" and console.is_secret(str(what["command"])):
        return {"command": "***"}
    if kind == "drop":
        return {"files": {each.name: len(each.data) for each in parcel_of(what)}}
    return dict(what)


KINDS: dict[str, Do] = {"command": Work.command, "config": Work.config, "drop": Work.drop, "update": Work.update}
CHECKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "command": check_command, "config": check_config, "drop": check_drop, "update": check_update}

