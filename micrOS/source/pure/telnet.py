"""Skips what a telnet client says to the server's terminal; loaded when one does. RFC 854, RFC 855."""

IAC, SE, SB, WILL, DONT = 255, 240, 250, 251, 254
_TEXT, _COMMAND, _OPTION, _SUB, _SUB_IAC = 0, 1, 2, 3, 4

_AFTER_IAC = {IAC: _TEXT, SB: _SUB}          # anything else is a command of two bytes


class Telnet:
    """Where in a command one client is."""

    def __init__(self):
        self._state = _TEXT

    def text(self, data):
        """The bytes that are no telnet commands."""
        out = bytearray()
        for byte in data:
            state = self._state
            if state == _TEXT:
                if byte == IAC:
                    self._state = _COMMAND
                else:
                    out.append(byte)
            elif state == _COMMAND:
                self._state = _OPTION if WILL <= byte <= DONT else _AFTER_IAC.get(byte, _TEXT)
            elif state == _OPTION:
                self._state = _TEXT
            elif state == _SUB:
                self._state = _SUB_IAC if byte == IAC else _SUB
            else:
                self._state = _TEXT if byte == SE else _SUB
        return bytes(out)
