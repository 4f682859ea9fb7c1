"""Writes its state in place."""


def keep(value):
    with open("torn.pds", "w") as file:    # <- state
        file.write(str(value))


def help():
    return ("keep value",)
