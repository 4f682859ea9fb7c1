"""`python -m toolkit.simulator`: the simulate command without the rest of the toolkit."""
import argparse
import sys

from toolkit.commands import simulate


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="simulate", description=simulate.HELP)
    simulate.add_arguments(parser)
    return simulate.run(parser.parse_args(argv), print) or 0    # noqa: T203


if __name__ == "__main__":
    sys.exit(main())
