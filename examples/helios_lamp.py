"""A QuecPython program: copy it to /usr/helios_lamp.py and type `quec run helios_lamp`, then `bus publish lamp on`.

At boot: boothook = quec run helios_lamp. With cron: crontasks = *:20:0:0!bus publish lamp on
"""
import sys_bus
from machine import Pin
from usr.bin.guard import GuardContext
from usr.bin.third_party.ql_interrupter import PinInterrupter

guard = GuardContext()
guard.refresh()
log = guard.get_logger("lamp")
lamp = PinInterrupter(Pin.GPIO26, trige_mode=Pin.OUT, pull_mode=Pin.PULL_DISABLE, mode=0)


def switch(topic, message):
    """On the bus a message is whatever was published: here the word on or off."""
    lamp.write(1 if message == "on" else 0)
    log.info(topic + " " + message)


def network_changed(*args, **kwargs):
    log.warning("network: " + str(kwargs["message"]["message"]["datacall_status"]))


sys_bus.subscribe("lamp", switch)
guard.get_server("net").subscribe(network_changed)
