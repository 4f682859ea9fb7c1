"""The head of a WAV file. Source: Multimedia Programming Interface and Data Specifications 1.0, "WAVE form"."""
import struct

_PCM = 1


class WavError(ValueError):
    """Raised for a file that is no WAV of 8 or 16 bit PCM; says what it is."""


def head(data):
    """(rate_hz, channels, bits, offset of the samples, their bytes). data: the first bytes of the file

    Raises WavError, also when the samples do not begin within data.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("a WAV file begins with RIFF....WAVE")
    at, form = 12, None
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if name == b"data" and form:
            return form + (at + 8, size)
        if name == b"fmt " and at + 24 <= len(data):
            form = _form(data[at + 8:at + 24])
        at += 8 + size + size % 2
    raise WavError("no samples in the first {} bytes".format(len(data)))


def _form(data):
    kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", data)
    if kind != _PCM or bits not in (8, 16) or channels not in (1, 2) or not rate_hz:
        raise WavError("PCM of 8 or 16 bits, 1 or 2 channels is wanted; got format {}, {} bits, {} channels".format(
            kind, bits, channels))
    return rate_hz, channels, bits


def duty(data, at, bits):
    """Level of the sample at an offset, 0-65535, as PWM counts it: 8 bit samples have no sign, 16 bit ones have."""
    if bits == 8:
        return data[at] * 257
    return (data[at] | data[at + 1] << 8) ^ 0x8000


def spoken(text, clips):
    """Names of the clips that make up a text, longest first; None when a piece of it has none. clips: set of names"""
    found, at = [], 0
    while at < len(text):
        if text[at] in " ,.!?":
            at += 1
            continue
        for end in range(len(text), at, -1):
            if text[at:end] in clips:
                found.append(text[at:end])
                at = end
                break
        else:
            return None
    return found
