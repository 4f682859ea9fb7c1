"""How long the fuzz tests try: short and the same every time in the suite, long and random with FUZZ_EXAMPLES=<n>."""
import os
import random

from hypothesis import HealthCheck, settings

SUITE_EXAMPLES = 300
REPLAYS = 2000                       # inputs that MicroPython sees again, in the suite
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", SUITE_EXAMPLES))
IS_LONG = "FUZZ_EXAMPLES" in os.environ
SEED = int(os.environ.get("FUZZ_SEED", random.randrange(1 << 32) if IS_LONG else 1))

hard = settings(max_examples=EXAMPLES, deadline=None, derandomize=not IS_LONG, print_blob=IS_LONG,
                database=settings.default.database if IS_LONG else None,
                suppress_health_check=list(HealthCheck))


def times(in_the_suite):
    """in_the_suite, grown in proportion to FUZZ_EXAMPLES."""
    return max(in_the_suite, in_the_suite * EXAMPLES // SUITE_EXAMPLES)


def dice(salt):
    """Random numbers of this run: the same ones for the same FUZZ_SEED and salt."""
    return random.Random(f"{SEED} {salt}")
