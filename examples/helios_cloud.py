"""A QuecPython program at a broker: a command of the cloud switches a pin, what is measured goes up, a watchdog is fed.

Copy it to /usr/helios_cloud.py, say in mqtt-connect.cfg where the broker is, and type `quec run helios_cloud`. At boot:
boothook = mqtt connect; quec run helios_cloud

Down: micros/<uid>/bus/relay/set with `on` or `off`; up: micros/<uid>/bus/relay_state and micros/<uid>/bus/package, once
a second a number, and micros/<uid>/bus/net when the network comes or goes.
"""
import sys_bus
from machine import Pin
from usr.bin.guard import GuardContext
from usr.bin.third_party.ql_interrupter import PinInterrupter, TimerInterrupter, WatchDog

guard = GuardContext()
guard.refresh()
log = guard.get_logger("cloud")
relay = PinInterrupter(Pin.GPIO26, trige_mode=Pin.OUT, pull_mode=Pin.PULL_DISABLE, mode=0)
dog = WatchDog(Pin.GPIO27, 0, 2000)                # an external one: a pulse of a second, each two seconds
sent = [0]


def switch(topic, message):
    """What the cloud says comes over the bus, as what anybody else says does."""
    relay.write(1 if message == "on" else 0)
    sys_bus.publish("relay_state", message)
    log.info("relay " + str(message))


def package(*args):
    sent[0] += 1
    sys_bus.publish("package", {"n": sent[0], "relay": relay.read()})


def network_changed(*args, **kwargs):
    state = str(kwargs["message"]["message"]["datacall_status"])
    log.info("net: " + state)
    sys_bus.publish("net", state)


sys_bus.subscribe("relay", switch)
guard.get_server("net").subscribe(network_changed)
dog.start()
timer = TimerInterrupter(1000, package, 1)
timer.start()
