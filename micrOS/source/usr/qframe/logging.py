"""QFrame's logging: `[2024-05-01 12:00:00][name][INFO] text more`."""
import sys
import time

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")
_loggers = {}


class Level:
    DEBUG, INFO, WARN, ERROR, CRITICAL = range(5)


class _Config:
    """debug: print everything; else only from `level` on."""

    def __init__(self):
        self._rows = {"level": "WARN", "debug": True, "stream": sys.stdout}

    def set(self, key, value):
        """Raises ValueError for a level that there is not."""
        if key == "level":
            value = str(value).upper()
            if value not in LEVELS:
                raise ValueError("the level is one of {}, got {}".format(", ".join(LEVELS), value))
        self._rows[key] = value

    def update(self, *rows, **more):
        for part in rows + (more,):
            for key, value in part.items():
                self.set(key, value)

    def get(self, key, default=None):
        return self._rows.get(key, default)

    def shows(self, level):
        return self._rows["debug"] or level >= LEVELS.index(self._rows["level"])


BasicConfig = _Config()


def output_raw(text):
    BasicConfig.get("stream").write("{}\n".format(text))


class Logger:
    def __init__(self, name):
        self.name = name

    def _log(self, level, messages):
        if BasicConfig.shows(level):
            stamp = "{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}".format(*time.localtime()[:6])
            text = " ".join([str(message) for message in messages])
            output_raw("[{}][{}][{}] {}".format(stamp, self.name, LEVELS[level], text))

    def debug(self, *messages):
        self._log(Level.DEBUG, messages)

    def info(self, *messages):
        self._log(Level.INFO, messages)

    def warn(self, *messages):
        self._log(Level.WARN, messages)

    warning = warn

    def error(self, *messages):
        self._log(Level.ERROR, messages)

    def critical(self, *messages):
        self._log(Level.CRITICAL, messages)


def getLogger(name):             # noqa: N802 - QFrame's name
    if name not in _loggers:
        _loggers[name] = Logger(name)
    return _loggers[name]
