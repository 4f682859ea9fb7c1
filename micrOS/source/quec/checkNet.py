"""QuecPython's checkNet: waits until the node can reach others, and says at which of three stages it stands."""
from InterpreterShell import VERSION

import blocking
import radio
import misc
from console import say

_LINE = "=" * 50


class CheckNetwork:
    def __init__(self, name, version):
        self._name = name
        self._version = version

    def poweron_print_once(self):
        say(_LINE)
        for title, value in (("PROJECT_NAME     ", self._name), ("PROJECT_VERSION  ", self._version),
                             ("FIRMWARE_VERSION ", VERSION), ("POWERON_REASON   ", misc.Power.powerOnReason()),
                             ("SIM_CARD_STATUS  ", radio.sim_status())):
            say("{}: {}".format(title, value))
        say(_LINE)

    def wait_network_connected(self, timeout_s=60):
        return wait_network_connected(timeout_s)


def wait_network_connected(timeout_s=60):
    """(3, 1) when the node is on the network, else where it stands after it: (1, SIM), (2, registration), (3, 0).

    timeout_s: 1-3600. Raises OSError for another one, WouldBlockError where it may not wait.
    """
    if not 1 <= timeout_s <= 3600:
        raise OSError("the time-out is 1-3600 s, got {}".format(timeout_s))
    if radio.sim_status() == radio.READY:
        blocking.until(radio.is_called, 1000 * timeout_s, "waiting for the network")
    return stage()


waitNetworkReady = wait_network_connected


def stage():
    if radio.sim_status() != radio.READY:
        return 1, radio.sim_status()
    if not radio.is_registered():
        return 2, 2
    return 3, 1 if radio.is_called() else 0
