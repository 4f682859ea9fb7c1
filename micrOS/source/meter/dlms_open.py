"""The way to a DLMS meter: which line, which keys, and the association opened; leaves memory before the questions."""
import os

from micropython import const

from meter.dlms_line import DlmsError

_CHALLENGE_OCTETS = const(16)
_MECHANISMS = const("none lls 2 3 4 gmac")   # their numbers: Green Book, registered COSEM names


def ciphering(how, keys):
    """Ciphering, or None. keys: function that gives the Keys. Raises DlmsError, KeysError."""
    return _ciphering(keys()) if how["cipher"] or how["auth"] == "gmac" else None


async def opened(how, keys, ciphering, line):
    """Octets that the meter takes: the line is open, and the association. Raises OSError, ValueError."""
    from meter.dlms_session import answered
    from pure.cosem_open import Opening
    secret = b""
    if how["auth"] == "lls":
        secret = keys().password
    elif how["auth"] == "gmac":
        secret = os.urandom(_CHALLENGE_OCTETS)
    opening = Opening(ciphering, how["cipher"], _MECHANISMS.split().index(how["auth"]), secret,
                      bytes.fromhex(how["title"]), how["pdu"])
    await line.open()
    await answered(opening, line, opening.associate())
    return opening.meter_takes


def line(how, pins, frames):
    """The line, not open yet.

    pins    function: {"tx": n, "rx": n} of the UART
    frames  for a meter inside the frames of the other driver: see dlms_inside.Inside
    """
    opened, enter = _stream(how, pins, frames)
    if how["line"] == "wrapper":
        from meter.dlms_wrapper import Wrapper
        return Wrapper(opened, how["wait_ms"], how["client"], how["address"], how["pdu"] + 64)
    from meter.dlms_hdlc import Hdlc
    from pure.hdlc_setup import address
    physical = None if how["physical"] < 0 else how["physical"]
    return Hdlc(opened, how["wait_ms"], address(how["client"]), address(how["address"], physical, how["octets"]),
                how["information"], how["frames"], how["pdu"] + 64, enter)


def _stream(how, pins, frames):
    """(opened, enter) of the line."""
    if how["inside"]:
        from meter.dlms_inside import Inside
        return Inside(frames).opened, None
    if how["host"]:
        from meter.link import tcp
        return tcp(how["host"], how["port"]), None
    if how["opening"]:
        from meter.dlms_opening import optical
        return optical(how["uart"], pins(), how["wait_ms"])
    from meter.link import uart
    return uart(how["uart"], how["baud"], pins()), None


def _ciphering(keys):
    if not keys.has_keys():
        raise DlmsError("the meter's keys are not known; set ek, ak and title first")
    from cryptolib import aes
    from pure.ciphering import Ciphering
    from pure.gcm import Gcm
    # 1: ECB
    return Ciphering(Gcm(aes(keys.encryption, 1).encrypt), keys.authentication, keys.title, keys.next_counter,
                     keys.heard)
