"""The Device Cloud agent by its public names; the same program runs on a host with its package `device_cloud`.

    client = device_cloud.Client("app")
    client.initialize()                            # reads app-connect.cfg and device_id
    await client.connect(timeout=10)               # on a board what waits is awaited
    client.telemetry_publish("temperature", 21.5)
"""
from cloud.facade import Client

__all__ = ("Client", "status_string")
DEFAULT_CONFIG_DIR, DEFAULT_CONFIG_FILE = ".", "{}-connect.cfg"
DEFAULT_KEEP_ALIVE, DEFAULT_LOOP_TIME = 0, 1


def status_string(code):
    from pure.tr50_status import text
    return text(code)


def __getattr__(name):
    """STATUS_SUCCESS and the other nineteen."""
    from pure.tr50_status import NAMES
    if name[:7] != "STATUS_" or name[7:] not in NAMES:
        raise AttributeError(name)
    return NAMES.index(name[7:])
