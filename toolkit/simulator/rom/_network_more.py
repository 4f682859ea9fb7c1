"""The constants of network, and the access points in reach: seldom asked for."""
from _vboard import ask

AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK = 0, 1, 2, 3, 4
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD, STAT_BEACON_TIMEOUT = 201, 202, 200
_country = ["XX"]


def country(code=None):
    if code is not None:
        _country[0] = code
    return _country[0]


def scan():
    if not ask("get up\n"):
        return []
    rssi = ask("get rssi\n")
    return [(name, b"\x02vbrd" + name[:1], channel, rssi - channel, 3, False)
            for name, channel in ((b"your_wifi_name", 1), (b"vnet", 6))]
