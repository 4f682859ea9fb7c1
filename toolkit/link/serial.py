"""A board on a serial port: one session in its raw REPL, its files, its restart."""
from __future__ import annotations

import contextlib

from toolkit.errors import LinkError, RefusedError
from toolkit.link.rawrepl import RawRepl, Wire
from toolkit.link.verbs import FEEDING, ON_BOARD, SILENCE_S, BoardFiles
from toolkit.ports import BAUD, open_port


class SerialLink(BoardFiles):
    """`with SerialLink(port) as board:` stops what runs there, and starts main.py again at the end."""

    def __init__(self, port: str, baud: int = BAUD, restart: bool = True) -> None:
        """port: a device, or a URL like rfc2217://host:port. restart: leave the board running its main.py.

        Raises NoPortError, PortDeniedError, PortBusyError; LinkError when no MicroPython answers.
        """
        self.name = port
        self._restart = restart
        self._wire = Wire(open_port(port, baud))
        try:
            self._repl = RawRepl(self._wire)
            self.execute(ON_BOARD + (FEEDING if self._repl.is_watched else ""))
        except BaseException:
            self._wire.close()
            raise

    def close(self) -> None:
        """End the session; the board goes on as it was told to."""
        try:
            if self._restart:
                with contextlib.suppress(LinkError):       # what matters has been done, or has raised
                    self._repl.run_main()
        finally:
            self._wire.close()

    def execute(self, code: str, timeout_s: float = SILENCE_S) -> bytes:
        output, error = self._repl.execute(code.encode(), timeout_s)
        if error:
            raise RefusedError(f"the board says: {_last_line(error)}")
        return output

    def reset(self, hard: bool = True) -> None:
        """Start the board anew; the session is over. hard: as its button does, else only the interpreter."""
        if not hard:
            self._repl.run_main()
        else:
            with contextlib.suppress(LinkError):       # a USB of the board's own goes with it, its OK may too
                self._repl.start(b"import machine\nmachine.reset()")
        self._restart = False


def _last_line(traceback: bytes) -> str:
    lines = traceback.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "nothing"
