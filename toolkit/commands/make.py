"""make -- a board becomes a node: erase, flash, copy, configure, greet."""
from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import archive, profiles
from toolkit.archive import Config
from toolkit.commands import Out
from toolkit.commands.deploy import (
    add_image,
    add_parts,
    add_target,
    found_target,
    image_for,
    image_words,
    steps,
    supposed,
    warn,
)
from toolkit.errors import UsageError
from toolkit.parts import PARTS

if TYPE_CHECKING:
    from toolkit.boards import Board
    from toolkit.compile import Build
    from toolkit.greeting import Greeting

HELP = "make a node of a board on USB: erase, flash, copy, configure, greet"
FLAGS = ("-m", "--make")
EPILOG = """Port and chip are found. What is asked: the configuration (a new one, one with the questions of a profile,
one from the archive), a name, and whether the node shall be locked or open. All of it can be said with options; --yes
takes the defaults. A new node has a random password, which is in the archive. Interrupted anywhere, run it again.

--config takes
  new             a name and a random password; the node opens a network of its own
  archived:NAME   what --backup_node_config or an earlier --make has kept
  FILE            JSON with settings of micrOS/CONFIG.md; with --profile: answers to its questions

Optional parts: {}.
An rp2 has 848 KB for files: micrOS takes 670, a part 100 to 380.

exit codes: 0 done, 2 wrong use, 4 the node did not greet, 6-8 no port, not permitted, busy, 9 wrong chip,
10 wrong hash, 11 cable out, 12 a file does not compile, 13 the chip cannot be flashed, 14 no image

examples:
  devToolKit.py --make
  devToolKit.py -m --profile wifi --name lamp01
  devToolKit.py -m --board tinypico --port /dev/ttyUSB1 --config archived:lamp01 --yes
""".format(", ".join(f"{part.name} ({part.about})" for part in PARTS))
NEW, ARCHIVED = "new", "archived:"
NOT_LOCKED_YET = ("locked: noted in the archive, but locking is not built yet. It comes with the safety work; until "
                  "then this node is open: whoever is on its network can use its shell, and reads what is typed there")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    add_image(parser)
    add = parser.add_argument
    add("--config", metavar="WHAT", help="new, archived:NAME or a JSON file")
    add("--profile", metavar="NAME", help="a new configuration with these settings and questions; or a file of yours")
    add("--name", metavar="DEVFID", help="name of the node")
    add("--access", choices=(archive.LOCKED, archive.OPEN), help="shall the shell be encrypted, with a password")
    add_parts(parser, "all, on an rp2 none")
    add("--yes", action="store_true", help="ask nothing, take the defaults")


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit import deploy
    from toolkit.compile import build

    person = sys.stdin.isatty() and not args.yes and not args.dummy
    if not person and not (args.config or args.profile or args.yes or args.dummy):
        raise UsageError("nobody can be asked here: give --config new, archived:NAME or FILE, or --profile NAME; "
                         "--yes takes a new configuration")
    if args.dummy:
        _rehearse(args, out)
        return None
    target = found_target(args, out)
    built = _with_parts(args, target.board, build(architecture=target.board.architecture))
    image = image_for(args, target, out)
    config = _configuration(args, person, target.node_name)
    _keep(config, _access(args, person), out)
    greeting = deploy.make(target, profiles.encoded(config), image, built, steps(out), out)
    introduce(greeting, str(config["devfid"]), out)
    return None


def _rehearse(args: argparse.Namespace, out: Out) -> None:
    from toolkit import deploy
    from toolkit.compile import build

    board, port = supposed(args, out)
    config = _configuration(args, False, "node01")
    for line in deploy.rehearsal(board, port, image_words(args, board), config,
                                 _with_parts(args, board, build())):
        out(line)


def _with_parts(args: argparse.Namespace, board: Board, every: Build) -> Build:
    for warning in every.warnings:
        warn(warning)
    return every.with_parts(board.parts if args.parts is None else args.parts)


# -- questions


def _configuration(args: argparse.Namespace, person: bool, name: str) -> Config:
    """All settings that the node begins with; name: when nobody says another one."""
    config, profile = args.config, args.profile
    if person and not (config or profile):
        config, profile = _chosen()
    given = _given(config or NEW)
    if profile:
        given = {**given, **profiles.filled(profiles.profile(profile), given, _ask if person else None)}
    wanted = args.name
    if person and not wanted and "devfid" not in given:
        wanted = input(f"name of the node [{name}]: ").strip()
    return profiles.completed(given, wanted or None, name)


def _given(config: str) -> Config:
    if config == NEW:
        return {}
    if config.startswith(ARCHIVED):
        return archive.load(config.removeprefix(ARCHIVED))
    try:
        return archive.parsed(Path(config).read_bytes(), f"--config {config}")
    except OSError as error:
        raise UsageError(f"--config takes new, archived:NAME or a file, and {config} cannot be read: "
                         f"{error.strerror}") from None


def _chosen() -> tuple[str, str]:
    """(--config, --profile) that a person picks from a list; "" = no profile."""
    rows = [("a new one, with a network of its own", NEW, "")]
    rows += [(f"a new one that {each.about} ({name})", NEW, name) for name, each in profiles.shipped().items()]
    rows += [(f"that of {name}, from the archive", ARCHIVED + name, "") for name in archive.archived()]
    print("configuration of the node:")
    for number, (words, _, _) in enumerate(rows, 1):
        print(f"  {number}  {words}")
    question = profiles.Question("the choice", f"which one, 1 to {len(rows)}", "int", 1, 1, len(rows))
    number = int(profiles.answered(question, _ask))
    return rows[number - 1][1:]


def _ask(question: profiles.Question) -> str:
    default = "" if question.default is None else f" [{_shown(question.default)}]"
    text = f"{question.ask}{default}: "
    return getpass.getpass(text) if question.kind == "secret" else input(text)


def _shown(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _access(args: argparse.Namespace, person: bool) -> str:
    if args.access or not person:
        return args.access or archive.OPEN
    question = profiles.Question("the choice", "shall it be locked (locking is not built yet)", "bool", False)
    return archive.LOCKED if profiles.answered(question, _ask) else archive.OPEN


def _keep(config: Config, access: str, out: Out) -> None:
    """Before anything is erased: whatever happens now, the next run finds it in the archive."""
    path = archive.archive(profiles.encoded(config))
    archive.keep_access(str(config["devfid"]), access)
    out(f"{config['devfid']}: configuration and password (appwd) are in {path}, which only you can read")
    if access == archive.LOCKED:
        out(NOT_LOCKED_YET)


# -- the end


def introduce(greeting: Greeting | None, name: str, out: Out) -> None:
    """What the node said, and where it is found."""
    from toolkit.inventory import Inventory

    if greeting is None:
        out(f"{name} is on its way; its console is silent (dbg), devToolKit.py --search_devices finds it")
    elif greeting.device:
        Inventory().keep(greeting.device)
        out(f"hello from {greeting.device.name} ({greeting.device.uid}) at {greeting.device.where}")
    else:
        own = f"join its network {name} to talk to it" if greeting.mode == "AP" else "this machine does not reach it"
        out(f"{name} is up, its shell listens at {greeting.address}:{greeting.shell_port}; {own}")
