"""The access points in reach, apart from the rest of network: every boot looks for them."""
from _vboard import ask


def scan():
    if not ask("get up\n"):
        return []
    rssi = ask("get rssi\n")
    return [(name, b"\x02vbrd" + name[:1], channel, rssi - channel, 3, False)
            for name, channel in ((b"your_wifi_name", 1), (b"vnet", 6))]
