"""What a setting sets going, at boot and when it is changed; in memory only for that."""
import gc

from ConfigHandler import cfgget
from Debug import errlog_add, leds, trace
from LogicalPins import pins
from pure.lazy import unload
from TaskManager import manager
from Time import clock


def changed(key):
    """A key has a new value: what it stands for follows."""
    for beginning, service in _KEYS:
        if key.startswith(beginning):
            begin(service)


def begin(*services):
    """Start services by name."""
    for name in services:
        gc.collect()                     # a service stays: it shall not lie between garbage
        try:
            _SERVICES[name]()
        except Exception as error:       # outer wall: a service that cannot start must not cost the shell
            trace(error)
            errlog_add("[ERR] {}: {}".format(name, error))


def remap():
    """Names of pins that a person has chosen; what is booked stays booked."""
    import PinMap
    unload("PinMap")
    PinMap.remap(pins(), cfgget("cstmpmap"))


def interrupts():
    """Watch the pins irq1 to irq4 that are on."""
    running = manager().get("irq")
    if not running and not any(cfgget("irq{}".format(number)) for number in (1, 2, 3, 4)):
        return
    from InterruptHandler import interrupts
    from Pipes import execute_pipe
    if interrupts().watch():
        task = manager().start("irq", interrupts().run(execute_pipe), protected=True)
        if task:
            task.report = interrupts().report
    else:
        _end("irq")


def periodic():
    """The commands that run every `timirqseq` ms."""
    _end("timirq")
    if cfgget("timirq"):
        from Periodic import run
        from Pipes import execute_pipe
        manager().start("timirq", run(execute_pipe), protected=True)


def schedule():
    """The commands at their time, and summer time."""
    _rezone()
    if not cfgget("cron") and cfgget("tz") == "n/a":
        _end("cron")
        clock().stepped = None
        unload("Scheduler", "pure.cron")
        return
    from Scheduler import scheduler
    clock().stepped = scheduler().wake
    if not manager().start("cron", scheduler().run(_start_job, _daily), protected=True):
        scheduler().renew()


def _vsoa():
    """The node as a VSOA server."""
    if cfgget("vsoa") or manager().get("vsoa.server"):
        server = manager().modules.load("vsoa")
        server.stop()
        if cfgget("vsoa"):
            server.load()


def _discovery():
    """Being found by the beacon and by mDNS."""
    from Discovery import begin
    unload("Discovery")
    begin()


def _daily():
    """Put the clock right, and ask what else may have changed."""
    from Ntp import begin
    unload("Ntp")
    begin()


def _start_job(tag, commands):
    return manager().start(tag, _job(tag, commands)) is not None


async def _job(tag, commands):
    from Pipes import execute_pipe
    await execute_pipe(commands, manager().get(tag).say)


def _rezone():
    """Show at once what the clocks of a changed zone show."""
    import Zone
    Zone.leave()
    utc_s = clock().utc()
    if Zone.offset(utc_s, False) != clock().offset_s:
        import Clockwork
        unload("Clockwork")
        Clockwork.set_utc(utc_s)


def _end(tag):
    task = manager().get(tag)
    if task:
        task.cancel()


def life():
    """The LED of a node that is to be silent goes dark."""
    if not cfgget("dbg"):
        for led in leds():
            led(None)


def speed():
    """The CPU clock."""
    from Hooks import set_speed
    unload("Hooks")
    set_speed()


_SERVICES = {"pins": remap, "life": life, "speed": speed, "interrupts": interrupts, "periodic": periodic,
             "schedule": schedule, "time": _daily, "discovery": _discovery, "vsoa": _vsoa}
_KEYS = (                                  # what a key begins with, and the service that follows it
    ("cstmpmap", "pins"),
    ("dbg", "life"),
    ("boostmd", "speed"),
    ("irq", "interrupts"),
    ("timirq", "periodic"),
    ("cron", "schedule"),
    ("tz", "schedule"),
    ("utc", "schedule"),
    ("position", "schedule"),
    ("sunhost", "schedule"),
    ("ntphost", "time"),
    ("beacon", "discovery"),
    ("mdns", "discovery"),
    ("vsoa", "vsoa"),
)
