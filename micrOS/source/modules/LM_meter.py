"""An electricity meter on a UART or behind TCP: ask it, set it, join it with a TCP server; all of it on the bus."""
from collections import OrderedDict

from micropython import const

from Common import Saved, micro_task, once, socket_stream
from LogicalPins import physical_pin, pinmap_dump
from pure.lazy import unload

_PINS = const(("meter_tx", "meter_rx"))      # where they are cstmpmap says  # lint: ok
_MOST = const(0xFFFF)


class Meter:
    """saved: how it is connected, and the server it is joined with; host "" and server "" are none"""

    def __init__(self, saved):
        self.saved = saved
        self.driver = None
        self.join = None                 # Passthrough
        self.inside = None               # function(data): of a DLMS conversation in transparent frames

    def open(self):
        """Connect as saved. Its tasks are meter.link and meter.server."""
        from meter.driver import Driver
        from meter.link import tcp, uart
        import sys_bus
        self.close()
        how = self.saved.data
        opened = tcp(how["host"], how["tcp"]) if how["host"] else uart(how["uart"], how["baud"], _pins())
        name = "{}:{}".format(how["host"], how["tcp"]) if how["host"] else "UART({})".format(how["uart"])
        self.driver = Driver(name, opened, self._transparent, self._asked, sys_bus.publish, how["profile"])
        micro_task("meter.link", self.driver.link.run())
        if how["server"]:
            from meter.passthrough import Passthrough
            self.join = Passthrough(how["server"], how["port"], self.driver.pass_on, sys_bus.publish)
            micro_task("meter.server", self.join.link.run())

    def close(self):
        for tag, part in (("meter.link", self.driver), ("meter.server", self.join)):
            if part:
                part.link.close()
                micro_task(tag).cancel()
        self.driver = self.join = None

    def keep(self, **how):
        self.saved.keep(**how)
        self.open()

    async def _transparent(self, data):
        if self.inside:
            self.inside(data)
            return
        if self.join:
            await self.join.up(data)

    def _asked(self, command, info):
        """What the meter wants of us: our name and signal, an event heard. Anything else is refused."""
        from pure import quectel
        import sys_bus
        if command == quectel.EVENT:
            sys_bus.publish("meter.event", info.param_id)
            return quectel.heard()
        if info.param_id is None:
            return None
        if command == quectel.GET:
            return _own(info.param_id)
        return quectel.taken(info.param_id, False) if command == quectel.SET else None


def _own(ident):
    """Our answer to the meter's get."""
    from pure import quectel
    own = {quectel.NAME_ID: _name, quectel.SIGNAL_ID: _signal}
    try:
        return quectel.image(ident, own[ident]())
    except (KeyError, OSError):          # OSError: a node with a network of its own has no signal
        return quectel.refused(ident)


def _name():
    from ConfigHandler import cfgget
    return cfgget("devfid").encode()


def _signal():
    """0-31 as AT+CSQ counts (3GPP TS 27.007, 8.5): 0 is -113 dBm, each step 2 dB."""
    from Network import net
    return bytes((max(0, min(31, (net().station.status("rssi") + 113) // 2)),))


@once
def _meter():
    meter = Meter(Saved("meter", ("host", ""), ("tcp", 0), ("uart", 1), ("baud", 115200), ("profile", "quectel"),
                        ("server", ""), ("port", 0)))
    meter.open()
    return meter


def _driver():
    meter = _meter()
    if not meter.driver:
        meter.open()
    return meter.driver


def _pins():
    """{"tx": n, "rx": n} of the names that cstmpmap has; else the port's own pins."""
    numbers = pinmap_dump(_PINS)
    return {name[-2:]: physical_pin(name) for name in _PINS if numbers[name] is not None}


def _id(value):
    if not isinstance(value, int) or not 0 <= value <= _MOST:
        raise ValueError("an id is 0x0000-0xffff, got {}".format(value if isinstance(value, str) else hex(value)))
    return value


def _place(host, port):
    if not isinstance(host, str) or not isinstance(port, int) or not 0 < port <= _MOST:
        raise ValueError("a server is <host> <port 1-65535>, got {} {}".format(host, port))


def _profile(name):
    if name not in ("quectel", "rfc1662"):
        raise ValueError("the profile is quectel or rfc1662, got {}".format(name))


def _bytes(value):
    """What goes out for a value: one octet or a text with its length in front, or after # the octets as they are."""
    if isinstance(value, str) and value[:1] == "#":
        return bytes.fromhex(value[1:])
    if isinstance(value, int):
        if not 0 <= value <= 255:
            raise ValueError("a number is 0-255, got {}; say others as #<octets in hex>".format(value))
        return bytes((1, value))
    data = str(value).encode()
    if len(data) > 255:
        raise ValueError("a text has up to 255 bytes, got {}".format(len(data)))
    return bytes((len(data),)) + data


def _shown(data):
    """Text of a value: itself when it can be read, else in hex."""
    if data and all(32 <= octet < 127 for octet in data):
        return str(data, "ascii")
    return "0x" + data.hex() if data else ""


def load():
    """Connect to the meter as it was last time, at first on UART(1) with 115200 baud."""
    _driver()
    return status()


def serial(uart=1, baud=115200, profile="quectel"):
    """The meter is on this UART; pins: meter_tx and meter_rx of cstmpmap, else the port's own.

    profile: quectel, as the public solution, or rfc1662, with escapes and the FCS low octet first
    """
    _profile(profile)
    if not isinstance(uart, int) or not isinstance(baud, int):
        raise ValueError("uart and baud are numbers, got {} and {}".format(uart, baud))
    _meter().keep(host="", uart=uart, baud=baud, profile=profile)
    return status()


def network(host, port, profile="quectel"):
    """The meter's frames are behind a TCP port."""
    _profile(profile)
    _place(host, port)
    _meter().keep(host=host, tcp=port, profile=profile)
    return status()


def passthrough(host="", port=0):
    """Join the meter with a TCP server, also after a reboot and `meter load`; without a host: no longer."""
    if host:
        _place(host, port)
    _meter().keep(server=host, port=port)
    return status()


async def get(id):
    """Value of an id of the meter. id: 0x8005 its serial number, 0x8003 signal, 0x8007 name ..."""
    return _shown(await _driver().get(_id(id)))


async def set(id, value):
    """Set one. value: 0-255, a text, or # and octets in hex, which have to bring their length and type."""
    await _driver().set(_id(id), _bytes(value))
    return "set"


def status():
    """Where the meter and the server are, and whether they are up."""
    driver, join = _meter().driver, _meter().join
    if not driver:
        return OrderedDict((("meter", "closed"), ("server", "none")))
    return OrderedDict((("meter", _state(driver.link)), ("profile", driver.profile),
                        ("server", _state(join.link) if join else "none")))


def _state(link):
    return "{} {}".format(link.name, "up" if link.is_up else "down: " + link.why)


def frames():
    """Counts since the meter was opened."""
    driver, join = _driver(), _meter().join
    counts = [("received", driver.receiver.frames), ("broken", driver.receiver.broken),
              ("noise", driver.receiver.noise), ("sent", driver.sent), ("tries", driver.tries),
              ("silences", driver.silences), ("strays", driver.strays), ("answers", driver.answers)]
    if join:
        counts += [("up", join.up_frames), ("up_lost", join.up_lost), ("down", join.down_pieces),
                   ("down_lost", join.down_lost)]
    return OrderedDict(counts)


# -- DLMS/COSEM
@once
def _dlms():
    from meter.dlms import Dlms
    return Dlms(_pins, _frames)


def _frames(heard):
    """See meter.dlms_inside.Inside."""
    _meter().inside = heard
    return _driver().pass_on if heard else None


def dlms(**how):
    """Say how the DLMS meter is reached, for good; without words: how it is. meter/dlms_setup.py has them."""
    from meter.dlms_setup import settings, setup
    setup(how)
    unload("meter.dlms_setup")
    return settings()


def secret(password=None, ek=None, ak=None, title=None, counter=None):
    """Keep what the meter wants to hear; it is not shown again. In quotes: ek, ak: 32 hex digits; title: ours, 16"""
    _dlms().keys().change(password, ek, ak, title, counter)
    return "kept"


def read(obis, attribute=2):
    """`1234.5 Wh`: a value with its unit. obis: 1.0.1.8.0.255 or 1-0:1.8.0"""
    return _dlms().run("dlms_read", "read", obis, attribute)


def energy():
    """Energy, power, voltage ..., of what the meter has."""
    return _dlms().run("dlms_read", "energy")


@socket_stream
def profile(obis="1.0.99.1.0", last=None, msgobj=None, **span):
    """Rows of a load profile, one a line. from=, to=: 2024-01-02T10:00; last: so many up to now"""
    if [word for word in span if word not in ("from", "to")]:
        raise ValueError("profile takes from=, to=, last= and obis=")
    return _counted("profile", "rows", msgobj, obis, span.get("from"), span.get("to"), last)


@socket_stream
def objects(msgobj=None):
    """All objects of the meter, one a line."""
    return _counted("objects", "objects", msgobj)


async def _counted(talk, what, *words):
    return "{} {}".format(await _dlms().run("dlms_profile", talk, *words), what)


def clock(moment=None):
    """The meter's clock; moment: 2024-01-02T10:00:00 sets it."""
    return _dlms().run("dlms_act", "clock", moment) if moment else _dlms().run("dlms_read", "clock")


def disconnect():
    """Open the meter's switch."""
    return _dlms().run("dlms_act", "switch", False)


def reconnect():
    return _dlms().run("dlms_act", "switch", True)


def readings(*codes, seconds=60):
    """Publish these values as `meter.reading` every so many seconds; without codes: no longer."""
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        raise ValueError("seconds is a number above 0, got {}".format(seconds))
    if codes:
        from pure.cosem import obis
        for code in codes:
            obis(str(code))              # raises for one that is none
    task = micro_task("meter.readings")
    if task:
        task.cancel()
    if codes:
        from meter.dlms import readings
        import sys_bus
        micro_task("meter.readings", readings(_dlms(), codes, seconds, sys_bus.publish))
    return "{} values every {} s".format(len(codes), seconds)


def close():
    """Let go of the UART and the connections."""
    _meter().close()
    return status()


def pinmap():
    return pinmap_dump(_PINS)


def help():
    return ("load", "serial uart=<n> baud=115200 profile=quectel", "network <host> <port> profile=quectel",
            "passthrough <host> <port>", "get <id>", "set <id> <value>",
            "status", "frames", "dlms host=<host> line=hdlc|wrapper auth=none|lls|gmac",
            'secret password="<>" ek="<>" ak="<>" title="<>"', "read <obis>", "energy",
            "profile from=<2024-01-02> to=<2024-01-03T12:00> last=<n>", "objects", "clock moment=<>", "disconnect",
            "reconnect", "readings <obis> <obis> seconds=60", "close", "pinmap")
