"""One question to a time server and its answer.

    li 2 bits | version 3 | mode 3 | stratum 1 | ... | origin 8 (at 24) | receive 8 (at 32) | transmit 8 (at 40)
Source: RFC 4330 (SNTP version 4), section 4 (format) and 5 (what a client checks).
"""
import struct

BYTES = 48


class SntpError(ValueError):
    """Raised for an answer that tells no time; says why."""


def request(token):
    """The question. token: 8 bytes that the answer has to repeat, so that a stray or forged one is told apart."""
    return b"\x23" + bytes(39) + token           # version 4, mode 3: a client


def answer(data, token):
    """(seconds since 2000-01-01 UTC, ms) that a server told. Raises SntpError."""
    if len(data) < BYTES:
        raise SntpError("{} bytes instead of {}".format(len(data), BYTES))
    if data[24:32] != token:
        raise SntpError("the answer to another question")
    # leap 3: the server's own clock is not set; mode 4: a server, 5: broadcast, what some routers answer with
    if data[0] >> 6 == 3 or data[0] & 7 not in (4, 5) or not 0 < data[1] < 16:
        raise SntpError("the server does not know the time itself")
    seconds, fraction = struct.unpack(">II", data[40:BYTES])
    if not seconds:
        raise SntpError("no time in it")
    # NTP counts from 1900, 3155673600 s before 2000, and begins anew in 2036: section 3
    return (seconds - 3155673600) % (1 << 32), fraction * 1000 >> 32
