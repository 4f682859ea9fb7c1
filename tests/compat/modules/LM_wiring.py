"""Who holds which pin."""
from LogicalPins import detect_platform, get_pinmap, physical_pin, pinmap_dump


def book(key):
    return physical_pin(key)


def dump(*keys):
    return pinmap_dump(list(keys))


def dump_one(key):
    return pinmap_dump(key)


def tables():
    pins = get_pinmap()
    return sorted(pins.keys()), detect_platform() == pins['map']


def help():
    return 'book key', 'dump keys', 'dump_one key', 'tables'
