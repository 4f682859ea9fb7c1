"""The wrapper that carries APDUs over TCP:  0001 | source port 2 | destination port 2 | length 2 | apdu

Ports: the client's number (16 public, 1 management ...) and the logical device (1). All big endian.
Source: IEC 62056-47 (wrapper); TCP port 4059.
"""
import struct

PORT = 4059
_HEAD = 8


class WrapperError(ValueError):
    """Raised for octets that are no wrapped APDU: the connection has lost its place and has to be closed."""


def wrap(source, destination, apdu):
    """Raises WrapperError when it is too long."""
    if len(apdu) > 0xFFFF:
        raise WrapperError("{} octets in one APDU, at most 65535".format(len(apdu)))
    return struct.pack(">4H", 1, source, destination, len(apdu)) + apdu


class Wrapped:
    """Finds APDUs in what comes in. most_octets: of an APDU"""

    def __init__(self, most_octets=4096):
        self._data = b""
        self._most = most_octets

    def feed(self, octets):
        """(source, destination, apdu) of each that is whole by now. Raises WrapperError."""
        self._data += octets
        found = []
        while len(self._data) >= _HEAD:
            version, source, destination, size = struct.unpack(">4H", self._data[:_HEAD])
            if version != 1 or not 0 < size <= self._most:
                raise WrapperError("wrapper version {} and {} octets, expected 1 and 1 to {}".format(
                    version, size, self._most))
            if len(self._data) < _HEAD + size:
                break
            found.append((source, destination, self._data[_HEAD:_HEAD + size]))
            self._data = self._data[_HEAD + size:]
        return found

    def clear(self):
        self._data = b""
