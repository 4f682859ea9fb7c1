"""Helios: makes the services, watches over them, and is where a program finds them."""
import gc
from collections import OrderedDict

from console import say
from Files import exists, names

from usr.bin.components.monitor import MonitorInterface
from usr.utils.JsonParserUtils import JsonParser
from usr.utils.service_utils import Singleton

_ETC = "/usr/etc"
_KINDS = ("app_config", "system_config")
# name, whose config, class in usr.bin.<name>_service
_SERVICES = (
    ("net", "sys", "NetServiceMonitor"),
    ("log", "sys", "LogServiceMonitor"),
    ("media", "app", "MediaServiceMonitor"),
    ("exception", "app", "ExceptionServiceMonitor"),
    ("cloud", "app", "CloudServiceMonitor"),
    ("pm", "app", "PMServiceMonitor"),
)
_FAILED = {"net": "error reason:{}", "log": "error reason:{}", "media": "error reason: [{}]"}


def version():
    return {"GROUP_ID": "qpy.quectel.com", "ARTIFACT_ID": "qpy-framework", "artifact_id": "qpy-framework",
            "VERSION": "1.0.0.RELEASE"}


class _Guard:
    """All monitors together."""

    def __init__(self):
        self._monitors = []

    def register_monitor(self, monitor):
        self._monitors.append(monitor)

    def monitor_map(self):
        return list(self._monitors)

    def start(self):
        for monitor in self._monitors:
            monitor.start()

    def reload_level(self):
        for monitor in self._monitors:
            monitor.set_level(0)

    def stop(self):
        for monitor in self._monitors:
            monitor.stop()

    def status(self):
        """1 when all run."""
        return min([monitor.status() for monitor in self._monitors] or [0])

    def upgrade(self):
        """What a cloud service has staged is applied at the next start of the programs."""


Guard = Singleton(_Guard)


def _complaints():
    """The exception service, running; without it what goes wrong is said all the same."""
    try:
        from usr.bin.exception_service import ExceptionService
    except ImportError:
        return say
    ExceptionService().start()
    return ExceptionService()


class _GuardContext:
    def __init__(self):
        self.service_config = {}
        self.system_config = {}
        self.config_map = {"app_config": self.service_config, "system_config": self.system_config}
        self.monitor_map = OrderedDict()          # in the order of their start
        self.error_handler = _complaints()

    def refresh(self):
        """Read the configurations, make the services and start them; what cannot be made is said. Never raises."""
        self.load_config_definitions()
        self.create_monitors()
        self.register_monitors()
        self.start()

    def servers(self):
        return self.monitor_map.copy()

    def get_server(self, name):
        """The service. Raises KeyError."""
        return self.monitor_map[name]()

    def stop_server(self, name):
        return self.monitor_map[name].stop()

    @staticmethod
    def get_logger(name):
        from usr.bin.log_service import LogAdapter
        return LogAdapter(name)

    getLogger = get_logger

    def register_monitor(self, name, monitor):
        """False unless the name is text and the monitor a MonitorInterface. reload() or its own start() starts it."""
        if not isinstance(name, str) or not isinstance(monitor, MonitorInterface):
            return False
        self.monitor_map[name] = monitor
        Guard().register_monitor(monitor)
        return True

    def register_monitors(self):
        known = Guard().monitor_map()
        for monitor in self.monitor_map.values():
            if monitor not in known:
                Guard().register_monitor(monitor)

    def reload(self):
        """Start all, those of level 3 too."""
        Guard().reload_level()
        Guard().start()

    def start(self):
        for name, monitor in self.monitor_map.items():
            try:
                monitor.start()
            except (Exception, SystemExit) as error:       # outer wall: the other services start
                self._complain(name, error)

    def create_monitors(self):
        for name, kind, monitor_class in _SERVICES:
            config = (self.system_config if kind == "sys" else self.service_config).get(name)
            gc.collect()                 # a service stays: it shall not lie between garbage
            try:
                module = __import__("usr.bin.{}_service".format(name), None, None, (monitor_class,))
                monitor = getattr(module, monitor_class).create_monitor(config)
                if monitor is None:
                    raise ValueError("{} service load error".format(name))
            except (Exception, SystemExit) as error:       # outer wall: a service may be missing, or broken
                self._complain(name, error)
                continue
            self.monitor_map[name] = monitor
            say("[    OK     ] create {} monitor {} service".format(kind, name))

    def load_config_definitions(self):
        for kind in _KINDS:
            self.load_configs("{}/{}".format(_ETC, kind))

    def load_configs(self, root):
        """Each folder of root that has a config.json is a configuration of that name."""
        config = self.config_map[root.rpartition("/")[2]]
        for name in sorted(names(root)):
            folder = "{}/{}".format(root, name)
            if exists(folder + "/config.json"):
                read = JsonParser().parse(folder)
                if read["status"]:
                    config[name] = read["data"]
                else:
                    self.error_handler("[   WARN    ] read {} status 0".format(folder))

    @staticmethod
    def path_exist(path):
        return 1 if exists(path) else 0

    def version(self):
        return version()

    def _complain(self, name, error):
        reason = _FAILED.get(name, "error reason:[{}]").format(error)
        self.error_handler("[   FAILED  ] load {} monitor {}".format(name, reason))


GuardContext = Singleton(_GuardContext)
