"""The application that runs, and what its parts share."""
_current = []                     # Application, Globals


class Globals:
    """Attributes, by name or by get and set."""

    def get(self, name, default=None):
        return getattr(self, name, default)

    def set(self, name, value):
        setattr(self, name, value)

    def setdefault(self, name, default=None):
        if not hasattr(self, name):
            setattr(self, name, default)
        return getattr(self, name)


def enter(app):
    """The last application made is the current one."""
    _current[:] = [app, Globals()]


def CurrentApp():                # noqa: N802 - QFrame's name, as G
    return _at(0)


def G():                         # noqa: N802
    return _at(1)


def _at(index):
    if not _current:
        raise RuntimeError("Working outside of application context.")
    return _current[index]
