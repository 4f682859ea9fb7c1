"""Words of programs for the log of a board: levels by name or by number, as a host has them."""
from Debug import errlog_add

_LEVELS = {"CRITICAL": 50, "ERROR": 40, "WARNING": 30, "INFO": 20, "DEBUG": 10, "ALL": 1}
_KEPT = 40                     # at least, unless the client says another: the log is on flash


def level_of(name):
    """Raises ValueError for a level that does not exist."""
    if isinstance(name, int):
        return name
    found = _LEVELS.get(name.upper())
    if found is None:
        raise ValueError("a level is CRITICAL, ERROR, WARNING, INFO, DEBUG or ALL, got {!r}".format(name))
    return found


def log(client, level, text):
    level = level_of(level)
    if level >= getattr(client, "level", _KEPT):
        names = [name for name, number in _LEVELS.items() if number == level]
        errlog_add("[{}] {}".format(names[0] if names else level, text))


def log_level(client, level):
    client.level = level_of(level)
