"""Quectel's cloud as a service: what comes of an upgrade or a log line is a message with its code."""
import gc

from misc import Power
from pure.lazy import unload
from TaskManager import manager

from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import ServiceMonitor
from usr.utils.service_utils import Singleton

_DONE = "3001"                # new programs wait for the next start
_FIRMWARE = "4026"            # a board's firmware is not Quectel's to change


class _CloudService(AbstractService):
    """start() looks for new programs once; what it found is published as {"code": "<code>"}, type 1.

    url: of the cloud, None for Quectel's
    """

    BIN_UPGRADE, SH_UPGRADE = 0, 1

    def __init__(self, uid, module_type, pk, battery=100, reboot=False, url=None):
        super().__init__("CLOUD")
        self._asked = (uid, module_type, pk)
        self._battery = battery
        self._url = url
        self._reboots = reboot
        self._enabled = {self.SH_UPGRADE: True, self.BIN_UPGRADE: False}
        self._code = None
        self._number = self._asking = 0

    def set_enable(self, kind, is_on):
        """kind: SH_UPGRADE, the programs, or BIN_UPGRADE, the firmware"""
        self._enabled[kind] = is_on

    def get_app_code(self):
        """The last code, None before the first."""
        return self._code

    def start_crontab(self):
        manager().start("ota", self._upgrade(), protected=True)

    def commit_log(self, message):
        """Send a log line; its code is published."""
        self._number += 1
        manager().start("otalog{}".format(self._number % 4), self._log(message), protected=True)

    async def _upgrade(self):
        if self._enabled[self.BIN_UPGRADE]:
            self.publish({"code": _FIRMWARE}, msg_type=self.BIN_UPGRADE)
        if self._enabled[self.SH_UPGRADE]:
            self._code = await self._asks(lambda ota: ota.upgrade(*self._asked))
            self.publish({"code": self._code}, msg_type=self.SH_UPGRADE)
            if self._code == _DONE and self._reboots:
                Power.powerRestart()

    async def _log(self, message):
        code = await self._asks(lambda ota: ota.log(self._asked[2], message))
        self.publish({"code": code}, msg_type=self.SH_UPGRADE)

    async def _asks(self, question):
        """The code that a question to the cloud gives; all that asks is in memory only meanwhile."""
        gc.collect()
        from usr.bin.components.OTA import URL, UCloudOTA
        self._asking += 1
        try:
            return await question(UCloudOTA(self._battery, self._url or URL))
        finally:
            self._asking -= 1
            if not self._asking:
                unload("usr.bin.components.OTA", "Http", "pure.http", "pure.unzip", "app_fota")


CloudService = Singleton(_CloudService)


class CloudServiceMonitor(ServiceMonitor):
    @staticmethod
    def create_monitor(config=None):
        """None without a configuration that has params.pk."""
        params = (config or {}).get("params", {})
        if not params.get("pk"):
            return None
        cloud = CloudService(params.get("uid"), params.get("module_type"), params["pk"], params.get("battery", 100),
                             params.get("reboot", False), params.get("url"))
        monitor = CloudServiceMonitor(cloud)
        monitor.set_level(config.get("level", 0))
        monitor.set_exception_handlers(config.get("exceptionHandlers"))
        return monitor
