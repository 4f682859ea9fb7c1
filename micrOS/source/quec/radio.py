"""The one Wi-Fi station that sim, net and dataCall make a cellular module of.

SIM = a network name to join is set, and the pin `simdet`, where a pin map has it, shows the tray closed;
registration = the station is joined; data call = it has an address.
"""
from quec.door import machine

from ConfigHandler import cfgget
from LogicalPins import physical_pin, pinmap_dump
from Network import net
from pure.lazy import once

READY, ABSENT = 1, 0              # of sim.getStatus()
_NOWHERE = "0.0.0.0"


class Tray:
    """The pin that tells whether a SIM is in; pin: None when the board has none. level: that of a SIM inside"""

    def __init__(self):
        self.level = 1
        self.pin = None
        if pinmap_dump("simdet")["simdet"] is not None:
            self.pin = machine.Pin(physical_pin("simdet"), machine.Pin.IN, machine.Pin.PULL_UP)

    def is_closed(self):
        return self.pin is None or self.pin.value() == self.level


@once
def tray():
    return Tray()


def sim_status():
    return READY if tray().is_closed() and cfgget("staessid").strip() not in ("", "n/a") else ABSENT


def is_registered():
    return sim_status() == READY and net().station.isconnected()


def addresses():
    """(address, gateway, dns), all 0.0.0.0 without a network."""
    if not is_registered():
        return (_NOWHERE,) * 3
    address, _, gateway, dns = net().station.ifconfig()
    return address, gateway, dns


def is_called():
    return addresses()[0] != _NOWHERE


def signal():
    """CSQ of 3GPP TS 27.007, 8.5: 0-31 for -113 to -51 dBm and more, 99 when not known."""
    try:
        rssi_dbm = net().station.status("rssi") if is_registered() else 0
    except (OSError, ValueError):
        rssi_dbm = 0
    return max(0, min(31, (rssi_dbm + 113) // 2)) if rssi_dbm < 0 else 99
