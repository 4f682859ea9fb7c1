"""ota -- bring this version of micrOS onto a node over the air."""
from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.commands import Out, add_device, add_json, password, to_json
from toolkit.commands.deploy import add_parts, tell_parts
from toolkit.errors import RefusedError, UsageError
from toolkit.fileport import FileDoor, is_ours, locate, numbers, version_of
from toolkit.inventory import Device, Inventory
from toolkit.link.webrepl import PORT
from toolkit.progress import bar
from toolkit.session import Door, person
from toolkit.table import table

if TYPE_CHECKING:
    from toolkit.compile import Build
    from toolkit.link.webrepl import FileLink, Held
    from toolkit.ota import Done, Plan

HELP = "bring this version of micrOS onto a node over the air"
FLAGS = ("-o", "--OTA")
EPILOG = """Only files that differ are sent, by SHA-256, in one connection, beside what runs; a link that breaks off is
taken up again. The node checks all of them and takes them over in one step at its next boot: whatever happens, the
old set answers or the new one. Its settings stay and are kept in the archive here; so do modules and pin maps of yours.

--lm-only: the load modules, which go live one by one without a restart.

A node with a newer version is refused. -f: do it all the same, and replace modules of yours that stand for ours.

--parts says which optional parts the node shall have from now on; ours that are left out are removed.
A node of 1.20 restarts in its WebREPL for it, and gets no optional parts at first.
Password: variable MICROS_PASSWORD, the archive, else you are asked.

examples:
  devToolKit.py --OTA --dev node01
  devToolKit.py -o -f --lm-only --dev 192.168.1.7
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_device(parser)
    parser.add_argument("--lm-only", "--lm_only", action="store_true", help="only the load modules")
    add_parts(parser, "those that the node has")
    parser.add_argument("-f", "--force_update", action="store_true", help="whatever version the node has")
    parser.add_argument("--from", dest="tree", type=Path, metavar="DIR", help="a source tree of your own")
    parser.add_argument("--py", action="store_true", help="send sources, not compiled")
    parser.add_argument("--port", type=int, default=PORT, help=f"file port, default {PORT}")
    parser.add_argument("--dummy", action="store_true", help="print what would be sent, and send nothing")
    add_json(parser)


@dataclass
class Job:
    """What is wanted of one node. version: it had, "" in its update mode; ours: the one to be sent; known: ota.py"""

    args: argparse.Namespace
    build: Build
    ours: str
    files: FileDoor
    shell: Door
    version: str
    known: frozenset[str]

    @property
    def name(self) -> str:
        return self.files.device.name

    def set_for(self, held: Held) -> Build:
        """The set with the parts that were named, else those that the node has."""
        from toolkit.parts import on_board

        named = self.args.parts
        return self.build.with_parts(on_board(self.build.files, held.files) if named is None else named)

    def look(self, held: Held) -> Plan:
        return self._planned(self.set_for(held), held, self.args.parts is not None)

    def removals(self, held: Held) -> Plan:
        """The files of parts that go: a step of its own where there is no room beside them."""
        return self._removals(self.set_for(held), held, self.args.parts is not None)

    def advise(self, held: Held) -> str:
        """Which parts to leave out, so that the flash holds the update beside what runs."""
        from toolkit.parts import advice

        told = advice(self.set_for(held).parts, lambda parts: self._fits(self.build.with_parts(parts), held))
        return told and told + " (they are removed there; a second run adds them again)"

    def _fits(self, build: Build, held: Held) -> bool:
        from toolkit import ota

        rest = ota.without(held, self._removals(build, held, True).removed)
        return ota.fits(self._planned(build, rest, True), rest)

    def _planned(self, build: Build, held: Held, is_named: bool) -> Plan:
        from toolkit.ota import planned

        plan = planned(build, held.files, self.args.force_update, self.args.lm_only, self.known)
        return replace(plan, removed=[*plan.removed, *self._removals(build, held, is_named).removed])

    def _removals(self, build: Build, held: Held, is_named: bool) -> Plan:
        from toolkit import deploy, ota

        can_go = is_named and not self.args.lm_only
        return ota.Plan({}, deploy.unwanted(self.build, build, held.files) if can_go else [], 0, [])


def run(args: argparse.Namespace, out: Out) -> None:
    from toolkit.compile import build, shipped_version

    device = picked(args.dev, out)
    files = FileDoor(device, password(), args.port, person())
    shell = Door(device, password(), ask=person())
    built = build(mpy=not args.py, source=args.tree)
    for warning in built.warnings:
        note(warning)
    job = Job(args, built, shipped_version(args.tree), files, shell, version_of(shell), shipped_sources(args.tree))
    if is_ours(job.version, files):
        update(job, out)
    else:
        dance(job, out)


def shipped_sources(tree: Path | None) -> frozenset[str]:
    """SHA-256 of the load modules as text, of this version and of a tree of the user's."""
    from toolkit.compile import digest, shipped_source, source_files

    trees = [shipped_source(), *([tree] if tree else [])]
    modules = [path for each in trees for path in source_files(each / "modules").values()]
    return frozenset(digest(path.read_bytes()) for path in modules)


def picked(tag: str | None, out: Out) -> Device:
    """The node that was named, or chosen from a menu. Raises UsageError when nobody is there to choose."""
    if tag:
        return locate(tag, Inventory())
    if not sys.stdin.isatty():
        raise UsageError("which node? Name it: --dev node01")
    from toolkit.commands.connect import pick

    return pick(None, Inventory(), input, out)


def note(text: str) -> None:
    print(text, file=sys.stderr)


# -- a node of ours


def update(job: Job, out: Out) -> None:
    from toolkit import deploy, ota

    link, held = ota.entered(job.files, job.shell, note)
    with link:
        if not job.args.py:
            ota.check_firmware(held, job.name)
        plan = job.look(held)
        check_version(job)
        if job.args.dummy:
            rehearse(job, plan, out)
            return
        done, version = ota.Done(), job.version
        built = job.set_for(held)
        left = deploy.strangers(job.build, held.files)
        if not plan.is_empty:
            keep_config(link)
            done, version = carried_out(job, plan, link, held)
    tell(job, plan, done, version, out)
    if left and not job.args.json:
        out(f"not of this version, left where they are: {', '.join(left)}")
    if not plan.is_empty and not job.args.json:
        tell_parts(job.build, built, out)


def check_version(job: Job) -> None:
    """Raises UsageError for a node that is ahead of us, or whose core does not fit our modules."""
    if job.args.force_update or not job.version:
        return
    theirs, ours = numbers(job.version), numbers(job.ours)
    if theirs > ours:
        raise UsageError(f"{job.name} has version {job.version}, which is newer than {job.ours}: update this "
                         "toolkit (devToolKit.py --pip_update), or go back with -f")
    if job.args.lm_only and theirs[:2] != ours[:2]:
        raise UsageError(f"the core of {job.name} has version {job.version}, the modules are of {job.ours}: "
                         "leave --lm-only out, or insist with -f")


def carried_out(job: Job, plan: Plan, link: FileLink, held: Held) -> tuple[Done, str]:
    """(what was done, the version that answers now)"""
    from toolkit import ota

    goes = job.removals(held).removed
    if goes and not ota.fits(plan, held) and ota.fits(plan, ota.without(held, goes)):
        link, held = with_room(job, link, held)
    with bar(f"sending to {job.name}") as progress:
        air = ota.Air(job.files, job.look, progress, note, ota.PAUSES_S, job.advise)
        (air.replace if job.args.lm_only else air.stage)(link, held)
    if job.args.lm_only:
        return air.done, job.version
    with bar("waiting for the new version"):
        news = job.ours if job.version not in ("", job.ours) else ""
        ota.returned(job.files, job.look, next(iter(plan.put.items()), (ota.MAIN, b"")), news)
        return air.done, ota.version_of(job.files)


def with_room(job: Job, link: FileLink, held: Held) -> tuple[FileLink, Held]:
    """A session with a node that has removed the parts that are left out; it runs without them until it has the rest.

    A step of its own, at a boot: sent files would not find room beside them.
    """
    from toolkit import ota

    note(f"{job.name} removes {len(job.removals(held).removed)} files of parts first, to have room")
    with bar("waiting for room") as progress:
        ota.Air(job.files, job.removals, progress, note, ota.PAUSES_S).stage(link, held)
        ota.returned(job.files, job.removals, (ota.MAIN, b""))
    return ota.entered(job.files, job.shell, note)


def keep_config(link: FileLink) -> None:
    """In the archive. An update does not fail for want of a place to keep it."""
    from toolkit import archive
    from toolkit.settings import config_of

    try:
        archive.archive(config_of(link))
    except (OSError, UsageError, RefusedError) as error:
        note(f"its configuration is not kept in the archive: {error}")


def rehearse(job: Job, plan: Plan, out: Out) -> None:
    for path, data in plan.put.items():
        out(f"{len(data):>8}  {path}")
    for path in plan.removed:
        out(f" removed  {path}")
    out(f"would bring {job.ours} onto {job.name} ({job.version or 'in its update mode'}) with these {len(plan.put)} "
        f"files, {plan.size} bytes; {plan.same} are there already")


def tell(job: Job, plan: Plan, done: Done, version: str, out: Out) -> None:
    if job.args.json:
        out(to_json({"device": job.name, "from": job.version, "to": version, "sent": done.sent, "bytes": done.bytes,
                     "same": plan.same, "removed": done.removed, "kept": plan.kept, "links": done.links,
                     "seconds": done.seconds}))
        return
    if plan.is_empty:
        out(f"{job.name} has {version or job.ours} and every file of it: nothing to do")
    else:
        for line in table(("NODE", "VERSION", "SENT", "BYTES", "SAME", "REMOVED", "LINKS", "TIME[s]"),
                          [(job.name, f"{job.version or '-'} -> {version}", str(done.sent), str(done.bytes),
                            str(plan.same), str(len(done.removed)), str(done.links), f"{done.seconds:.1f}")]):
            out(line)
    if plan.kept:
        out(f"kept your own {', '.join(plan.kept)}; -f puts ours in their place")


# -- a node of 1.20


def dance(job: Job, out: Out) -> None:
    from toolkit import ota

    if job.args.lm_only:
        raise UsageError(f"the modules of {job.ours} do not run on {job.version or 'a node of 1.20'}: "
                         "leave --lm-only out")
    built = job.build.with_parts(job.args.parts or ())          # the old core stays beside it until it is moved
    todo = ota.flat(built)
    if job.version:
        with job.shell.open() as shell:
            ota.check_120(job.version, shell.ask("system info"), shell.ask("help"), job.name)
    if job.args.dummy:
        if not job.version:
            job.files.open().close()         # is it there at all?
        for name, data in todo.items():
            out(f"{len(data):>8}  {name}")
        return
    if job.version:
        note(f"{job.name} runs {job.version}: it restarts in its WebREPL, and is locked there until all is sent")
        ota.to_update_mode(job.shell)
    with bar("waiting for its WebREPL"):
        ota.awaited(job.files, FileDoor.open, ota.RETURN_S if job.version else ota.THERE_S).close()
    with bar(f"sending to {job.name}") as progress:
        steps = ota.Dance(job.files, progress, note, ota.DANCE_PAUSE_S)
        steps.run(todo)
    with bar("waiting for the new version"):
        ota.returned(job.files, job.look, (ota.MAIN, todo[ota.MAIN]))
        version = ota.version_of(job.files)
    tell(job, ota.Plan({"": b""}, [], 0, []), steps.done, version, out)
    if not job.args.json:
        tell_parts(job.build, built, out)
