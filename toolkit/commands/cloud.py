"""cloud -- things of a Device Cloud, and who looks after them."""
from __future__ import annotations

import argparse

from toolkit import cloud_words
from toolkit.commands import Out

HELP = "things of a Device Cloud: set one up, try its cloud"
FLAGS = ("--cloud",)
EPILOG = """Each word tells more: devToolKit.py --cloud WORD --help

examples:
  devToolKit.py --cloud config --app lamp --host cloud.example
  devToolKit.py --cloud validate --app lamp
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(metavar="WORD", required=True)
    for name, word in cloud_words.words():
        own = words.add_parser(name, help=word.HELP, description=word.HELP, epilog=getattr(word, "EPILOG", None),
                               formatter_class=parser.formatter_class, allow_abbrev=False)
        word.add_arguments(own)
        own.set_defaults(word=word)


def run(args: argparse.Namespace, out: Out) -> int | None:
    word: cloud_words.Word = args.word
    return word.run(args, out)
