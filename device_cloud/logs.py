"""Where a client's words go: to stderr, to a file, to the system's log, as its configuration says. Secrets never do."""
from __future__ import annotations

import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler, SysLogHandler
from pathlib import Path
from typing import Any

FORMAT = "%(asctime)s %(levelname)s: %(filename)s:%(lineno)d - %(message)s"
TIME = "%b %d %H:%M:%S"
FILE_BYTES, FILES = 1 << 20, 3
SYSLOG = ("/dev/log", "/var/run/syslog")


def begin(name: str, settings: Any) -> logging.Logger:
    """Logger of that name. settings: quiet, log_file, use_syslog"""
    logger = logging.getLogger(name)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    for handler in _handlers(settings):
        handler.setFormatter(logging.Formatter(FORMAT, TIME))
        logger.addHandler(handler)
    if not logger.handlers:              # else Python's handler of last resort speaks up
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


def level_of(name: str | int) -> int:
    """Raises ValueError for a level that does not exist."""
    if isinstance(name, int):
        return name
    if name == "ALL":
        return logging.NOTSET + 1        # NOTSET itself asks the parent
    found = logging.getLevelNamesMapping().get(name.upper())
    if found is None:
        raise ValueError(f"a level is CRITICAL, ERROR, WARNING, INFO, DEBUG or ALL, got {name!r}")
    return found


def _handlers(settings: Any) -> Iterator[logging.Handler]:
    if not settings.quiet:
        yield logging.StreamHandler()
    if settings.log_file:
        yield RotatingFileHandler(settings.log_file, maxBytes=FILE_BYTES, backupCount=FILES, delay=True)
    if settings.use_syslog:
        place = next((path for path in SYSLOG if Path(path).exists()), None)
        yield SysLogHandler(place) if place else SysLogHandler()
