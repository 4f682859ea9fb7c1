"""Bytes of a terminal into command lines: framing, telnet negotiation, limits; knows no socket.

A newline ends a command. Clients of micrOS 1.20 send none: their text stays in `pending` until the
session, which owns the clock, calls flush(). Telnet commands are skipped (RFC 854, RFC 855).
"""

LIMIT = 2048              # bytes of one command, as the read size of 1.20
IAC, SE, SB, WILL, DONT = 255, 240, 250, 251, 254
_TEXT, _COMMAND, _OPTION, _SUB, _SUB_IAC = 0, 1, 2, 3, 4

_AFTER_IAC = {IAC: _TEXT, SB: _SUB}          # anything else is a command of two bytes


class LineError(ValueError):
    """Stands in a result in the place of a command that cannot be read; its text says why."""


class Lines:
    """Takes bytes in any split, gives command lines: str each, or a LineError."""

    def __init__(self, limit=LIMIT):
        self._limit = limit
        self._buffer = b""
        self._overlong = False        # the rest of a refused line is still coming
        self._telnet = _TEXT
        self.framed = False           # True once the client has sent a newline

    def feed(self, data):
        """list of the commands that data completes."""
        if self._telnet or b"\xff" in data:
            data = self._without_telnet(data)
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

    def _without_telnet(self, data):
        out = bytearray()
        for byte in data:
            state = self._telnet
            if state == _TEXT:
                if byte == IAC:
                    self._telnet = _COMMAND
                else:
                    out.append(byte)
            elif state == _COMMAND:
                self._telnet = _OPTION if WILL <= byte <= DONT else _AFTER_IAC.get(byte, _TEXT)
            elif state == _OPTION:
                self._telnet = _TEXT
            elif state == _SUB:
                self._telnet = _SUB_IAC if byte == IAC else _SUB
            else:
                self._telnet = _TEXT if byte == SE else _SUB
        return bytes(out)
