"""How a DLMS meter is reached: the settings, kept in dlms.pds."""
from Saved import Saved

# address: of its logical device; physical -1: none; octets 0: as few as there need be; title: expected, hex;
# wait_ms: for an answer; pdu: octets of an answer that the node takes at a time; frames, information: of HDLC, how
# many frames the node takes at a time and how many octets in each
_FIELDS = (("host", ""), ("port", 4059), ("uart", 1), ("baud", 9600), ("line", "hdlc"), ("inside", False),
           ("opening", False), ("client", 16), ("address", 1), ("physical", -1), ("octets", 0),
           ("auth", "none"), ("cipher", False), ("title", ""), ("wait_ms", 3000), ("pdu", 512),
           ("frames", 1), ("information", 128))
_CHOICES = {"auth": ("none", "lls", "gmac"), "line": ("hdlc", "wrapper")}
_RANGES = {"port": (1, 65535), "baud": (300, 921600), "client": (1, 127), "address": (0, 16383),
           "physical": (-1, 16383), "wait_ms": (100, 60000), "pdu": (64, 65535), "frames": (1, 7),
           "information": (16, 2030)}


def settings():
    """{name: value}"""
    return Saved("dlms", *_FIELDS).data


def setup(how):
    """Change some of them, for good. Raises ValueError."""
    known = dict(_FIELDS)
    if "title" in how:
        how["title"] = _title(how["title"])
    for key, value in how.items():
        if key not in known or not isinstance(value, type(known[key])):
            raise ValueError("{} is none of: {}".format(
                key, ", ".join(["{}=<{}>".format(name, type(first).__name__) for name, first in _FIELDS])))
        if key in _CHOICES and value not in _CHOICES[key]:
            raise ValueError("{} is one of {}, got {}".format(key, ", ".join(_CHOICES[key]), value))
        least, most = _RANGES.get(key, (value, value))
        if not least <= value <= most:
            raise ValueError("{} is {} to {}, got {}".format(key, least, most, value))
    Saved("dlms", *_FIELDS).keep(**how)


def _title(text):
    """16 hex digits, or none."""
    try:
        if len(bytes.fromhex(text)) in (0, 8):
            return text
    except (ValueError, TypeError):          # TypeError: without quotes its digits were read as a number
        pass
    raise ValueError("title is 16 hex digits in quotes, the system title that the meter has to tell")
