"""Does not compile."""


def on(:    # <- syntax
    return 1


def help():
    return ("on",)
