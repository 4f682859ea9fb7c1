"""Its help names what is not there."""


def on(level=1):
    return level


def help():
    return (
        "on level=<0-1>",
        "of",    # <- help
    )
