"""Log lines as a service: levels, outputs, subscribers."""
from console import say

from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import ServiceMonitor
from usr.utils.resolver import TimeResolver
from usr.utils.service_utils import Singleton

_OUTPUTS = ("UartLogOutputUtil", "FileLogOutputUtil", "MqttLogOutputUtil", "ConsoleLogOutputUtil", "AliCloudLogOutPut",
            "CloudLogOutputUtil")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def __getattr__(name):
    """The outputs that a program seldom asks for."""
    if name not in _OUTPUTS:
        raise AttributeError(name)
    from usr.bin.components import log_outputs
    return getattr(log_outputs, name)


class LOG_LV:
    DEBUG, INFO, WARNING, ERROR, CRITICAL = _LEVELS


class LogFormat:
    """One line: time, tag, level, content, and log_format, which is all of it with a newline."""

    def __init__(self, tag, level, content):
        self.time = TimeResolver().resolver()
        self.tag = tag
        self.level = level
        self.content = content
        self.log_format = "{} {} [{}] - {}\n".format(self.time, tag, level, content)

    def __repr__(self):
        return self.log_format


class AbstractLogOutputUtil:
    """Called with a LogFormat it puts it somewhere."""

    def open(self):
        pass

    def output(self, message, **kwargs):
        raise NotImplementedError("output")

    def close(self):
        pass

    def __call__(self, message, **kwargs):
        return self.output(message, **kwargs)


class PrintLogOutputUtil(AbstractLogOutputUtil):
    """On the console, with an empty line behind each, as upstream prints it."""

    def output(self, message, **kwargs):
        say(message.log_format)


class _LogService(AbstractService):
    def __init__(self):
        super().__init__("LOG")
        self._level = 0
        self._outputs = [PrintLogOutputUtil()]

    def set_level(self, level):
        """An unknown level is DEBUG."""
        self._level = _rank(level)

    def set_output(self, output):
        """Put lines there too. Raises Exception when it is no AbstractLogOutputUtil."""
        if not isinstance(output, AbstractLogOutputUtil):
            text = '"{}" is not extend AbstractLogOutputUtil'.format(output)
            self.log_send("log", LOG_LV.ERROR, text)
            raise Exception(text)
        if self.status():
            output.open()
        self._outputs.append(output)

    def format_msg(self, tag, level, msg):
        return LogFormat(tag, level, msg)

    def log_send(self, tag, level, msg, mode=1):
        """None when it is below the level."""
        if _rank(level) < self._level:
            return None
        return self.send_msg(message=self.format_msg(tag, level, msg), mode=self.mode and mode)

    def prepare_before_start(self):
        self.subscribe(self._put)

    def start(self):
        for output in self._outputs:
            output.open()
        return super().start()

    def prepare_before_stop(self):
        for output in self._outputs:
            output.close()

    def _put(self, sender, message):
        failure = None
        for output in self._outputs:
            try:
                output(message["message"])
            except (Exception, SystemExit) as error:       # outer wall: the other outputs get their line
                failure = error
        if failure:
            raise failure


def _rank(level):
    return _LEVELS.index(level) if level in _LEVELS else 0


LogService = Singleton(_LogService)


class LogAdapter:
    """Lines of one tag. mode: 1 asynchronous, 0 not; the service's own mode wins"""

    def __init__(self, name, enable=1):
        self.name = name
        self.enable = enable
        self.mode = 1

    def debug(self, msg):
        return self._send(LOG_LV.DEBUG, msg)

    def info(self, msg):
        return self._send(LOG_LV.INFO, msg)

    def warning(self, msg):
        return self._send(LOG_LV.WARNING, msg)

    def error(self, msg):
        return self._send(LOG_LV.ERROR, msg)

    def critical(self, msg):
        return self._send(LOG_LV.CRITICAL, msg)

    def _send(self, level, msg):
        return LogService().log_send(self.name, level, msg, self.mode) if self.enable else None


class LogServiceMonitor(ServiceMonitor):
    @staticmethod
    def create_monitor(config=None):
        config = config or {}
        monitor = LogServiceMonitor(LogService())
        if "level" in config:
            LogService().set_level(config["level"])
        monitor.set_exception_handlers(config.get("exceptionHandlers"))
        return monitor
