"""The node's settings: one table says what they are, one file keeps them.

The type of a default is the type of its key. A rule is None, (least, most) of a number, the texts
that are allowed, or a function that returns what it expected when it refuses a value.
A value `...` in the file means: kept in a file of its own, `.<key>.key`.
"""
import json

from Files import exists, read, remove, write_whole
from pure.once import once

FILE = "node_config.json"
LAST_GOOD = "node_config.bak"
PURGE = "cleanup.pds"          # left by an update: drop keys that this version does not know
OFFLOADED = "..."
MASK = "********"
SECRETS = ("stapwd", "appwd", "telegram")

_TRIGGERS = ("n/a", "up", "down", "both")


def _device_name(value):
    for c in value:
        if not (c.isalpha() or c.isdigit() or c in "-_.") or ord(c) > 127:
            return "1 to 32 letters, digits, - _ ."
    return None if 0 < len(value) <= 32 else "1 to 32 letters, digits, - _ ."


def _password(value):
    return None if 8 <= len(value) <= 63 and " " not in value else "8 to 63 characters without blanks"


SETTINGS = (
    # key            default             rule
    ("version",      "n/a",              None),                    # firmware that wrote this file; set by the node
    ("auth",         False,              None),                    # ask shell clients for `appwd`
    ("staessid",     "your_wifi_name",   None),                    # Wi-Fi names to join, `;` between several
    ("stapwd",       "your_wifi_passwd", None),                    # their passwords, in the same order
    ("devfid",       "node01",           _device_name),            # device name, unique on the LAN
    ("appwd",        "ADmin123",         _password),               # password of shell, file service and access point
    ("dbg",          True,               None),                    # console lines and progress LED
    ("nwmd",         "n/a",              ("n/a", "STA", "AP")),    # network mode: AP only, or join first
    ("hwuid",        "n/a",              None),                    # hardware id; set by the node
    ("soctout",      100,                (5, 86400)),              # s of silence after which a client gives way
    ("socport",      9008,               (1, 65535)),              # TCP port of the shell
    ("socmax",       2,                  (1, 32)),                 # shell clients at the same time
    ("devip",        "n/a",              None),                    # fixed IP address to ask for
    ("cron",         False,              None),                    # run `crontasks`
    ("crontasks",    "n/a",              None),                    # `when!command; when!command`
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
    ("utc",          60,                 (-720, 840)),             # minutes east of UTC
    ("boostmd",      True,               None),                    # CPU at full clock
    ("guimeta",      "...",              None),                    # notes of a phone app
    ("cstmpmap",     "n/a",              None),                    # pins of your own: `[map;] name:number; ...`
    ("telegram",     "n/a",              None),                    # token of a Telegram bot
)


class ConfigError(ValueError):
    """Raised when a value is refused; says what was expected and what came."""


class UnknownKeyError(ConfigError):
    """Raised for a key that is neither in SETTINGS nor in the file."""


class Config:
    """Settings over their defaults; only what differs from the default is held in memory."""

    def __init__(self):
        self.repairs = []        # texts: what _load() had to mend
        self._changed = self._load()
        if exists(PURGE):
            self._purge()

    def get(self, key):
        """Value of a key. Raises UnknownKeyError."""
        value = self._raw(key)
        if value == OFFLOADED:
            return read(_key_file(key)) or "n/a"
        return value

    def set(self, key, value):
        """Check and keep a value; text is turned into the key's type. Raises ConfigError, OSError."""
        old = self._raw(key)
        value = _typed(key, value, old)
        _obey(key, value)
        if old == OFFLOADED:
            write_whole(_key_file(key), (value,))
        elif value != old:
            self._keep(key, value)

    def keys(self):
        """All keys: those of SETTINGS in their order, then strangers of the file."""
        known = [row[0] for row in SETTINGS]
        return known + sorted([key for key in self._changed if key not in known])

    def shown(self, key):
        """Value as a person may see it: secrets masked, offloaded ones as `...`. Raises UnknownKeyError."""
        value = self._raw(key)
        return MASK if key in SECRETS and value != "n/a" else value

    def _raw(self, key):
        value = self._changed.get(key)
        return _row(key)[1] if value is None else value

    def _keep(self, key, value):
        before = self._changed.get(key)
        self._changed[key] = value
        try:
            self._save()
        except OSError:
            self._restore(key, before)
            raise

    def _restore(self, key, before):
        if before is None:
            del self._changed[key]
        else:
            self._changed[key] = before

    def _save(self):
        write_whole(FILE, self._json(), LAST_GOOD)

    def _json(self):
        mark = "{"
        for key in self.keys():
            yield '{}"{}": {}'.format(mark, key, json.dumps(self._raw(key)))
            mark = ", "
        yield "}"

    def _load(self):
        for name in (FILE, LAST_GOOD):
            text = read(name)
            if text is None:
                continue
            try:
                return self._sound(json.loads(text))
            except ValueError:
                self.repairs.append("{} is broken, the copy before it is used".format(name))
        return {}

    def _sound(self, data):
        """What a file may change: values of the right type that obey their rule; strangers stay."""
        if not isinstance(data, dict):
            raise ValueError
        sound = {}
        for key, value in data.items():
            try:
                default = _row(key)[1]
                value = _typed(key, value, default)
                _obey(key, value)
            except UnknownKeyError:
                default = None
            except ConfigError as error:
                self.repairs.append("{}; the default is used".format(error))
                continue
            if value != default:
                sound[key] = value
        return sound

    def _purge(self):
        known = [row[0] for row in SETTINGS]
        self._changed = {key: value for key, value in self._changed.items() if key in known}
        self._save()
        remove(PURGE)


def _row(key):
    for row in SETTINGS:
        if row[0] == key:
            return row
    raise UnknownKeyError(key)


def _typed(key, value, like):
    kind = type(like)
    if type(value) is kind and value != OFFLOADED:
        return value
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    try:
        if kind in (int, float) and value is not True and value is not False:
            return kind(value)
    except (TypeError, ValueError):
        pass
    if kind is str and value == OFFLOADED:
        if like == OFFLOADED:
            return value
        raise ConfigError("{} cannot be ...; write the value".format(key))
    raise ConfigError("{} takes {}, got {}".format(key, _KINDS.get(kind, "text"), value))


_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}


def _obey(key, value):
    try:
        rule = _row(key)[2]
    except UnknownKeyError:
        return
    expected = rule and value != OFFLOADED and _refusal(rule, value)
    if expected:
        raise ConfigError("{} takes {}, got {}".format(key, expected, value))


def _refusal(rule, value):
    """What the rule expected, None when it is content."""
    if not isinstance(rule, tuple):
        return rule(value)
    if isinstance(rule[0], str):
        return None if value in rule else ", ".join(rule)
    return None if rule[0] <= value <= rule[1] else "{} to {}".format(rule[0], rule[1])


def _key_file(key):
    return ".{}.key".format(key)


@once
def config():
    """The node's one Config."""
    return Config()


def cfgget(key=None):
    """Value of a key, None for an unknown one; without key all of them as a dict."""
    if key is None:
        return {key: config().get(key) for key in config().keys()}
    try:
        return config().get(key)
    except UnknownKeyError:
        return None


def cfgput(key, value, type_check=False):
    """Keep a value. Returns False when it is refused or cannot be written."""
    try:
        config().set(key, value)
    except (ConfigError, OSError):
        return False
    return True
