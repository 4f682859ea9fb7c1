"""The table of settings, their rules and their file; in memory only for one job.

The type of a default is the type of its key. A rule is None, (least, most) of a number, the texts
that are allowed, or a function that returns what it expected when it refuses a value.
A default `...` means: kept in a file of its own, `.<key>.key`.
"""
import json

from micropython import const
from Files import exists, read, remove, write_whole
from pure.lazy import publish, unload

FILE = "node_config.json"
_LAST_GOOD = const("node_config.bak")
PURGE = "cleanup.pds"          # left by an update: drop keys that this version does not know
OFFLOADED = "..."
_MASK = const("********")
_SECRETS = const(("stapwd", "appwd", "telegram"))

_TRIGGERS = const(("n/a", "up", "down", "both"))


def _device_name(value):
    for c in value:
        if not (c.isalpha() or c.isdigit() or c in "-_.") or ord(c) > 127:
            return "1 to 32 letters, digits, - _ ."
    return None if 0 < len(value) <= 32 else "1 to 32 letters, digits, - _ ."


def _password(value):
    return None if 8 <= len(value) <= 63 and " " not in value else "8 to 63 characters without blanks"


def own_pins(text):
    """(map name or None, {name: number}) of a cstmpmap. Raises ValueError."""
    if text == "n/a":
        return None, {}
    parts = [part.strip() for part in text.split(";") if part.strip()]
    board = parts.pop(0) if parts and ":" not in parts[0] else None
    custom = {}
    for part in parts:
        name, _, number = part.partition(":")
        try:
            custom[name.strip()] = int(number)
        except ValueError:
            raise ValueError("cstmpmap: {} is not name:number".format(part))
    return board, custom


def _pin_map(value):
    try:
        own_pins(value)
        return None
    except ValueError:
        return "n/a or [map;] name:number; name:number ..."


def _time_zone(value):
    if value == "n/a":
        return None
    from pure.zone import refusal
    unload("pure.zone", "pure.civil")
    return refusal(value)


def _position(value):
    if value == "n/a":
        return None
    try:
        latitude, longitude = [float(part) for part in value.split(",")]
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return None
    except ValueError:
        pass
    return "n/a or latitude,longitude in degrees as 47.50,19.05"


SETTINGS = (
    # key            default             rule
    ("version",      "n/a",              None),                    # firmware that wrote this file; set by the node
    ("auth",         False,              None),                    # ask shell clients for `appwd`
    ("staessid",     "your_wifi_name",   None),                    # Wi-Fi names to join, `;` between several
    ("stapwd",       "your_wifi_passwd", None),                    # their passwords, in the same order
    ("devfid",       "node01",           _device_name),            # device name, unique on the LAN
    ("appwd",        "ADmin123",         _password),               # password of shell, file service and access point
    ("watchdog",     True,               None),                    # reset the board when its loop is held up
    ("dbg",          True,               None),                    # console lines and progress LED
    ("nwmd",         "n/a",              ("n/a", "STA", "AP")),    # network mode: AP only, or join first
    ("hwuid",        "n/a",              None),                    # hardware id; set by the node
    ("soctout",      100,                (5, 86400)),              # s of silence after which a client gives way
    ("socport",      9008,               (1, 65535)),              # TCP port of the shell
    ("socmax",       2,                  (1, 64)),                 # shell clients at the same time
    ("devip",        "n/a",              None),                    # fixed IP address to ask for
    ("beacon",       True,               None),                    # answer who asks the network for nodes
    ("mdns",         True,               None),                    # the same by mDNS, where the port lets us
    ("vsoa",         False,              None),                    # serve VSOA clients
    ("vsoaport",     3005,               (1, 65535)),              # TCP and UDP port of VSOA
    ("cron",         False,              None),                    # run `crontasks` at their times
    ("crontasks",    "n/a",              None),                    # `when!command; when!command`, see `cron list`
    ("timirq",       False,              None),                    # run `timirqcbf` again and again
    ("timirqcbf",    "n/a",              None),                    # commands of the periodic timer, `;` between
    ("timirqseq",    1000,               (1, 86400000)),           # ms between two runs of `timirqcbf`
    ("irq1",         False,              None),                    # watch pin irq1
    ("irq1_cbf",     "n/a",              None),                    # commands when it triggers
    ("irq1_trig",    "n/a",              _TRIGGERS),               # edge: up, down, both
    ("irq2",         False,              None),                    # watch pin irq2
    ("irq2_cbf",     "n/a",              None),                    # commands when it triggers
    ("irq2_trig",    "n/a",              _TRIGGERS),               # edge: up, down, both
    ("irq3",         False,              None),                    # watch pin irq3
    ("irq3_cbf",     "n/a",              None),                    # commands when it triggers
    ("irq3_trig",    "n/a",              _TRIGGERS),               # edge: up, down, both
    ("irq4",         False,              None),                    # watch pin irq4
    ("irq4_cbf",     "n/a",              None),                    # commands when it triggers
    ("irq4_trig",    "n/a",              _TRIGGERS),               # edge: up, down, both
    ("irq_prell_ms", 300,                (0, 60000)),              # ms in which a bouncing pin counts once
    ("boothook",     "n/a",              None),                    # commands at boot, `;` between
    ("aioqueue",     4,                  (1, 50)),                 # background tasks at the same time
    ("utc",          60,                 (-720, 840)),             # minutes east of UTC, where `tz` is n/a
    ("tz",           "n/a",              _time_zone),              # zone with summer time, a POSIX TZ string
    ("position",     "n/a",              _position),               # latitude,longitude: for sunrise and sunset
    ("ntphost",      "pool.ntp.org",     None),                    # time server `host[:port]`, n/a: none
    ("poshost",      "ip-api.com",       None),                    # tells `utc` and `position` with `cron`, n/a: none
    ("sunhost",      "n/a",              None),                    # tells sunrise and sunset, n/a: computed
    ("boostmd",      True,               None),                    # CPU at full clock
    ("guimeta",      "...",              None),                    # notes of a phone app
    ("cstmpmap",     "n/a",              _pin_map),                # pins of your own: `[map;] name:number; ...`
    ("telegram",     "n/a",              None),                    # token of a Telegram bot
)

_ENDLESS = (float("inf"), -float("inf"))      # read from JSON as 1e999, and cannot be written again
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def row(key):
    """(key, default, rule), None for a stranger."""
    for entry in SETTINGS:
        if entry[0] == key:
            return entry
    return None


def checked(key, value, like):
    """(value as the key's type, None), or (None, what was expected). like: the present value."""
    kind = type(like)
    value = _as(kind, value)
    if value is None:
        return None, _KINDS.get(kind, "a value")
    known = row(key)
    expected = known and known[2] and _refusal(known[2], value)
    return (None, expected) if expected else (value, None)


def _as(kind, value):
    """value as kind, None when it is not one."""
    if kind is str:
        return value if isinstance(value, str) and value != OFFLOADED else None
    if kind is bool:
        return {"true": True, "false": False}.get(str(value).lower())
    try:
        return None if isinstance(value, bool) else kind(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _refusal(rule, value):
    """What the rule expected, None when it is content."""
    if not isinstance(rule, tuple):
        return rule(value)
    if isinstance(rule[0], str):
        return None if value in rule else ", ".join(rule)
    return None if rule[0] <= value <= rule[1] else "{} to {}".format(rule[0], rule[1])


def load(repairs):
    """All settings by name: the defaults, over them what the file says; strangers stay.

    repairs: list that takes a text for each thing that cannot be used.
    """
    values = {key: default for key, default, _ in SETTINGS}
    for key, value in _read(repairs).items():
        if key in values and not (value == OFFLOADED and isinstance(values[key], str)):
            sound, expected = checked(key, value, values[key])
            if expected:
                repairs.append(_refused(key, value, expected) + "; the default is used")
                continue
            value = sound
        elif value in _ENDLESS:          # of a stranger
            repairs.append("{} is endless; it is dropped".format(key))
            continue
        if key not in values or value != values[key]:      # else the default itself stays, which costs no memory
            values[key] = value
    return _purged(values) if exists(PURGE) else values


def _read(repairs):
    """What the file holds, or its last good copy, or nothing."""
    for name in (FILE, _LAST_GOOD):
        if not exists(name):
            continue
        try:
            data = json.loads(read(name) or "")
            if isinstance(data, dict):
                return {key: value for key, value in data.items() if isinstance(key, str)}
        except (ValueError, MemoryError):
            pass
        repairs.append("{} is broken, the copy before it is used".format(name))
        remove(name)                     # else the next save would make it the last good copy
    return {}


def _purged(values):
    known = {key: values[key] for key, _, _ in SETTINGS}
    try:
        _save(known)
        remove(PURGE)
    except OSError:                      # a full flash: the next boot tries again
        pass
    return known


def change(values, key, value):
    """Check a value and keep it in values and on the flash. Returns why it is refused, else None. Raises OSError."""
    old = values[key]
    sound, expected = checked(key, value, old)
    if expected:
        return _refused(key, value, expected)
    if old == OFFLOADED:
        write_whole(".{}.key".format(key), (sound,))
        publish("config", key)
    elif sound != old:
        values[key] = sound
        try:
            _save(values)
        except OSError:
            values[key] = old
            raise
        publish("config", key)
    return None


def _refused(key, value, expected):
    return "{} takes {}, got {}".format(key, expected, shown(key, value))


def shown(key, value):
    """Value as a person may see it."""
    return _MASK if key in _SECRETS and value != "n/a" else value


def with_values(values, get):
    """{key: what get() gives for it}."""
    return {key: get(key) for key in values}


def rows(values, part):
    """Pairs (key, shown value) of the keys with part in their name; one in its own file is `...`."""
    return [(key, shown(key, values[key])) for key in _names(values) if part in key]


def _names(values):
    """All keys: those of the table in their order, then strangers of the file."""
    known = [key for key, _, _ in SETTINGS]
    return known + sorted([key for key in values if key not in known])


def _save(values):
    write_whole(FILE, _json(values), _LAST_GOOD)


def _json(values):
    mark = "{"
    for key in _names(values):
        yield "{}{}: {}".format(mark, json.dumps(key), json.dumps(values[key]))
        mark = ", "
    yield "}"
