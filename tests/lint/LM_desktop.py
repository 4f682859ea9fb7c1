"""Needs a module that only a PC has."""
import threading    # <- import
import time


def on():
    threading.Timer(1.0, time.time).start()


def help():
    return ("on",)
