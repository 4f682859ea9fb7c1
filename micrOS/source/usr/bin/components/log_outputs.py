"""Where log lines go beside the console; found under their names in usr.bin.log_service."""
import os

import ql_fs
from micropython import const

from usr.bin.log_service import AbstractLogOutputUtil

_LOG_FILE = "/usr/log/log.txt"
_MOST_BYTES = const(16384)       # of a log file; then it becomes log.txt.1 and a new one begins


class UartLogOutputUtil(AbstractLogOutputUtil):
    """On a UART, 115200 baud, 8N1."""

    def __init__(self, UARTn=2):
        self._port = UARTn
        self._uart = None

    def open(self):
        from quec.door import machine
        if self._uart is None:
            self._uart = machine.UART(self._port, 115200)

    def output(self, message, **kwargs):
        self.open()
        self._uart.write(message.log_format.encode())

    def close(self):
        if self._uart:
            self._uart.deinit()
            self._uart = None


class FileLogOutputUtil(AbstractLogOutputUtil):
    """In a file of at most `most` bytes and the one before it."""

    def __init__(self, path=_LOG_FILE, most=_MOST_BYTES):
        self._path = path
        self._most = most

    def open(self):
        ql_fs.mkdirs(ql_fs.path_dirname(self._path))

    def output(self, message, **kwargs):
        self.open()
        line = message.log_format.encode()
        if ql_fs.path_exists(self._path) and ql_fs.path_getsize(self._path) + len(line) > self._most:
            os.rename(self._path, self._path + ".1")
        with open(self._path, "ab") as file:
            file.write(line)


class MqttLogOutputUtil(AbstractLogOutputUtil):
    """Nowhere, as upstream: the broker is the program's own."""

    def output(self, message, **kwargs):
        pass


class ConsoleLogOutputUtil(MqttLogOutputUtil):
    pass


class AliCloudLogOutPut(AbstractLogOutputUtil):
    """To Alibaba Cloud's log topic. server: has productKey, DeviceName and publish(topic, text)"""

    def __init__(self, server):
        self._server = server
        self._id = 0

    def output(self, message, **kwargs):
        import json
        import time
        self._id += 1
        line = {"utcTime": "{}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}.000+0000".format(*time.gmtime()[:6]),
                "logLevel": message.level, "module": message.tag, "code": "200", "logContent": message.content}
        if message.level == "ERROR":
            line["traceContext"] = str(self._id)
        self._server.publish(
            "/sys/{}/{}/thing/log/post".format(self._server.productKey, self._server.DeviceName),
            json.dumps({"id": str(self._id), "version": "1.0", "sys": {"ack": 0}, "params": [line],
                        "method": "thing.log.post"}))


class CloudLogOutputUtil(AbstractLogOutputUtil):
    """To the cloud service's log. cloud: CloudService"""

    def __init__(self, cloud):
        self._cloud = cloud

    def output(self, message, **kwargs):
        self._cloud.commit_log(message.log_format)
