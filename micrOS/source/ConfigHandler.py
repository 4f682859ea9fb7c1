"""The node's settings in memory; their table, their rules and their file are in Settings.py."""
from micropython import const
from Files import read
from pure.lazy import once, unload

_OFFLOADED = const("...")      # a value that lives in a file of its own


class ConfigError(ValueError):
    """Raised when a value is refused; says what was expected and what came."""


class UnknownKeyError(ConfigError):
    """Raised for a key that is neither in the table nor in the file."""


class Config:
    """All settings by name. Settings.py is most of the weight: it is loaded for one job and forgotten after it."""

    def __init__(self):
        self.repairs = []        # texts: what had to be mended in the file
        self._values = self._job("load", self.repairs)
        self.changed = None      # function(key): what a change sets going at once

    def get(self, key):
        """Value of a key. Raises UnknownKeyError."""
        if key not in self._values:
            raise UnknownKeyError(key)
        value = self._values[key]
        return read(".{}.key".format(key)) or "n/a" if value == _OFFLOADED else value

    def set(self, key, value):
        """Check and keep a value; text is turned into the key's type. Raises ConfigError, OSError."""
        if key not in self._values:
            raise UnknownKeyError(key)
        refusal = self._job("change", self._values, key, value)
        if refusal:
            raise ConfigError(refusal)
        if self.changed:
            self.changed(key)

    def all(self):
        """{key: value} of all settings, secrets too."""
        return self._job("with_values", self._values, self.get)

    def rows(self, part):
        """Pairs (key, value as a person may see it) of the keys with part in their name, in the table's order."""
        return self._job("rows", self._values, part)

    def _job(self, name, *args):
        import Settings
        try:
            return getattr(Settings, name)(*args)
        finally:
            unload("Settings")


@once
def config():
    """The node's one Config."""
    return Config()


def cfgget(key=None):
    """Value of a key, None for an unknown one; without key all of them as a dict."""
    if key is None:
        return config().all()
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
