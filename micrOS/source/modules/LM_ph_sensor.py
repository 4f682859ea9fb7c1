"""The voltage of a pH probe's amplifier on pin `ph`; what pH that is, tells a calibration of that probe."""
import asyncio

from Analog import FULL, FULL_SCALE_V, values
from Common import SmartADC
from LogicalPins import pinmap_dump

_SAMPLES = 10
_APART_MS = 100


async def measure():
    """Two lines: `ADC data: {...}` of the last sample, and `AVG V: <mean of ten samples in one second>`."""
    probe = SmartADC.get_singleton("ph")
    samples = [probe.signal()]
    while len(samples) < _SAMPLES:
        await asyncio.sleep_ms(_APART_MS)
        samples.append(probe.signal())
    mean_v = sum(samples) / _SAMPLES / FULL * FULL_SCALE_V
    return "ADC data: {}\nAVG V: {:.2f}".format(values(samples[-1]), mean_v)


def pinmap():
    return pinmap_dump("ph")


def help():
    return "measure", "pinmap"
