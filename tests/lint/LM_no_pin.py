"""Asks for a pin that no map has."""
from LogicalPins import physical_pins

_PINS = (
    "redgb",
    "purple",    # <- pin
)


def on():
    return physical_pins(_PINS)


def help():
    return ("on",)
