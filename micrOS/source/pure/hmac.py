"""Keyed hashes: HMAC over any hash that hashlib has. MicroPython brings none.

Source: RFC 2104, section 2.
"""
import hashlib
from binascii import hexlify

_BLOCK_BYTES = 64              # of MD5, SHA-1 and SHA-256


def digest(key, message, kind="sha256"):
    """HMAC as bytes. key, message: bytes; kind: "md5" "sha1" "sha256". Raises ValueError for another."""
    if kind not in ("md5", "sha1", "sha256"):
        raise ValueError("a keyed hash is md5, sha1 or sha256, got {}".format(kind))
    make = getattr(hashlib, kind)
    if len(key) > _BLOCK_BYTES:
        key = make(key).digest()
    key += bytes(_BLOCK_BYTES - len(key))
    inner = make(bytes([byte ^ 0x36 for byte in key]))
    inner.update(message)
    outer = make(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return outer.digest()


def hexdigest(key, message, kind="sha256"):
    """The same as text, small letters."""
    return str(hexlify(digest(key, message, kind)), "ascii")
