"""Waits for somebody at the serial line."""


def name():
    return input("name? ")    # <- blocking


def help():
    return ("name",)
