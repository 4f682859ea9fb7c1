"""The board's I2S outputs: samples leave at their rate; what waits in the buffer when it is shut is never heard."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolkit.simulator.errors import BoardFault

PORTS = 2                      # ESP32 technical reference manual 12; RP2040: two state machines of the PIO
BITS = (16, 32)
ROUNDING = 1e-3                # of a sample, in floating seconds


@dataclass
class Output:
    """As the program opened it. taken: all samples that it has taken, the last ones may wait in ibuf"""

    sck: int
    ws: int
    sd: int
    bits: int
    channels: int
    rate_hz: int
    ibuf: int
    is_open: bool = True
    taken: bytes = b""
    due_s: float = 0.0         # when the last of them is out

    @property
    def frame_bytes(self) -> int:
        return self.bits // 8 * self.channels


class I2s:
    """All outputs of a board. now: the board's clock in seconds"""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._outputs: dict[int, Output] = {}

    def open(self, number: int, *words: int) -> int:
        sck, ws, sd, bits, channels, rate_hz, ibuf = words
        output = Output(sck, ws, sd, bits, channels, rate_hz, ibuf)
        if not 0 <= number < PORTS or output.bits not in BITS or output.rate_hz < 1 or output.ibuf < 1:
            raise BoardFault("ValueError", f"invalid I2S({number}), {output.bits} bits, rate {output.rate_hz}")
        self._outputs[number] = output
        return 0

    def room(self, number: int) -> int:
        """Bytes, whole samples of all channels."""
        output = self._outputs[number]
        free = output.ibuf - self._waiting(output)
        return free - free % output.frame_bytes

    def write(self, number: int, data: bytes) -> int:
        """How much of it found room."""
        output = self._outputs[number]
        count = min(len(data), self.room(number))
        output.due_s = max(output.due_s, self._now()) + count / output.frame_bytes / output.rate_hz
        output.taken += data[:count]
        return count

    def close(self, number: int) -> int:
        output = self._outputs[number]
        output.taken = self._heard(output)
        output.is_open, output.due_s = False, 0.0
        return 0

    def restart(self) -> None:
        for number in self._outputs:
            self.close(number)

    def facts(self, number: int) -> dict[str, Any] | None:
        """How it was opened last and, in hex, what was heard since; null: never."""
        output = self._outputs.get(number)
        if output is None:
            return None
        return {**vars(output), "taken": len(output.taken), "heard": self._heard(output).hex()}

    def verbs(self) -> dict[str, Callable[..., int]]:
        """For the wire of the VM; all are answered."""
        return {
            "i2s": lambda *words: self.open(*map(int, words)),
            "i2sroom": lambda number: self.room(int(number)),
            "i2swrite": lambda number, data: self.write(int(number), bytes.fromhex(data)),
            "i2soff": lambda number: self.close(int(number)),
        }

    def _waiting(self, output: Output) -> int:
        """Bytes in the buffer, with the sample that is under way."""
        frames = (output.due_s - self._now()) * output.rate_hz
        return max(0, math.ceil(frames - ROUNDING)) * output.frame_bytes

    def _heard(self, output: Output) -> bytes:
        return output.taken[:len(output.taken) - self._waiting(output)]
