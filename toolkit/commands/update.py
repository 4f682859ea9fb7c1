"""update -- bring the files of this version onto a node; its settings, data and modules stay."""
from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from toolkit.commands import Out, add_port
from toolkit.commands.deploy import add_parts, steps, supposed_port, tell_parts, warn
from toolkit.commands.make import introduce
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.deploy import Updated

HELP = "bring this version of micrOS onto a node on USB; its settings stay"
FLAGS = ("-r", "--update")
EPILOG = """Only files that differ are sent, by SHA-256. What stays: the configuration (also kept in the archive here),
data, load modules and pin maps of yours. Code of an older core that is no longer needed is listed, not removed.
A node that has this version is left alone, one with a newer version is refused. -f: do it all the same, and replace
load modules of yours (modules/LM_x.py) that stand in the place of ours. Interrupted anywhere, run it again.
--parts says which optional parts the node shall have from now on; ours that are left out are removed.

examples:
  devToolKit.py --update
  devToolKit.py -r -f --port /dev/ttyUSB1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_port(parser)
    add_parts(parser, "those that the node has")
    parser.add_argument("-f", "--force_update", action="store_true", help="whatever version the node has")


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit import archive, deploy, ports
    from toolkit.commands.backup import config_of
    from toolkit.compile import build, shipped_version
    from toolkit.greeting import NodeLink
    from toolkit.parts import on_board

    every, version = build(), shipped_version()
    for warning in every.warnings:
        warn(warning)
    if args.dummy:
        _rehearse(args, deploy.put_lines(every if args.parts is None else every.with_parts(args.parts)), out)
        return None
    step = steps(out)
    with NodeLink(ports.choose(args.port)) as link:
        with step("look at the node"):
            node = deploy.look(link)
        out(f"{node.name} has version {node.version}, this is {version}; its configuration is kept in "
            f"{archive.archive(config_of(link))}")
        built = every.with_parts(on_board(every.files, node.hashes) if args.parts is None else args.parts)
        unwanted = deploy.unwanted(every, built, node.hashes) if args.parts is not None else []
        is_current = deploy.is_current(built, node) and not unwanted
        if not args.force_update and is_done(node.version, version, is_current):
            out("nothing to do; -f does it all the same")
            return None
        with step("copy and verify micrOS") as progress:
            done = deploy.update(link, node, built, args.force_update, progress, unwanted)
        _tell(done, out)
        if unwanted:
            out(f"removed {len(unwanted)} files of parts that were left out")
        tell_parts(every, built, out)
        with step("boot"):
            greeting = link.boot(node.config)
    introduce(greeting, node.name, out)
    return None


def is_done(theirs: str, ours: str, is_current: bool) -> bool:
    """True when there is nothing to do. Raises UsageError for a node that is ahead of us."""
    if _numbers(theirs) > _numbers(ours):
        raise UsageError(f"the node has version {theirs}, which is newer than {ours}: update this "
                         "toolkit (devToolKit.py --pip_update), or go back with -f")
    return theirs == ours and is_current


def _numbers(version: str) -> list[int]:
    """For comparison: 1.20.4-0 -> [1, 20, 4, 0]; an unknown version is the oldest."""
    return [int(digits) for digits in re.findall(r"\d+", version)]


def _rehearse(args: argparse.Namespace, lines: list[str], out: Out) -> None:
    out(f"would keep node_config.json of the board at {supposed_port(args)} in the archive, "
        "send those of these files that differ, and start it again:")
    for line in lines:
        out(line)


def _tell(done: Updated, out: Out) -> None:
    out(f"{len(done.sent)} files sent")
    if done.kept:
        out(f"kept your own {', '.join(done.kept)}; -f puts ours in their place")
    if done.strangers:
        out(f"not of this version, left where they are: {', '.join(done.strangers)}")
