"""What an HDLC link begins with: addresses, and what both ends can take.

Source: IEC 62056-46, MAC sublayer (extended addressing, parameter negotiation).
"""
from .hdlc import INFORMATION, WINDOW, HdlcError

MOST_INFORMATION = 2030
_BITS = {1: 7, 2: 7, 4: 14}    # of each part of an address, by its octets; in one octet there is one part
# parameters of SNRM and UA: most octets to send 5, to receive 6; frames at a time to send 7, to receive 8
_SEND_OCTETS, _TAKE_OCTETS, _SEND_FRAMES, _TAKE_FRAMES = 5, 6, 7, 8


def address(upper, lower=None, octets=0):
    """A station's address as octets.

    upper: logical device, or all there is; lower: physical device; octets: 1, 2, 4, or 0 for the fewest
    Raises HdlcError.
    """
    octets = octets or _fewest(upper, lower)
    bits = _BITS.get(octets, 0)
    parts = (upper,) if octets == 1 and lower is None else (upper, lower or 0)
    if not bits or len(parts) > octets or not all(0 <= part < 1 << bits for part in parts):
        raise HdlcError("no address of {} octets for {} and {}".format(octets, upper, lower))
    sevens = [part >> shift & 0x7F for part in parts for shift in range(bits - 7, -1, -7)]
    return bytes([seven << 1 for seven in sevens[:-1]] + [sevens[-1] << 1 | 1])


def _fewest(upper, lower):
    """Octets that an address needs."""
    if lower is None and upper < 0x80:
        return 1
    return 2 if max(upper, lower or 0) < 0x80 else 4


def parameters(send_octets=INFORMATION, take_octets=INFORMATION, send_frames=WINDOW, take_frames=WINDOW):
    """Information of SNRM or UA: what this side can send and take. Numbers that hold anyway are left out."""
    if (send_octets, take_octets, send_frames, take_frames) == (INFORMATION, INFORMATION, WINDOW, WINDOW):
        return b""
    body = b"".join([_parameter(key, size, count) for key, size, count in (
        (_SEND_OCTETS, 1 if send_octets < 256 else 2, send_octets),
        (_TAKE_OCTETS, 1 if take_octets < 256 else 2, take_octets),
        (_SEND_FRAMES, 4, send_frames), (_TAKE_FRAMES, 4, take_frames))])
    return b"\x81\x80" + bytes((len(body),)) + body


def _parameter(key, size, count):
    return bytes((key, size)) + count.to_bytes(size, "big")


def agreed(information):
    """{5, 6, 7, 8: number} that the peer's SNRM or UA tells; defaults where it is silent. Raises HdlcError."""
    told = {_SEND_OCTETS: INFORMATION, _TAKE_OCTETS: INFORMATION, _SEND_FRAMES: WINDOW, _TAKE_FRAMES: WINDOW}
    if not information:
        return told
    if len(information) < 3 or information[:2] != b"\x81\x80" or information[2] != len(information) - 3:
        raise HdlcError("no parameters of a link")
    at = 3
    while at < len(information):
        if at + 2 > len(information) or at + 2 + information[at + 1] > len(information):
            raise HdlcError("a parameter that is cut off")
        key, size = information[at], information[at + 1]
        if key in told:
            told[key] = _in_range(key, int.from_bytes(information[at + 2:at + 2 + size], "big"))
        at += 2 + size
    return told


def _in_range(key, number):
    least, most = (1, 7) if key in (_SEND_FRAMES, _TAKE_FRAMES) else (16, MOST_INFORMATION)
    if number < least:
        raise HdlcError("parameter {} is {}, at least {}".format(key, number, least))
    return min(number, most)
