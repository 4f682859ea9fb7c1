"""Sleeps again and again in one call."""
from time import sleep_ms


def fade(count=10):
    for _ in range(count):
        sleep_ms(100)    # <- blocking
    return count


def help():
    return ("fade count=<1-100>",)
