"""QuecPython's log: lines on the console, `INFO:name:text`."""
from console import say

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50
_NAMES = {DEBUG: "DEBUG", INFO: "INFO", WARNING: "WARNING", ERROR: "ERROR", CRITICAL: "CRITICAL"}
_level = [INFO]
_loggers = {}


class Logger:
    def __init__(self, name):
        self._name = name

    def log(self, level, text, *args):
        if level >= _level[0]:
            say("{}:{}:{}".format(_NAMES[level], self._name, text % args if args else text))

    def debug(self, text, *args):
        self.log(DEBUG, text, *args)

    def info(self, text, *args):
        self.log(INFO, text, *args)

    def warning(self, text, *args):
        self.log(WARNING, text, *args)

    def error(self, text, *args):
        self.log(ERROR, text, *args)

    def critical(self, text, *args):
        self.log(CRITICAL, text, *args)


def basicConfig(level=INFO):
    _level[0] = level


def getLogger(name):
    if name not in _loggers:
        _loggers[name] = Logger(name)
    return _loggers[name]
