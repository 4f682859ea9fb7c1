"""AES in Galois/counter mode over a board's own AES, which has only single blocks.

Source: NIST SP 800-38D: 6.3 (multiplication), 6.4 (GHASH), 7.1 and 7.2 (both ways). IV of 12 octets only.
"""
from .secret import same

BLOCK = 16
_AT_ONCE = 128                 # octets, so that the memory in between stays small
_R = 0xE1 << 120               # x128 = x7 + x2 + x + 1, first bit highest: 6.3


class TagError(ValueError):
    """Raised for what was not made with this key, or was changed on its way."""


class Gcm:
    """encrypt_block: function(octets) -> octets, AES-ECB under the key, of any number of blocks"""

    def __init__(self, encrypt_block, tag_octets=12):
        self._encrypt = encrypt_block
        self._tag = tag_octets
        self._table = _multiples(int.from_bytes(encrypt_block(bytes(BLOCK)), "big"))

    def seal(self, iv, aad, data):
        """Encrypted data and its tag. An iv must never come twice under one key."""
        hidden = self.counted(iv, data)
        return bytes(hidden) + self._sign(iv, aad, hidden)

    def open(self, iv, aad, sealed):
        """The data, as a bytearray. sealed: bytes or a memoryview of them. Raises TagError."""
        at = len(sealed) - self._tag
        if at < 0 or not same(sealed[at:], self._sign(iv, aad, sealed[:at])):
            raise TagError("the tag is wrong: another key, or changed on the way")
        return self.counted(iv, sealed[:at])

    def counted(self, iv, data):
        """Encrypts, and decrypts: the same counters give the same octets to mix in. Signs nothing."""
        out = bytearray(len(data))
        for at in range(0, len(data), _AT_ONCE):
            piece = data[at:at + _AT_ONCE]
            first = 2 + at // BLOCK
            stream = self._encrypt(b"".join([iv + (first + block).to_bytes(4, "big")
                                             for block in range((len(piece) + 15) // BLOCK)]))
            mixed = int.from_bytes(piece, "big") ^ int.from_bytes(stream[:len(piece)], "big")
            out[at:at + len(piece)] = mixed.to_bytes(len(piece), "big")
        return out

    def _sign(self, iv, aad, hidden):
        total = self._hash(self._hash(0, aad), hidden)
        total = self._times(total ^ 8 * len(aad) << 64 ^ 8 * len(hidden))
        total ^= int.from_bytes(self._encrypt(iv + b"\0\0\0\x01"), "big")
        return total.to_bytes(BLOCK, "big")[:self._tag]

    def _hash(self, total, data):
        for at in range(0, len(data), BLOCK):
            block = data[at:at + BLOCK]
            total = self._times(total ^ int.from_bytes(block, "big") << 8 * (BLOCK - len(block)))
        return total

    def _times(self, total):
        """total times h: the last four bits first, each turn multiplies by x4."""
        table, product = self._table, 0
        octets = total.to_bytes(BLOCK, "big")
        for at in range(BLOCK - 1, -1, -1):
            octet = octets[at]
            product = product >> 4 ^ _OVERFLOW[product & 15] ^ table[octet & 15]
            product = product >> 4 ^ _OVERFLOW[product & 15] ^ table[octet >> 4]
        return product


def _times_x(value):
    return value >> 1 ^ (_R if value & 1 else 0)


def _multiples(h):
    """h times each polynomial of four bits, the first bit highest."""
    powers = [h]
    for _ in range(3):
        powers.insert(0, _times_x(powers[0]))    # bit 0 of a number stands for x3
    return [_sum(powers, bits) for bits in range(16)]


def _sum(powers, bits):
    total = 0
    for at in range(4):
        if bits >> at & 1:
            total ^= powers[at]
    return total


def _overflow(bits):
    """What bits that fall off the end by a shift of four come back as."""
    for _ in range(4):
        bits = _times_x(bits)
    return bits


_OVERFLOW = [_overflow(bits) for bits in range(16)]
