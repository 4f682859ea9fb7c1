"""docs -- write the catalogue of load modules and boards: a page to look things up in, and JSON."""
from __future__ import annotations

import argparse
from pathlib import Path

from toolkit.commands import Out, add_json, to_json
from toolkit.docs import catalogue, sfuncman
from toolkit.docs.page import page
from toolkit.errors import UsageError
from toolkit.paths import data_dir

HELP = "write the catalogue of modules and boards: a page to search in, JSON"
FLAGS = ("--docs",)
EPILOG = """Written are
  sfuncman.html            one page that needs nothing else: modules, functions, what they take and
                           give, their pins on each board, pictures, a drawing of each board
  sfuncman_<version>.json  the functions for programs, in the shape that micrOS 1.20 wrote
  pictures/                what the JSON names under "img"
All is read out of the source, nothing is run. Files of these names are replaced.

examples:
  devToolKit.py --docs                       into your data folder; the page's address is printed
  devToolKit.py --docs site                  into ./site
  devToolKit.py --docs --source my/source    modules/LM_*.py and boards/LP_*.py of your own tree
"""
SOURCE = Path(__file__).parents[2] / "micrOS" / "source"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PAGE = "sfuncman.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="where to; default: the user's data folder")
    parser.add_argument("--source", type=Path, default=SOURCE, metavar="DIR", help="device source, default the shipped")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if not list(args.source.glob("modules/LM_*.py")):
        raise UsageError(f"--source {args.source} has no modules/LM_*.py: name the folder of a device's source")
    try:
        known = catalogue.read(args.source)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UsageError(f"--source {args.source} holds a file that is no Python: {error}") from None
    folder = (args.folder or data_dir() / "docs").absolute()
    written = write(known, folder)
    if args.json:
        out(to_json({"modules": len(known.modules), "boards": len(known.boards),
                     "files": [str(path) for path in written]}))
    else:
        out(f"{len(known.modules)} modules, {len(known.boards)} boards\n" + "\n".join(map(str, written)))
        out(f"look at it: {written[0].as_uri()}")
    return None


def write(known: catalogue.Catalogue, folder: Path) -> list[Path]:
    """Write page, JSON and pictures. Returns their paths, the page first. Raises UsageError when it cannot."""
    pictures = {path.name: path.read_bytes() for path in sorted(PICTURES.glob("*.*"))
                if path.stem in {module.name for module in known.modules}}
    names = {Path(name).stem: f"pictures/{name}" for name in pictures}
    table = f"sfuncman_{known.version}.json"
    texts = {PAGE: page(known, pictures, table), table: sfuncman.to_json(known, names)}
    files = {**{name: text.encode() for name, text in texts.items()},
             **{f"pictures/{name}": data for name, data in pictures.items()}}
    try:
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}; name another folder") from None
    return [folder / name for name in files]
