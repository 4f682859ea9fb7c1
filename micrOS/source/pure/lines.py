"""Bytes of a terminal into command lines: framing, telnet negotiation, limits; knows no socket.

A newline ends a command. Clients of micrOS 1.20 send none: their text stays in `buffer` until the
session, which owns the clock, takes it as unframed.py has it. Telnet commands are skipped.
"""

LIMIT = 2048              # bytes of one command, as the read size of 1.20


class LineError(ValueError):
    """Stands in a result in the place of a command that cannot be read; its text says why."""


class Lines:
    """Takes bytes in any split, gives command lines: str each, or a LineError."""

    def __init__(self, limit=LIMIT):
        self._limit = limit
        self.buffer = b""             # of a command that no newline has ended yet
        self.is_overlong = False      # the rest of a refused line is still coming
        self._telnet = None           # telnet.Telnet as soon as the client has sent a command of it
        self.framed = False           # True once the client has sent a newline

    def feed(self, data):
        """list of the commands that data completes."""
        if self._telnet or b"\xff" in data:
            data = self._text(data)
        buffer = self.buffer + data if self.buffer else data
        parts = buffer.split(b"\n")
        rest = parts.pop()
        if parts:
            self.framed = True
            parts = list(map(self.line, parts))
        if rest or self.buffer:
            self.is_overlong = self.is_overlong or len(rest) > self._limit
            self.buffer = b"" if self.is_overlong else rest
        return parts

    def _text(self, data):
        if not self._telnet:
            from .telnet import Telnet
            self._telnet = Telnet()
        return self._telnet.text(data)

    def line(self, line):
        """The text of a command's bytes, or a LineError."""
        if self.is_overlong or len(line) > self._limit:
            self.is_overlong = False
            return LineError("a command takes up to {} bytes; this one was dropped".format(self._limit))
        try:
            return str(line, "utf-8").strip(" \t\r\0")
        except UnicodeError:
            return LineError("a command is UTF-8 text; this one was dropped")
