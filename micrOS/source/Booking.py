"""Books several pins, all of them or none; in memory only for that."""
from LogicalPins import PinError, detect_platform, get_pinmap, physical_pin, pinmap_dump
from pure.lazy import unload


def book(names):
    """Numbers of these pins, now taken. Raises PinError that names each one which the board lacks, or the taken one."""
    unload("Booking")
    numbers, owners = pinmap_dump(names), get_pinmap()["booked"]
    missing = [name for name in names if numbers[name] is None]
    if missing:
        raise PinError("[io-resolve] error: no pin on {} for {}; name them in cstmpmap".format(
            detect_platform(), ", ".join(missing)))
    for name in sorted(names, key=lambda name: owners.get(numbers[name], name) == name):
        physical_pin(name)        # the taken ones first: it raises before anything is booked
    return [numbers[name] for name in names]
