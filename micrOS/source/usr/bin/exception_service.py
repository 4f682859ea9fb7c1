"""Where services say what went wrong: on the console, and to who subscribes."""
from console import say

from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import ServiceMonitor
from usr.utils.service_utils import Singleton


class _ExceptionService(AbstractService):
    def __init__(self):
        super().__init__("EXCEPTION")

    def __call__(self, message):
        return self.publish(message)

    def prepare_before_start(self):
        self.subscribe(_show)


def _show(sender, message):
    say(message["message"])


ExceptionService = Singleton(_ExceptionService)


class ExceptionServiceMonitor(ServiceMonitor):
    @staticmethod
    def create_monitor(config=None):
        monitor = ExceptionServiceMonitor(ExceptionService())
        monitor.set_exception_handlers((config or {}).get("exceptionHandlers"))
        return monitor
