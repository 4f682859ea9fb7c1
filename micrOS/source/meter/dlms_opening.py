"""The opening of IEC 62056-21 on an optical head: 300 baud, seven bits, even parity, then HDLC faster.

    /?! -> /XXX<baud>...        06 2 <baud> 2 -> the same back, then eight bits at the rate that the meter named
Source: IEC 62056-21, protocol mode E; IEC 62056-46, annex on entering HDLC.
"""
import asyncio

from micropython import const

from meter.dlms_line import DlmsError
from meter.link import _Serial

_BAUD = {b"0": 300, b"1": 600, b"2": 1200, b"3": 2400, b"4": 4800, b"5": 9600, b"6": 19200}
_QUESTION = b"/?!\r\n"
_SWITCH_MS = const(500)          # the meter's own answer takes 200 ms at 300 baud, and some leave it out
_TRIES = const(3)
_MOST_TEXT = const(128)
_RXBUF_BYTES = const(2048)


def optical(port, pins, wait_ms):
    """(opened, enter) for meter.dlms_line.Hdlc"""
    async def opened():
        from machine import UART
        return _Serial(UART(port, 300, bits=7, parity=0, stop=1, rxbuf=_RXBUF_BYTES, **pins))

    async def enter(stream):
        text = await _answer(stream, wait_ms)
        baud = _BAUD.get(text[4:5])
        if baud is None:
            raise DlmsError("the meter opens with {}, which names no baud rate".format(text))
        stream.write(b"\x062" + text[4:5] + b"2\r\n")
        await stream.drain()
        await asyncio.sleep_ms(_SWITCH_MS)
        stream.s.init(baudrate=baud, bits=8, parity=None, stop=1, rxbuf=_RXBUF_BYTES, **pins)
    return opened, enter


async def _answer(stream, wait_ms):
    """What the meter calls itself: /XXX<baud>..."""
    for _ in range(_TRIES):
        stream.write(_QUESTION)
        await stream.drain()
        text = b""
        try:
            while b"\n" not in text.replace(_QUESTION, b"") and len(text) < _MOST_TEXT:      # a head may echo
                text += await asyncio.wait_for_ms(stream.read(_MOST_TEXT), wait_ms)
        except asyncio.TimeoutError:
            continue
        text = text.replace(_QUESTION, b"")
        if b"/" in text:
            return text[text.find(b"/"):].split(b"\r")[0]
    raise DlmsError("the meter does not answer /?! at 300 baud")
