"""The Wi-Fi side: station and access point as states; packets pass through the host's own loopback."""
# ruff: noqa: RET503 - getter and setter in one, as the port has them
import sys
from _vboard import ask

STA_IF, AP_IF = 0, 1
_card = ({}, {})               # settings of station and access point


def __getattr__(name):
    import _network_more
    if name == "__all__":
        return ["WLAN", "STA_IF", "AP_IF", "hostname"] + [known for known in dir(_network_more) if known[0] != "_"]
    return getattr(_network_more, name)


def hostname(name=None):
    if name is not None:
        _card[0]["hostname"] = name
    return _card[0].get("hostname", "vboard")


class WLAN:
    IF_STA, IF_AP = 0, 1
    PM_NONE = 0

    def __init__(self, id=0):
        self._ap = id
        self._card = _card[id]

    def active(self, on=None):
        if on is not None:
            self._card["active"] = bool(on)
            if not on:
                self._card.pop("connect", None)
        return self._card.get("active", False)

    def connect(self, ssid=None, key=None, **_):
        if not self.active():
            raise OSError("Wifi Not Started")
        self._card["connect"] = ssid.encode() if isinstance(ssid, str) else ssid

    def disconnect(self):
        self._card.pop("connect", None)

    def isconnected(self):
        if self._ap:
            return self.active()
        wanted = self._card.get("connect")
        return bool(wanted and self.active() and ask("join %s\n" % wanted.hex()))

    def status(self, name=None):
        if name == "rssi":
            return ask("get rssi\n")
        if name == "stations":
            return []
        if self.isconnected():
            return 1010        # STAT_GOT_IP
        return 201 if self._card.get("connect") else 1000    # STAT_NO_AP_FOUND, STAT_IDLE

    def scan(self):
        if not self.active():
            raise OSError("STA must be active")
        import _network_scan
        del sys.modules["_network_scan"]
        return _network_scan.scan()

    def ifconfig(self, config=None):
        if config is not None:
            self._card["ifconfig"] = config
        elif not self.isconnected():
            return ("0.0.0.0",) * 4
        else:
            own = str(ask("get address\n"), "utf-8")
            return (own, "255.0.0.0", own, own)

    def ipconfig(self, name=None, **_):
        if name == "addr4":
            return self.ifconfig()[:2]

    def config(self, name=None, **settings):
        if name is None:
            self._card.update(settings)
        elif name == "mac":
            return bytes(ask("get mac\n"))
        elif name in ("essid", "ssid"):
            wanted = self._card.get("connect", b"")
            return self._card.get("essid") or self._card.get("ssid") or str(wanted, "utf-8")
        else:
            return self._card.get(name, hostname() if "hostname" in name else 0)
