"""Numbers of the electricity meter solution: messages, ids and answers; the seldom ones are in constant_more.py."""


def __getattr__(name):
    from usr import constant_more
    return getattr(constant_more, name)


class COSEM:
    """Commands of 0x2200 and of 0x2100, which is SERIA_NET."""

    GET, SET, EVENT, ACTION = 0xC0, 0xC1, 0xC2, 0xC3
    GET_RESP, SET_RESP, EVENT_RESP, ACTION_RESP = 0xC4, 0xC5, 0xC6, 0xC7
    CET_ERROR_RESP = GET_ERROR_RESP = 0xC8       # the first is how the solution spells it
    SERIA_NET, SERIA_NET_RESP = 0xBF, 0xC6


class COSEM_ACK:                     # noqa: N801 - the solution's name, as all below
    SUCCESS, FAILED = 0x00, 0x0C


class DATAType:
    """Types of values (IEC 62056-6-2 has other numbers for some)."""

    CHAR, STR = 0x0A, 0x09
    INT8U, INT16U, INT32U = 0x11, 0x12, 0x06
    DATATIME = DATETIME = 0x19       # the first is how the solution spells it


class CONSEM_COMMON_RFC1662_PARAM_ID:            # noqa: N801
    MODULE_STATE, LQI, METER_SN, DEVICE_NAME = 0x8002, 0x8003, 0x8005, 0x8007


class CMD_MODE_ENUM:                 # noqa: N801
    READ, WRITE, OTHER, ACTIVE = "read", "write", "other", "active"


class TIMER_MODE:                    # noqa: N801
    ONE_SHOT, PERIODIC = 0, 1


EAGAIN = 11
SUC, FAIL = 0, 1
HANDLER = "handler"
