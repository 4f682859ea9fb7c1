"""A short log of what was measured: lines with a time stamp in `<name>.dat`, the oldest go."""
from Debug import log_get, logger
from Modules import modules


def data_logger(f_name, data=None, limit=12, msgobj=None):
    """Write data as the newest of `limit` lines; True when it is on the flash. Without data stream them; True then.

    msgobj: takes a line; the client that asked when it is None
    """
    if data is not None:
        return logger(data, f_name + ".dat", limit)
    log_get(f_name + ".dat", msgobj or modules().say)
    return True
