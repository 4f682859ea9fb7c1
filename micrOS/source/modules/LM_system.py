"""The node itself: memory, flash, clock, pins, alarms, network."""
import gc
import os
import time
from binascii import hexlify

from Common import socket_stream
from Debug import errlog_add, errlog_clean
from LogicalPins import get_pinmap, pinmap_dump
from Network import net
from pure.lazy import unload

_RSSI = ((-67, "Amazing"), (-70, "VeryGood"), (-80, "Okay"), (-90, "NotGood"))       # dBm above which it is so


@socket_stream
def info(msgobj=None):
    """Seven lines about the board, streamed. Toolkits parse `upython: v<x.y.z>`."""
    import machine
    system = os.uname()
    msgobj("CPU clock: {} [MHz]".format(machine.freq() // 1000000))
    msgobj("Mem usage: {:.1f} %".format(memory_usage()["percent"]))
    msgobj("FS usage: {:.1f} %".format(disk_usage()["percent"]))
    msgobj("upython: {}".format(system[3]))
    msgobj("board: {}".format(system[4]))
    msgobj("mac: {}".format(str(hexlify(net().station.config("mac"), ":"), "utf-8")))
    msgobj("uptime: {}".format(_clockwork().uptime()))
    return ""


def memory_usage():
    """{"percent": of the heap, "mem_used": bytes}, after a collection."""
    gc.collect()
    used, free = gc.mem_alloc(), gc.mem_free()
    return {"percent": _percent(used, used + free), "mem_used": used}


def disk_usage():
    """{"percent": of the flash, "fs_used": bytes}."""
    block, _, total, free = os.statvfs("/")[:4]
    return {"percent": _percent(total - free, total), "fs_used": (total - free) * block}


def _percent(part, whole):
    """With one decimal; round() alone leaves 9.800000000000001 on MicroPython."""
    return float("{:.1f}".format(100 * part / whole))


def gclean():
    """Collect garbage. Returns {"GC MemFree[byte]": n}."""
    gc.collect()
    return {"GC MemFree[byte]": gc.mem_free()}


def _clockwork():
    import Clockwork
    unload("Clockwork")
    return Clockwork


def heartbeat():
    return "<3 heartbeat <3"


def clock():
    """Local time, unpadded, with weekday (0 Monday) and day of the year."""
    now = time.localtime()
    return "{}.{}.{}  {}:{}:{}\nWD: {} YD: {}".format(*now[:8])


def setclock(year, month, mday, hour, min, sec):
    """Set the clock. Returns the local time tuple. Raises ValueError for a time that never is."""
    wanted = year, month, mday, hour, min, sec
    if not _is_time(wanted):
        raise ValueError("takes year month mday hour min sec, got {}".format(wanted))
    _clockwork().set_local(*wanted)
    return time.localtime()


def _is_time(wanted):
    try:
        return time.localtime(time.mktime(wanted + (0, 0)))[:6] == wanted
    except (TypeError, OverflowError):
        return False


async def ntp():
    """Ask the time server now: (True, local time tuple) or (False, why not)."""
    from Ntp import NoTimeError, ask
    try:
        await ask()
        return True, time.localtime()
    except NoTimeError as error:
        return False, "ntp error: {}".format(error)
    finally:
        unload("Ntp")


async def sun(refresh=False):
    """Today's {"sunrise": (h, m, s), "sunset": ...} local, or why there is none. refresh: ask `poshost`, `sunhost`."""
    if refresh:
        import Position
        await Position.refresh()
    import Sun
    unload("Sun")
    return Sun.today()


def rssi():
    """Strength of the network: {"Amazing" ... "Unusable": dBm}."""
    import network
    dbm = network.WLAN(network.STA_IF).status("rssi")
    for above, word in _RSSI:
        if dbm > above:
            return {word: dbm}
    return {"Unusable": dbm}


@socket_stream
def cachedump(cdel=None, msgobj=None):
    """Stream all state files `*.pds`; with cdel delete that one."""
    from Files import names, read, remove
    if cdel is not None:
        file = str(cdel)
        file = file if file.endswith(".pds") else file + ".pds"
        return "{} delete done.".format(file) if remove(file) else "{} not exists".format(file)
    for file in sorted(names("/")):
        if file.endswith(".pds"):
            msgobj("{}: {}".format(file, read(file)))
    return ""


def pinmap(key="builtin"):
    """The pin map, what is booked, and the pin of one name."""
    pins = get_pinmap()
    pins.update(pinmap_dump(key))
    return pins


@socket_stream
def alarms(clean=False, test=False, msgobj=None):
    """Stream err.log; returns {"OK alarm": 0} or {"NOK alarm": n}. test: write an error first."""
    if test:
        errlog_add("[ERR] TeSt ErRoR")
    if clean:
        errlog_clean(msgobj)
    from Boot import history
    from Debug import errlog_get         # not above: it would keep Logs.py in memory
    from Strays import shadowed
    unload("Boot", "Strays")
    errors = errlog_get(msgobj)
    for line in shadowed():
        msgobj(" " + line)
    msgobj(" Boots, newest first: {}".format(", ".join(history())))
    return {"NOK alarm" if errors else "OK alarm": errors}


def ifconfig():
    """(mode, (address, mask, gateway, dns))."""
    return net().mode, net().ifconfig()


def ha_sta():
    """`STA mode, OK`; NOK while a known network is lost: the node brings it back by itself."""
    from Network import sta_high_avail
    return sta_high_avail()


def help():
    return ("info", "gclean", "heartbeat", "clock", "setclock year month mday hour min sec",
            "ntp", "sun refresh=False", "rssi",
            'cachedump cdel="rgb.pds/None"', 'pinmap key="dhtpin"/None', "alarms clean=False", "ifconfig",
            "memory_usage", "disk_usage", "ha_sta")
