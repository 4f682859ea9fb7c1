"""What a DLMS client keeps secret, and the counters that must never be used twice under one key.

`.dlms.key` holds the password, both keys and how far the counters may have come. It is written before a counter is
used, some ahead: whatever cuts the power, after a reboot the node begins behind all that it may have used.
"""
import json

from micropython import const

from Files import read, write_whole

_FILE = const(".dlms.key")
_AHEAD = const(64)               # counters that one writing of the flash is good for
_MOST = const(0xFFFFFFFF)
_KEY_OCTETS = const(16)
_TITLE_OCTETS = const(8)


class KeysError(ValueError):
    """Raised for keys that are none or cannot be kept; never says what they are."""


class Keys:
    """next_counter() is what Ciphering wants. password: bytes; encryption, authentication, title: octets, or b\"\""""

    def __init__(self):
        kept = self._kept()
        self.password = kept.get("password", "").encode()
        self.encryption, self.authentication, self.title = [
            bytes.fromhex(kept.get(name, "")) for name in ("ek", "ak", "title")]
        self.heard = kept.get("heard", -1)           # the meter's counter
        self._next = self._reserved = kept.get("counter", 0)

    def next_counter(self):
        """Raises KeysError when the flash does not keep it."""
        if self._next >= self._reserved:
            self._keep(self._next + _AHEAD)
        self._next += 1
        return self._next - 1

    def change(self, password=None, ek=None, ak=None, title=None, counter=None):
        """Texts; ek, ak: 32 hex digits; title: 16; counter: the next to use, when the meter knows the keys already."""
        if password is not None:
            if not isinstance(password, str):        # the zeros that a number began with are lost
                raise KeysError('a password of digits stands in quotes: password="00000000"')
            self.password = password.encode()
        if ek is not None or ak is not None:
            if ek is None or ak is None:
                raise KeysError("ek and ak are set together")
            pair = _octets("ek", ek, _KEY_OCTETS), _octets("ak", ak, _KEY_OCTETS)
            if pair != (self.encryption, self.authentication):
                # ours counts on: under keys that come back it must not begin anew; the meter's may
                self.encryption, self.authentication = pair
                self.heard = -1
        if title is not None:
            self.title = _octets("title", title, _TITLE_OCTETS)
        if counter is not None:
            if not isinstance(counter, int) or not self._next <= counter <= _MOST:
                raise KeysError("counter is {} to {}: what was used is never used again".format(self._next, _MOST))
            self._next = counter
        self._keep(self._next)

    def note(self, heard):
        """The meter's counter has come so far; it is written with the next reservation."""
        self.heard = max(self.heard, heard)

    def has_keys(self):
        return len(self.encryption) == _KEY_OCTETS and len(self.title) == _TITLE_OCTETS

    def _keep(self, reserved):
        try:
            write_whole(_FILE, (json.dumps({
                "password": self.password.decode(), "ek": self.encryption.hex(), "ak": self.authentication.hex(),
                "title": self.title.hex(), "heard": self.heard, "counter": reserved}),))
        except OSError as error:
            raise KeysError("the flash says {}: no counter may be used that is not kept".format(error))
        self._reserved = reserved

    @staticmethod
    def _kept():
        text = read(_FILE)
        if text is None:
            return {}
        try:
            kept = json.loads(text)
            if isinstance(kept, dict) and isinstance(kept.get("counter"), int):
                return kept
        except ValueError:
            pass
        raise KeysError("{} cannot be read; delete it and set the meter's keys anew, new ones".format(_FILE))


def _octets(name, text, count):
    try:
        octets = bytes.fromhex(text)
    except (ValueError, TypeError):              # TypeError: without quotes its digits were read as a number
        octets = b""
    if len(octets) != count:
        raise KeysError("{} is {} hex digits in quotes".format(name, 2 * count))
    return octets
