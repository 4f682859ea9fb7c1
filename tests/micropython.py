"""Where the tests find the MicroPython that the virtual board runs on."""
import os
import sys

START = "import sys, micropython_run; sys.exit(micropython_run.run_main(['micropython', *sys.argv[1:]]))"


def command() -> list[str]:
    """Words that start MicroPython; MICROPYTHON=<path> names another binary."""
    other = os.environ.get("MICROPYTHON")
    return [other] if other else [sys.executable, "-c", START]
