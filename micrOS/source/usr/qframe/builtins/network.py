"""QFrame's network: an application begins when it is there; it is brought back by three rules, each harder."""
import time

from micropython import const

import blocking
import checkNet
import dataCall
import net
import sim
from misc import Power
from usr.qframe.logging import getLogger
from usr.qframe.threading import Thread

_ATTEMPT_S = const(60)
_GENTLE = const(3)                # attempts that are just made again,
_SWITCHED = const(6)              # up to this one the radio is switched before, then the node restarts
_OFF_MS = const(200)
_LOOK_MS = const(500)
_READY = (3, 1)

logger = getLogger("network")


class NetWork:
    """net handlers get (profile, state), sim handlers the state; each in a thread of its own."""

    def __init__(self, name="network", app=None):
        self.name = name
        self._net_handlers = []
        self._sim_handlers = []
        self._waiting = None             # Thread that waits for the network
        if app:
            self.init_app(app)

    def init_app(self, app):
        app.append_extension(self)

    def load(self):
        """Returns with the network."""
        if sim.setSimDet(1, 0):
            logger.warn("this board tells no change of the SIM")
        sim.setCallback(self._on_sim)
        dataCall.setCallback(self._on_call)
        self.wait_network_ready()

    def close(self):
        sim.setCallback(None)
        dataCall.setCallback(lambda args: None)

    def register_net_callback(self, handler):
        self._net_handlers.append(handler)
        return handler

    def register_sim_callback(self, handler):
        self._sim_handlers.append(handler)
        return handler

    def wait_network_ready(self):
        """Attempts of a minute: three alone, three after a switched radio, then a restart."""
        failed = 0
        while True:
            if _attempt() == _READY:
                logger.info("network is ready")
                return
            failed += 1
            logger.error("network is not ready, attempt {}".format(failed))
            if failed > _SWITCHED:
                Power.powerRestart()
            elif failed > _GENTLE:
                self.make_cfun()

    @staticmethod
    def make_cfun():
        """Radio off and on."""
        net.setModemFun(0, 0)
        blocking.sleep_ms(_OFF_MS)
        net.setModemFun(1, 0)

    def _on_call(self, args):
        if args[1] == 0 and not (self._waiting and self._waiting.is_running()):
            self._waiting = Thread(self.wait_network_ready)
            self._waiting.start()
        _tell_all(self._net_handlers, args)

    def _on_sim(self, state):
        _tell_all(self._sim_handlers, state)


def _attempt():
    """checkNet's stage after a minute at the most; a SIM that is missing may come in within it."""
    begun_ms = blocking.now_ms()
    while checkNet.stage() != _READY and time.ticks_diff(blocking.now_ms(), begun_ms) < 1000 * _ATTEMPT_S:
        blocking.sleep_ms(_LOOK_MS)
    return checkNet.stage()


def _tell_all(handlers, what):
    for handler in handlers:
        Thread(handler, (what,)).start()
