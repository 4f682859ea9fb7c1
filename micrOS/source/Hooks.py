"""What a person hooks into the boot: commands, CPU clock, a word about the memory. In memory only that long."""
import asyncio
import gc
import os

from machine import freq
from micropython import const

from ConfigHandler import cfgget
from Debug import console_write, errlog_add
from Files import exists
from pure.lazy import unload

_FAST_HZ = const(240000000)
_CALM_HZ = const(160000000)
_HOOK_S = const(30)                  # for all of `boothook`: the network and the shell wait for its end


async def bootup(is_safe):
    """Run the commands of `boothook`, else a QuecPython /usr/main, not in a safe boot; then set the CPU clock."""
    commands = cfgget("boothook")
    if commands == "n/a" and (exists("/usr/main.py") or exists("/usr/main.mpy")):
        commands = "qframe start"
    if not is_safe and commands != "n/a":
        from Pipes import execute_pipe
        unload("Pipes", "pure.values")
        try:
            await asyncio.wait_for(execute_pipe(commands), _HOOK_S)
        except asyncio.TimeoutError:
            errlog_add("[ERR] boothook: not done in {} s; the rest of it is left out".format(_HOOK_S))
    set_speed()


def set_speed():
    """Full or calm CPU clock, as `boostmd` says; only the ESP32 family has the choice, and not all of it goes fast."""
    if "esp32" not in os.uname()[0]:
        return
    try:
        freq(_FAST_HZ if cfgget("boostmd") else _CALM_HZ)
    except ValueError:               # ESP32-C3 and C6: 160 MHz at most
        freq(_CALM_HZ)


def report_memory():
    """One console line; after a collection."""
    gc.collect()
    console_write("[memory] {} B used, {} B free".format(gc.mem_alloc(), gc.mem_free()))
