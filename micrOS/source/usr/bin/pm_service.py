"""Sleep by vote: the node may sleep when nobody needs it awake."""
import pm

from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import ServiceMonitor
from usr.utils.service_utils import Singleton

_LOCK = "pm_lock"


class _PMService(AbstractService):
    """Each lock() needs its own unlock()."""

    def __init__(self, flag=1):
        super().__init__("pm")
        self._flag = flag
        self._lock = pm.create_wakelock(_LOCK, len(_LOCK))
        self._count = 0

    def prepare_before_start(self):
        self.auto_sleep(self._flag)

    def lock(self):
        self._count += 1
        return pm.wakelock_lock(self._lock)

    def unlock(self):
        self._count = max(0, self._count - 1)
        return 0 if self._count else pm.wakelock_unlock(self._lock)

    def count(self):
        return self._count

    def auto_sleep(self, is_allowed):
        return pm.autosleep(is_allowed)

    def asleep_s(self):
        return pm.asleep_s()


PMService = Singleton(_PMService)


class PMServiceMonitor(ServiceMonitor):
    @staticmethod
    def create_monitor(config=None):
        monitor = PMServiceMonitor(PMService())
        monitor.set_exception_handlers((config or {}).get("exceptionHandlers"))
        return monitor
