"""The way around our own raw REPL: the same file verbs through adafruit-ampy, slower by a factor of hundreds."""
from __future__ import annotations

import contextlib
import io

from toolkit.errors import LinkError, PortLostError, RefusedError
from toolkit.link.verbs import ON_BOARD, SILENCE_S, BoardFiles
from toolkit.ports import BAUD, open_port


class AmpyLink(BoardFiles):
    """`with AmpyLink(port) as board:`, as SerialLink, but for a running watchdog, which it does not feed."""

    def __init__(self, port: str, baud: int = BAUD) -> None:
        """port: a device. Raises as SerialLink does."""
        self.name = port
        open_port(port, baud).close()          # ampy has one text for all that can be wrong with a port
        from ampy.pyboard import Pyboard, PyboardError

        self._error = PyboardError
        try:
            self._board = Pyboard(port, baudrate=baud)
            self._board.serial.timeout = 1.0                       # it would wait for ever
            with contextlib.redirect_stdout(io.StringIO()):        # it prints what it did not understand
                self._board.enter_raw_repl()
        except (PyboardError, OSError) as error:
            raise LinkError(f"ampy gets no MicroPython prompt at {port} ({error}): press the reset button, try again"
                            ) from None
        self.execute(ON_BOARD)

    def close(self) -> None:
        """Start main.py again."""
        with contextlib.suppress(OSError):
            self._board.exit_raw_repl()
            self._board.serial.write(b"\x04")
            self._board.serial.flush()
        self._board.close()

    def execute(self, code: str, timeout_s: float = SILENCE_S) -> bytes:
        try:
            output, error = self._board.exec_raw(code, timeout_s)
        except self._error as why:
            raise LinkError(f"ampy lost the board at {self.name}: {why}") from None
        except OSError:
            raise PortLostError(f"{self.name} has gone: plug the board in again and repeat the command") from None
        if error:
            raise RefusedError(f"the board says: {error.decode('utf-8', 'replace').strip().splitlines()[-1]}")
        return bytes(output)
