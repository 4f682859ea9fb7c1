"""The node's settings in memory and in their file; the table of them is Settings.SETTINGS."""
import json

from Files import exists, read, remove, write_whole
from pure.lazy import once, unload

FILE = "node_config.json"
LAST_GOOD = "node_config.bak"
PURGE = "cleanup.pds"          # left by an update: drop keys that this version does not know
OFFLOADED = "..."              # a value that lives in a file of its own
MASK = "********"
SECRETS = ("stapwd", "appwd", "telegram")


class ConfigError(ValueError):
    """Raised when a value is refused; says what was expected and what came."""


class UnknownKeyError(ConfigError):
    """Raised for a key that is neither in SETTINGS nor in the file."""


class Config:
    """All settings by name. The table is loaded for a check and forgotten after it: it is most of the weight."""

    def __init__(self):
        self.repairs = []        # texts: what had to be mended in the file
        import Settings
        self._values = Settings.merged(self._load(), self.repairs)
        if exists(PURGE):
            self._purge(Settings.row)
        unload("Settings")

    def get(self, key):
        """Value of a key. Raises UnknownKeyError."""
        try:
            value = self._values[key]
        except KeyError:
            raise UnknownKeyError(key)
        if value == OFFLOADED:
            return read(_key_file(key)) or "n/a"
        return value

    def set(self, key, value):
        """Check and keep a value; text is turned into the key's type. Raises ConfigError, OSError."""
        old = self._values.get(key)
        if old is None:
            raise UnknownKeyError(key)
        value = _checked(key, value, old)
        if old == OFFLOADED:
            write_whole(_key_file(key), (value,))
        elif value != old:
            self._keep(key, value, old)

    def names(self):
        """All keys: those of SETTINGS in their order, then strangers of the file."""
        import Settings
        known = [row[0] for row in Settings.SETTINGS]
        unload("Settings")
        return known + sorted([key for key in self._values if key not in known])

    def shown(self, key, brief=False):
        """Value as a person may see it: secrets masked; brief: `...` for one in its own file.

        Raises UnknownKeyError.
        """
        if brief and self._values.get(key) == OFFLOADED:
            return OFFLOADED
        value = self.get(key)
        return MASK if key in SECRETS and value != "n/a" else value

    def _keep(self, key, value, old):
        self._values[key] = value
        try:
            self._save()
        except OSError:
            self._values[key] = old
            raise

    def _save(self):
        write_whole(FILE, self._json(), LAST_GOOD)

    def _json(self):
        mark = "{"
        for key in self.names():
            yield '{}"{}": {}'.format(mark, key, json.dumps(self._values[key]))
            mark = ", "
        yield "}"

    def _load(self):
        """What the file holds, or its last good copy, or nothing."""
        for name in (FILE, LAST_GOOD):
            text = read(name)
            if text is None:
                continue
            try:
                data = json.loads(text)
                if isinstance(data, dict):
                    return data
            except ValueError:
                pass
            self.repairs.append("{} is broken, the copy before it is used".format(name))
        return {}

    def _purge(self, row):
        self._values = {key: value for key, value in self._values.items() if row(key)}
        self._save()
        remove(PURGE)


def _checked(key, value, like):
    import Settings
    sound, expected = Settings.checked(key, value, like)
    unload("Settings")
    if expected:
        raise ConfigError("{} takes {}, got {}".format(key, expected, MASK if key in SECRETS else value))
    return sound


def _key_file(key):
    return ".{}.key".format(key)


@once
def config():
    """The node's one Config."""
    return Config()


def cfgget(key=None):
    """Value of a key, None for an unknown one; without key all of them as a dict."""
    if key is None:
        return {key: config().get(key) for key in config().names()}
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
