"""Watches over a service: starts and stops it, asks it every 15 s, and acts when it does not answer."""
import osTimer
from misc import Power

THRESHOLD = 3                 # a monitor of this level is not started
_BEAT_MS = 15000
_watched = []                 # the monitors that run; one timer serves all
_timer = osTimer()
_ACTIONS = {"reboot": lambda monitor: Power.powerRestart(), "stop": lambda monitor: monitor.stop()}


class MonitorInterface:
    """What the guard can hold."""

    def start(self):
        raise NotImplementedError("start")

    def stop(self):
        raise NotImplementedError("stop")

    def status(self):
        raise NotImplementedError("status")


class ServiceMonitor(MonitorInterface):
    """failed_count: beats in a row that the service has not answered."""

    def __init__(self, service):
        self.service = service
        self.level = 0
        self.failed_count = 0
        self.exception_handlers = {}
        self._is_answered = True

    def __call__(self):
        return self.service

    def set_level(self, level):
        self.level = level

    def set_exception_handlers(self, handlers):
        """handlers: {"reboot": {"failCount": n}, "stop": {"failCount": n}}, either or both; None: none"""
        self.exception_handlers = handlers or {}

    def start(self):
        """Result of the service's start, None when its level forbids it."""
        if self.level >= THRESHOLD:
            return None
        started = self.service.start()
        if self not in _watched:
            self.clear()
            _watched.append(self)
            if len(_watched) == 1:
                _timer.start(_BEAT_MS, 1, _beat)
        return started

    def stop(self):
        if self.level >= THRESHOLD:
            return None
        if self in _watched:
            _watched.remove(self)
            if not _watched:
                _timer.stop()
        return self.service.stop()

    def status(self):
        return self.service.status()

    def clear(self):
        self.failed_count = 0
        self._is_answered = True

    def beat(self):
        """Judge the last question, and ask the next one."""
        self.failed_count = 0 if self._is_answered else self.failed_count + 1
        for name, handler in self.exception_handlers.items():
            if name in _ACTIONS and self.failed_count and self.failed_count == handler.get("failCount"):
                _ACTIONS[name](self)
        if self in _watched and self._is_answered:
            self._is_answered = False
            self.service.ping(self._answer)

    def _answer(self):
        self._is_answered = True


def _beat(_):
    for monitor in tuple(_watched):
        monitor.beat()
