"""The Device Cloud agent of a host: telemetry up, actions down, files both ways.

    client = device_cloud.Client("app")
    client.initialize()                            # reads app-connect.cfg and device_id
    client.connect(timeout=10)
    client.telemetry_publish("temperature", 21.5)
    client.disconnect()

The agent itself is micrOS/source/cloud/, the same on boards; here is what only hosts have. The same program runs on a
board with its module device_cloud.
"""
from device_cloud import identity, osal, ota_handler, relay
from device_cloud.client import Client
from device_cloud.constants import (
    DEFAULT_CONFIG_DIR,
    DEFAULT_CONFIG_FILE,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_LOOP_TIME,
    DEFAULT_THREAD_COUNT,
    LOGCRITICAL,
    LOGDEBUG,
    LOGERROR,
    LOGINFO,
    LOGNOTSET,
    LOGWARNING,
    STATUS_BAD_PARAMETER,
    STATUS_BAD_REQUEST,
    STATUS_EXECUTION_ERROR,
    STATUS_EXISTS,
    STATUS_FAILURE,
    STATUS_FILE_OPEN_FAILED,
    STATUS_FULL,
    STATUS_INVOKED,
    STATUS_IO_ERROR,
    STATUS_NO_MEMORY,
    STATUS_NO_PERMISSION,
    STATUS_NOT_EXECUTABLE,
    STATUS_NOT_FOUND,
    STATUS_NOT_INITIALIZED,
    STATUS_NOT_SUPPORTED,
    STATUS_OUT_OF_RANGE,
    STATUS_PARSE_ERROR,
    STATUS_SUCCESS,
    STATUS_TIMED_OUT,
    STATUS_TRY_AGAIN,
    status_string,
)

__all__ = (
    "DEFAULT_CONFIG_DIR", "DEFAULT_CONFIG_FILE", "DEFAULT_KEEP_ALIVE", "DEFAULT_LOOP_TIME", "DEFAULT_THREAD_COUNT",
    "LOGCRITICAL", "LOGDEBUG", "LOGERROR", "LOGINFO", "LOGNOTSET", "LOGWARNING", "STATUS_BAD_PARAMETER",
    "STATUS_BAD_REQUEST", "STATUS_EXECUTION_ERROR", "STATUS_EXISTS", "STATUS_FAILURE", "STATUS_FILE_OPEN_FAILED",
    "STATUS_FULL", "STATUS_INVOKED", "STATUS_IO_ERROR", "STATUS_NOT_EXECUTABLE", "STATUS_NOT_FOUND",
    "STATUS_NOT_INITIALIZED", "STATUS_NOT_SUPPORTED", "STATUS_NO_MEMORY", "STATUS_NO_PERMISSION",
    "STATUS_OUT_OF_RANGE", "STATUS_PARSE_ERROR", "STATUS_SUCCESS", "STATUS_TIMED_OUT", "STATUS_TRY_AGAIN", "Client",
    "identity", "osal", "ota_handler", "relay", "status_string",
)
