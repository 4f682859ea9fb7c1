"""QuecPython's dataCall: the one data call is the address of the station, profile 1."""
import sys_bus
from ConfigHandler import cfgput

import radio

_MOST_PROFILES = 3


class _Heard:
    callback = None


def setCallback(callback):
    """callback((profile, state)) when the call is up (1) or down (0)."""
    if _Heard.callback is None:
        sys_bus.subscribe("network", _tell)
    _Heard.callback = callback
    return 0


def getInfo(profile, ip_type):
    """(profile, ip_type, [state, reconnects, address, dns, dns]), with ip_type 2 an empty list for IPv6 behind it.

    ip_type: 0 IPv4, 1 IPv6, 2 both. -1 for a profile other than 1-3 or another type.
    """
    if not 1 <= profile <= _MOST_PROFILES or ip_type not in (0, 1, 2):
        return -1
    address, gateway, dns = radio.addresses() if profile == 1 else ("0.0.0.0",) * 3
    four = [1 if profile == 1 and radio.is_called() else 0, 1, address, dns, gateway]
    six = [0, 1, "::", "::", "::"]
    return (profile, ip_type) + ((four,), (six,), (four, six))[ip_type]


def setApn(profile, ip_type, apn, username, password, auth_type=0):
    """The access point of this radio is a Wi-Fi name: it is kept as staessid. 0, or -1 when it is refused."""
    is_kept = profile == 1 and cfgput("staessid", apn) and (not password or cfgput("stapwd", password))
    return 0 if is_kept else -1


def start(profile, ip_type, apn="", username="", password="", auth_type=0):
    """0 when the call is up; the node itself joins again and again."""
    return 0 if profile == 1 and radio.is_called() else -1


def setAutoConnect(profile, is_on):
    """The node always does. 0"""
    return 0


setAutoActivate = setAutoConnect


def _tell(_, mode):
    return _Heard.callback((1, 1 if mode == "STA" else 0))
