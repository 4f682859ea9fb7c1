"""Bytes of a terminal into command lines: framing, telnet negotiation, limits; knows no socket.

A newline ends a command. Clients of micrOS 1.20 send none: their text stays in `pending` until the
session, which owns the clock, calls flush(). Telnet commands are skipped.
"""

LIMIT = 2048              # bytes of one command, as the read size of 1.20


class LineError(ValueError):
    """Stands in a result in the place of a command that cannot be read; its text says why."""


class Lines:
    """Takes bytes in any split, gives command lines: str each, or a LineError."""

    def __init__(self, limit=LIMIT):
        self._limit = limit
        self._buffer = b""
        self._overlong = False        # the rest of a refused line is still coming
        self._telnet = None           # telnet.Telnet as soon as the client has sent a command of it
        self.framed = False           # True once the client has sent a newline

    def feed(self, data):
        """list of the commands that data completes."""
        if self._telnet or b"\xff" in data:
            data = self._text(data)
        buffer = self._buffer + data if self._buffer else data
        parts = buffer.split(b"\n")
        rest = parts.pop()
        if parts:
            self.framed = True
            parts = [self._line(part) for part in parts]
        if rest or self._buffer:
            self._keep(rest)
        return parts

    @property
    def pending(self):
        """Text of a command that no newline has ended yet; "" while it is not whole UTF-8."""
        try:
            return str(self._buffer, "utf-8").strip()
        except UnicodeError:
            return ""

    def flush(self):
        """The pending text as one command, for a client that sends no newlines; None if there is none."""
        if not (self._buffer or self._overlong):
            return None
        line, self._buffer = self._buffer, b""
        return self._line(line)

    def _text(self, data):
        if not self._telnet:
            from .telnet import Telnet
            self._telnet = Telnet()
        return self._telnet.text(data)

    def _keep(self, rest):
        if len(rest) > self._limit:
            self._overlong = True
        self._buffer = b"" if self._overlong else rest

    def _line(self, line):
        if self._overlong or len(line) > self._limit:
            self._overlong = False
            return LineError("a command takes up to {} bytes; this one was dropped".format(self._limit))
        try:
            return str(line, "utf-8").strip(" \t\r\0")
        except UnicodeError:
            return LineError("a command is UTF-8 text; this one was dropped")
