"""The assembly: builds the node's parts and is the only place where they meet."""
import asyncio
import gc

import machine
from micropython import const
from ConfigHandler import cfgget, cfgput, config
from Debug import console_write, errlog_add
from Files import IF_MODE
from InterpreterShell import VERSION, Shell
from Modules import CallError, modules
from pure.lazy import unload
from SocketServer import Server
from TaskManager import manager
from Time import clock
from Update import FileServer

_STOP_MS = const(100)
_LOOK_BEATS = const(10)           # of 500 ms between two looks at the network
_DEAD_S = const(20)               # without network: whoever was connected has gone
_LIVE = ("cron", "timirq", "irq1", "irq2", "irq3", "irq4")


class Node:
    """What a shell session may reach of the node."""

    def __init__(self):
        self.config = config()
        self.modules = modules()
        self.tasks = manager()
        self.failures = []           # of passwords; pure/guard.py keeps it

    def address(self):
        from Network import net
        return net().ifconfig()[0]

    def reset(self, hard):
        import Boot
        Boot.lasted()                # wanted, whatever it did
        console_write("[reboot]")
        (machine.reset if hard else machine.soft_reset)()

    def update_mode(self):
        """Restart with nothing but network and file service."""
        with open(IF_MODE, "w") as file:
            file.write("webrepl")
        machine.reset()


class _Lookout:
    """Sees that the network is lost, and has it brought back."""

    def __init__(self, server):
        self._server = server
        self._beats = 0

    def beat(self):
        self._beats += 1
        if self._beats % _LOOK_BEATS == 0:
            from Network import net
            if net().is_lost() and not self._is_at_it():
                from Rejoin import run
                manager().start("network", run(self._has_come), protected=True)

    def _is_at_it(self):
        task = manager().get("network")
        return task and task.active

    def _has_come(self, lost_s):
        if lost_s > _DEAD_S:
            for session in self._server.sessions:
                session.end()
        _begin_discovery()


def main(is_safe=False):
    """Run the node; comes back only by an exception. is_safe: without what the settings start at boot."""
    try:
        asyncio.run(_boot(is_safe))
    finally:
        watchdog = manager().watchdog
        if watchdog:
            watchdog.release()           # a person at the REPL does not feed it


async def _boot(is_safe):
    clock()
    _introduce()
    tasks = manager()
    tasks.ask = _ask_node
    _arm(tasks)
    tasks.start("idle", tasks.idle(), protected=True)
    await _prepare(tasks, is_safe)
    gc.threshold(-1)                 # from now on the idle task collects
    try:
        await _open(tasks)
    finally:
        tasks.stop()                 # their ports must be free for the loader's update mode
        await asyncio.sleep_ms(_STOP_MS)


async def _prepare(tasks, is_safe):
    """What the settings want before the doors open: commands, interrupts, network, time, schedule."""
    import Hooks
    unload("Hooks")
    await Hooks.bootup(tasks.execute_pipe, is_safe)
    if not is_safe:
        _begin("interrupts")
    from Network import net
    await net().up()
    _ask_time()
    if not is_safe:
        _begin("schedule", "periodic")
        config().changed = _changed
    Hooks.report_memory()


async def _open(tasks):
    """Serve shell and files, and be found; until the shell ends."""
    node = Node()
    server = Server(lambda peer: Shell(node, peer))
    files = FileServer(modules(), node.failures)
    tasks.start("files", files.run(), protected=True)
    tasks.beats.append(_Lookout(server).beat)
    _begin_discovery()
    await _serve(tasks, server)


async def _serve(tasks, server):
    """The shell as a task whose `show` names the clients; its end ends the node."""
    listening = tasks.start("server", server.run(), protected=True)
    listening.report = server.peers
    await listening.wait()


async def _ask_node(host, line, *timeout_s):
    """The answer of another node, as one of our calls."""
    import InterConnect
    try:
        return await InterConnect.ask(host, line, *timeout_s)
    except InterConnect.LinkError as error:
        raise CallError("{} {}".format(host, error))
    finally:
        unload("InterConnect")


def _arm(tasks):
    """Start the hardware watchdog, which the idle task feeds; a port without one is an alarm."""
    if cfgget("watchdog"):
        try:
            from Watchdog import Watchdog
            tasks.watchdog = Watchdog(_at_work)
            tasks.beats.append(tasks.watchdog.beat)
        except (ImportError, OSError, ValueError) as error:
            errlog_add("[ERR] watchdog: {}".format(error))


def _at_work():
    """Who holds the loop: the call that is running, else whose task it is."""
    if modules().running:
        return " ".join(modules().running)
    import Strays
    unload("Strays")
    return Strays.at_work(manager().tasks)


def _changed(key):
    """A setting has a new value: what it stands for follows."""
    import Live
    Live.changed(key)
    unload("Live")


def _begin(*services):
    """Start services of Live.py; a node that wants none of them does not load it."""
    if cfgget("tz") != "n/a" or any(cfgget(key) for key in _LIVE):
        import Live
        Live.begin(*services)
        unload("Live")


def _begin_discovery():
    if cfgget("beacon") or cfgget("mdns"):
        import Discovery
        Discovery.begin()
        unload("Discovery")


def _ask_time():
    if cfgget("ntphost") != "n/a":
        import Ntp
        unload("Ntp")
        Ntp.begin()


def _introduce():
    """Write down who and what this node is; say what the settings file needed."""
    for repair in config().repairs:
        errlog_add("[ERR] config: {}".format(repair))
    for key, value in (("version", VERSION), ("hwuid", _hardware_id())):
        if cfgget(key) != value:
            cfgput(key, value)


def _hardware_id():
    return "micr{}OS".format("".join(["{:02x}".format(byte) for byte in machine.unique_id()]))
