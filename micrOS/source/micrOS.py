"""The assembly: what stays of it while the node runs. Startup.py builds the rest and is forgotten."""
import asyncio

from micropython import const
from ConfigHandler import config
from InterpreterShell import Shell
from Modules import modules
from pure.lazy import unload
from TaskManager import manager

_STOP_MS = const(100)
_LOOK_BEATS = const(10)           # of 500 ms between two looks at the network
_GOOD_BEATS = const(120)          # a boot that has served so long is a good one


def main(is_safe=False):
    """Run the node; comes back only by an exception. is_safe: without what the settings start at boot."""
    try:
        asyncio.run(_run(is_safe))
    finally:
        watchdog = manager().watchdog
        if watchdog:
            watchdog.is_released = True      # a person at the REPL does not feed it


async def _run(is_safe):
    try:
        # not by name: this coroutine lasts, and would keep the file
        shell = await __import__("Startup").begin(Node(), is_safe)
        await shell.wait()
    finally:
        for task in manager().tasks:
            task.cancel()                # their ports must be free for the loader's update mode
        await asyncio.sleep_ms(_STOP_MS)


class Node:
    """What a shell session may reach of the node, and how its parts reach each other."""

    def __init__(self):
        self.config = config()
        self.modules = modules()
        self.tasks = manager()
        self.failures = []           # of passwords; pure/guard.py keeps it
        self.sessions = ()           # of the shell
        self._looks = 0
        self._is_new = True              # this boot is not known to be a good one yet

    def shell(self, peer):
        """What answers a client. peer: its address"""
        return Shell(self, peer)

    def ask(self, host, line, *timeout_s):
        """A coroutine for the answer of another node, as one of our calls."""
        import InterConnect
        return InterConnect.answer(host, line, *timeout_s)

    def changed(self, key):
        """A setting has a new value: what it stands for follows."""
        import Live
        Live.changed(key)
        unload("Live")

    def at_work(self):
        """Who holds the loop: the call that is running, else whose task it is."""
        if self.modules.running:
            return " ".join(self.modules.running)
        import Strays
        unload("Strays")
        return Strays.at_work(self.tasks.tasks)

    def look(self):
        """Now and then see that the network is not lost, and have it brought back; note a boot that is a good one."""
        self._looks += 1
        if self._is_new and self._looks >= _GOOD_BEATS:
            import Boot
            Boot.lasted()
            unload("Boot")
            self._is_new = False         # not before: without memory for it, the next look tries again
        if self._looks % _LOOK_BEATS == 0:
            from Network import net
            task = self.tasks.get("network")
            if net().is_lost() and not (task and task.active):
                from Rejoin import run
                self.tasks.start("network", run(self), protected=True)
