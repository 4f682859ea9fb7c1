"""The network as a service: its state at each change."""
import dataCall
import net
import sim

from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import ServiceMonitor
from usr.utils.service_utils import Singleton

_PROFILE = 1
_FOUR = ("IPv4", "IPv4_DNS1", "IPv4_DNS2")
_SIX = ("IPv6", "IPv6_DNS1", "IPv6_DNS2")


class _NetService(AbstractService):
    """The node joins again by itself when the network is lost; loss and return are each a message of type 1."""

    def __init__(self):
        super().__init__("NET")
        self.sim = sim
        self.net = net
        self.data_call = dataCall
        self.server_status = {"DATACALL": {"enable": 1}, "NET": {"enable": 0}}

    def register_event(self):
        dataCall.setCallback(self.ev_dc)
        net.setCallback(self.ev_nc)

    def set_enable(self, kind, is_on):
        """kind: "DATACALL" or "NET"."""
        self.server_status[kind]["enable"] = is_on

    def ev_dc(self, args):
        """args: (profile, state)"""
        if self.server_status["DATACALL"]["enable"]:
            self.publish(_message(*args[:2]), msg_type=1)

    def ev_nc(self, args):
        """args: (event, state)"""
        if self.server_status["NET"]["enable"]:
            self.publish({"network_register_status": args[1]}, msg_type=0)

    def get_net_status(self):
        """1 when the data call is up."""
        info = dataCall.getInfo(_PROFILE, 0)
        return 0 if info == -1 else info[2][0]

    def wait_connect(self, timeout):
        """(stage, state) as checkNet has them. timeout: 1-3600 s. Raises OSError, WouldBlockError."""
        import checkNet
        check = checkNet.CheckNetwork("helios", "1.0.0")
        check.poweron_print_once()
        return check.wait_network_connected(timeout)

    def set_apn(self, profileIdx, ipType, apn, username, password, authType):
        return dataCall.setApn(profileIdx, ipType, apn, username, password, authType)


def _message(profile, state):
    told = {"sim_status": sim.getStatus(), "net_status": _net_status(), "datacall_status": state,
            "profile_id": profile, "ip_type": None}
    for key in _FOUR + _SIX:
        told[key] = None
    info = dataCall.getInfo(profile, 2)
    if info != -1:
        told["ip_type"] = info[1]
        told["datacall_status"] = 1 if 1 in (info[2][0], info[3][0]) else 0
        for keys, facts in ((_FOUR, info[2]), (_SIX, info[3])):
            for key, fact in zip(keys, facts[2:5]):
                told[key] = fact
    return told


def _net_status():
    """As net.getState() tells of data, 0 when either is off, -1 when it tells nothing."""
    state = net.getState()
    if state == -1:
        return -1
    return state[1][0] if state[0][0] else 0


NetService = Singleton(_NetService)


class NetServiceMonitor(ServiceMonitor):
    @staticmethod
    def create_monitor(config=None):
        monitor = NetServiceMonitor(NetService())
        monitor.set_exception_handlers((config or {}).get("exceptionHandlers"))
        return monitor
