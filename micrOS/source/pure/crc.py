"""FCS-16, also called CRC-16/X-25: the check of RFC 1662 frames and of HDLC; no table: that is 1 KB on a board."""

GOOD = 0xF0B8             # running value over a frame and its FCS, low octet first (RFC 1662, section C.2)


def running(data, value=0xFFFF):
    """The value before the final complement, over data and what was before it.

    x16 + x12 + x5 + 1, low bit first: what octet b does is b ^ b << 4 put in at bits 0, 3 and 8.
    """
    for octet in data:
        octet = (octet ^ value) & 0xFF
        octet ^= octet << 4 & 0xFF
        value = value >> 8 ^ octet << 8 ^ octet << 3 ^ octet >> 4
    return value


def fcs16(data):
    """FCS of these octets, 0-0xFFFF. Source: RFC 1662, section C.2; fcs16(b"123456789") is 0x906E."""
    return running(data) ^ 0xFFFF
