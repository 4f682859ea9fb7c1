"""A speech chip on a UART: XFS5152CE and its kin, on the pins tts_tx and tts_rx.

    fd | length 2 | 01 | coding 1 | text        length: from 01 on; coding: 0 GB2312, of which ASCII is a part; 4 UTF-8
Sources: XFS5152CE development guide (frames, answers), DFRobot_SpeechSynthesis (coding 4, asking until it is idle).
"""
import asyncio
import struct

from quec.door import machine
from micropython import const

from LogicalPins import physical_pins, pinmap_dump

_PINS = ("tts_tx", "tts_rx")
_PORT = const(1)                  # every board has it
_BAUD = const(9600)
_STOP, _ASK = b"\xfd\x00\x01\x02", b"\xfd\x00\x01\x21"
_REFUSED, _IDLE = const(0x45), const(0x4F)
_ASK_MS = const(200)
_DEAF_TURNS = const(10)           # without any answer
_MOST_TURNS = const(600)          # two minutes: longer than a text of the 4 KB that fit


def is_there():
    """The pins are mapped."""
    return None not in pinmap_dump(_PINS).values()


class Speech:
    """A text to be said."""

    def __init__(self, text):
        self._text = text

    def __repr__(self):
        return self._text

    async def say(self):
        """Return when it has been said. Raises OSError; a cancelled one is silent at once."""
        tx, rx = [machine.Pin(number) for number in physical_pins(_PINS)]
        uart = machine.UART(_PORT, _BAUD, tx=tx, rx=rx)
        try:
            uart.read()
            uart.write(frame(self._text))
            await _finished(uart)
        except asyncio.CancelledError:
            uart.write(_STOP)
            raise
        finally:
            uart.deinit()


def frame(text):
    data = text.encode()
    return struct.pack(">BHBB", 0xFD, len(data) + 2, 1, 0 if len(data) == len(text) else 4) + data


async def _finished(uart):
    heard = 0
    for turn in range(_MOST_TURNS):
        await asyncio.sleep_ms(_ASK_MS)
        answers = uart.read() or b""
        heard += len(answers)
        if _REFUSED in answers:
            raise OSError("the speech chip refuses the text")
        if _IDLE in answers:
            return
        if not heard and turn > _DEAF_TURNS:
            break
        uart.write(_ASK)
    raise OSError("the speech chip at tts_tx, tts_rx does not answer")
