"""Brings the node up: the place where its parts meet. In memory only for that: what stays is in micrOS.py."""
import gc

import machine
from micropython import const
from ConfigHandler import cfgget, cfgput, config
from Debug import errlog_add
from InterpreterShell import VERSION
from pure.lazy import unload
from SocketServer import Server
from Update import FileServer

_LIMITS_MS = (30000, 8000)            # the longest that the port takes; RP2040: 8388 (datasheet 4.7.2)
_LOOKS = const(4)                    # of the watchdog in one limit
_LIVE = ("cron", "timirq", "irq1", "irq2", "irq3", "irq4", "vsoa")


async def begin(node, is_safe):
    """Bring the node up. Returns the task of its shell, whose end ends the node."""
    import Clockwork
    unload("Startup", "Clockwork")
    Clockwork.begin()
    _introduce()
    tasks = node.tasks
    tasks.ask = node.ask
    _arm(tasks, node.at_work)
    tasks.start("idle", tasks.idle(), protected=True)
    await _prepare(node, is_safe)
    gc.threshold(-1)                 # from now on the idle task collects
    return _open(node, tasks)


async def _prepare(node, is_safe):
    """What the settings want before the doors open: commands, interrupts, network, time, schedule."""
    import Hooks
    unload("Hooks")
    await Hooks.bootup(is_safe)
    if not is_safe:
        _live("interrupts")
    import Join
    unload("Join")
    await Join.up()
    _ask_time()
    if not is_safe:
        _live("schedule", "periodic", "vsoa")
        node.config.changed = node.changed
    Hooks.report_memory()


def _open(node, tasks):
    """Serve shell and files, and be found."""
    server = Server(node.shell)
    tasks.start("files", FileServer(node.modules, node.failures).run(), protected=True)
    node.sessions = server.sessions
    tasks.beats.append(node.look)
    _be_found()
    listening = tasks.start("server", server.run(), protected=True)
    listening.report = server.peers      # `task show server` names the clients
    return listening


def _introduce():
    """Write down who and what this node is; say what the settings file needed."""
    for repair in config().repairs:
        errlog_add("[ERR] config: {}".format(repair))
    for key, value in (("version", VERSION), ("hwuid", _hardware_id())):
        if cfgget(key) != value:
            cfgput(key, value)


def _hardware_id():
    return "micr{}OS".format("".join(["{:02x}".format(byte) for byte in machine.unique_id()]))


def _arm(tasks, at_work):
    """Start the hardware watchdog, which the idle task feeds; a port without one is an alarm."""
    if cfgget("watchdog"):
        try:
            _arm_for(tasks, at_work, *_wdt())
        except (ImportError, OSError, ValueError) as error:
            errlog_add("[ERR] watchdog: {}".format(error))


def _arm_for(tasks, at_work, limit_ms, wdt):
    from Watchdog import Watchdog
    watchdog = tasks.watchdog = Watchdog(wdt.feed, limit_ms // 1000, at_work)
    tasks.beats.append(watchdog.beat)
    watchdog.timer = _timer()            # one that nobody holds would be collected
    watchdog.timer.init(period=limit_ms // _LOOKS, callback=watchdog.look)


def _wdt():
    """(limit_ms, WDT)."""
    for limit_ms in _LIMITS_MS:
        try:
            return limit_ms, machine.WDT(timeout=limit_ms)
        except ValueError:
            pass
    raise OSError("no watchdog takes {} ms".format(_LIMITS_MS[-1]))


def _timer():
    """A software timer, where the port has them, else the last hardware timer."""
    try:
        return machine.Timer(-1)
    except ValueError:
        return machine.Timer(3)


def _live(*services):
    """Start services of Live.py; a node that wants none of them does not load it."""
    if cfgget("tz") != "n/a" or any(cfgget(key) for key in _LIVE):
        import Live
        Live.begin(*services)
        unload("Live")


def _be_found():
    if cfgget("beacon") or cfgget("mdns"):
        import Discovery
        Discovery.begin()
        unload("Discovery")


def _ask_time():
    if cfgget("ntphost") != "n/a":
        import Ntp
        unload("Ntp")
        Ntp.begin()
