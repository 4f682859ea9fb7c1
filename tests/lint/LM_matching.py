"""Compiles on a PC, not on a board."""


def on(state=1):
    match state:    # <- syntax
        case 1:
            return "on"


def help():
    return ("on state=<0,1>",)
