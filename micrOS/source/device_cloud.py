"""The Device Cloud agent by its public names; the same program runs on a host with its package `device_cloud`.

    client = device_cloud.Client("app")
    client.initialize()                            # reads app-connect.cfg and device_id
    await client.connect(timeout=10)               # on a board what waits is awaited
    client.telemetry_publish("temperature", 21.5)
"""
from cloud.facade import Client

__all__ = ("Client", "status_string")


def status_string(code):
    from pure.tr50_status import text
    return text(code)


def __getattr__(name):
    """STATUS_..., LOG..., DEFAULT_..., identity, osal, ota_handler, relay: in memory when a program asks for them."""
    from cloud.names import found
    return found(name)
