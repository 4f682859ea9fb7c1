"""deploy -- write MicroPython onto a board."""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import parts
from toolkit.boards import Board, board_named, names
from toolkit.commands import Out, add_port
from toolkit.errors import LinkError, UsageError
from toolkit.progress import bar

if TYPE_CHECKING:
    from toolkit.compile import Build
    from toolkit.deploy import Progress, Target

HELP = "write MicroPython onto a board on USB"
FLAGS = ("-d", "--deploy")
EPILOG = """The chip is asked what it is; another one than that of --board is refused. The image comes from --image, the
cache, or micropython.org: its hash is pinned, or taken down on first use with a warning. The variable MICROS_IMAGES
names another place to download from. Files on the board stay where they are.

exit codes: 0 done, 2 wrong use, 6-8 no port, not permitted, busy, 9 wrong chip, 10 wrong hash, 11 cable out,
13 the chip cannot be flashed, 14 no image

examples:
  devToolKit.py --deploy
  devToolKit.py -d --board tinypico --port /dev/ttyUSB1 --image firmware.bin
  devToolKit.py -d --board rp2 --drive /mnt/RPI-RP2
"""
UNKNOWN_PORT = "PORT"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    add_image(parser)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Options that say which board is meant."""
    add_port(parser)
    parser.add_argument("--board", metavar="NAME",
                        help=f"one of {', '.join(names())}; default: the plain board with the chip that is found")


def add_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", type=Path, metavar="FILE", help="firmware of your own (.bin, rp2: .uf2)")
    parser.add_argument("--drive", type=Path, metavar="PATH", help="rp2: where its drive is mounted")


def add_parts(parser: argparse.ArgumentParser, usual: str) -> None:
    parser.add_argument("--parts", type=parts.chosen, metavar="LIST",
                        help=f"of {','.join(parts.NAMES)}; {parts.ALL}, {parts.NONE} (default: {usual})")


def tell_parts(every: Build, built: Build, out: Out) -> None:
    """Which optional parts a node has not, and how it gets them."""
    missing = [name for name in every.parts if name not in built.parts]
    if missing:
        out(f"without {', '.join(missing)}: --parts {','.join(every.parts)} adds them")


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit import deploy

    if args.dummy:
        board, port = supposed(args, out)
        out(deploy.flash_line(board, port, image_words(args, board)))
        return None
    target = found_target(args, out)
    deploy.flash(target, image_for(args, target, out), steps(out))
    return None


# -- shared with erase, make and update


def found_target(args: argparse.Namespace, out: Out) -> Target:
    """The board that is plugged in, told to the user."""
    from toolkit import deploy

    with steps(out)("ask the chip") as progress:
        target = deploy.find_target(args.board, args.port, getattr(args, "drive", None), progress)
    told = f", {target.chip.name} {target.chip.mac}" if target.chip else ""
    out(f"{target.board.name} at {target.drive or target.port}{told}")
    return target


def image_for(args: argparse.Namespace, target: Target, out: Out) -> Path:
    from toolkit import images

    with bar(target.board.image_name) as progress:
        return images.image_of(target.board, args.image, warn, progress)


def image_words(args: argparse.Namespace, board: Board) -> str:
    """The image as --dummy shows it."""
    from toolkit import images

    return str(args.image or (images.cached(board) if images.cached(board).is_file()
                              else images.place() + board.image_name))


def supposed(args: argparse.Namespace, out: Out) -> tuple[Board, str]:
    """(board, port) for --dummy, which asks no chip."""
    from toolkit import chip

    board, port = board_named(args.board or "esp32"), supposed_port(args)
    if not board.is_uf2:
        out("esptool " + " ".join(chip.ask_arguments(port)))
    if not args.board:
        out(f"(the chip tells the board; what follows supposes {board.name})")
    return board, port


def supposed_port(args: argparse.Namespace) -> str:
    from toolkit import ports

    try:
        return ports.choose(args.port)
    except (LinkError, UsageError):
        return UNKNOWN_PORT


def steps(out: Out) -> Callable[[str], AbstractContextManager[Progress]]:
    """What shows a step: its progress while it lasts, its time at the end."""
    @contextmanager
    def step(title: str) -> Iterator[Progress]:
        begun_s = time.monotonic()
        with bar(title) as progress:
            yield progress
        out(f"{title}: {time.monotonic() - begun_s:.1f} s")
    return step


def warn(text: str) -> None:
    print(text, file=sys.stderr)
