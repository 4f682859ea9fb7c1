"""The numbers of the public names: statuses as they go over the wire, levels of the log, defaults."""
from __future__ import annotations

import logging

from micrOS.source.pure import tr50_status

STATUS_SUCCESS = 0
STATUS_INVOKED = 1             # begun; the outcome comes by action_acknowledge
STATUS_BAD_PARAMETER = 2
STATUS_BAD_REQUEST = 3
STATUS_EXECUTION_ERROR = 4
STATUS_EXISTS = 5
STATUS_FILE_OPEN_FAILED = 6
STATUS_FULL = 7
STATUS_IO_ERROR = 8
STATUS_NO_MEMORY = 9
STATUS_NO_PERMISSION = 10
STATUS_NOT_EXECUTABLE = 11
STATUS_NOT_FOUND = 12
STATUS_NOT_INITIALIZED = 13
STATUS_OUT_OF_RANGE = 14
STATUS_PARSE_ERROR = 15
STATUS_TIMED_OUT = 16
STATUS_TRY_AGAIN = 17
STATUS_NOT_SUPPORTED = 18
STATUS_FAILURE = 19

LOGCRITICAL, LOGERROR, LOGWARNING = logging.CRITICAL, logging.ERROR, logging.WARNING
LOGINFO, LOGDEBUG, LOGNOTSET = logging.INFO, logging.DEBUG, logging.NOTSET

DEFAULT_CONFIG_DIR, DEFAULT_CONFIG_FILE = ".", "{}-connect.cfg"
DEFAULT_KEEP_ALIVE, DEFAULT_LOOP_TIME, DEFAULT_THREAD_COUNT = 0, 1, 3      # seconds, seconds, actions at a time


def status_string(code: int) -> str:
    return str(tr50_status.text(code))
