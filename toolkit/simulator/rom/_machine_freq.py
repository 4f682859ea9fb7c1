"""The CPU clock, apart from the rest of machine: every boot sets it."""
# ruff: noqa: RET503 - getter and setter in one, as the port has them
from _vboard import ask


def freq(hz=None):
    if hz is None:
        return ask("get freq\n")
    ask("freq %d\n" % hz)
