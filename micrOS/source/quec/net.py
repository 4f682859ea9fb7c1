"""QuecPython's net: is the node on a network of others, and how well does it hear it."""
import sys_bus
from Network import net as _net
from TaskManager import manager

import radio

_HOME, _SEARCHING = 1, 2


class _Heard:
    callback = None
    mode = 1


def getState():
    """([state, lac, cid, technology, reject, plmn] of voice, the same of data). state: 0 off, 1 joined, 2 searching"""
    state = _HOME if radio.is_registered() else _SEARCHING if _Heard.mode == 1 and radio.sim_status() else 0
    return [state, 0, 0, 0, 0, 0], [state, 0, 0, 0, 0, 0]


def csqQueryPoll():
    """Signal, 0-31; 99: not known."""
    return radio.signal()


def getSignal():
    """([rssi dBm, 0, 0, 0], [rssi dBm, rsrp dBm, 0, 0])"""
    csq = radio.signal()
    dbm = 99 if csq == 99 else 2 * csq - 113
    return [dbm, 0, 0, 0], [dbm, dbm, 0, 0]


def operatorName():
    """(name, name, "", ""), -1 when not joined."""
    if not radio.is_registered():
        return -1
    name = _net().station.config("essid")
    return name, name, "", ""


def getModemFun():
    return _Heard.mode


def setModemFun(function, rst=0):
    """0 and 4: the radio is off; 1: on, and the node joins again. Returns 0, or -1 for another number."""
    if function not in (0, 1, 4):
        return -1
    _Heard.mode = function
    joining = manager().get("network")
    if joining and function != 1:
        joining.cancel()
    _net().mode = "" if function == 1 else "OFF"      # the node leaves a radio alone that is off
    _net().station.active(function == 1)
    sys_bus.publish("network", "")
    return 0


def setCallback(callback):
    """callback((event, state)) when the node joins (1) or loses its network (2)."""
    if _Heard.callback is None:
        sys_bus.subscribe("network", _tell)
    _Heard.callback = callback
    return 0


def getCellInfo():
    """Of a node without cells: none."""
    return [], [], []


def getServingMcc():
    return -1


getServingMnc = getServingLac = getServingCi = getServingMcc


def _tell(_, mode):
    return _Heard.callback((0, _HOME if mode == "STA" else _SEARCHING))
