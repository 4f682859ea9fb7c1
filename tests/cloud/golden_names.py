"""The program of the names: the same text runs on a board, as LM_golden.py, and on a host."""
import device_cloud
from device_cloud import Client

APP = "golden-app"
clients = []


async def got(value):
    return await value if hasattr(value, "send") else value


async def make(folder):
    clients[:] = [Client(APP, {"config_dir": folder})]
    return clients[0].initialize()


async def end():
    return 0


async def early():
    """What a client says that nobody has initialized."""
    client, said = Client("early"), []
    for value in (
            client.telemetry_publish("n", 1), client.telemetry_publish("n", 1, True), client.attribute_publish("n", 1),
            client.alarm_publish("n", 1), client.event_publish("e"), client.location_publish(1, 2), client.diag_ping(),
            client.diag_time(), client.update_thing_details("n"), client.action_register_callback("a", print),
            client.action_deregister("a"), client.action_progress_update("i", "m"), client.action_acknowledge("i"),
            client.file_upload("/x"), client.file_download("x", "/x"), client.file_download("x", "/x", True),
            client.connect(1), client.telemetry_read_last_sample("n"), client.attribute_read_last_sample("n")):
        value = await got(value)
        said.append(value[0] if isinstance(value, tuple) else value)
    return said + [await got(client.disconnect())]


async def missing(name, words):
    """Those of the words that device_cloud, a part of it, or its client has not."""
    parts = {"client": clients[0], "": device_cloud}
    part = parts[name] if name in parts else getattr(device_cloud, name)
    return [word for word in words.split(",") if not hasattr(part, word)]


async def system():
    cloud = device_cloud
    return [cloud.osal.os_name(), cloud.osal.os_version(), cloud.osal.os_kernel(), cloud.relay.relay_version(),
            cloud.identity.Identity().get_device_id(), cloud.ota_handler.OTAHandler().is_running(),
            clients[0].action_register_command("c", "true"), cloud.LOGCRITICAL, cloud.LOGERROR, cloud.LOGWARNING,
            cloud.LOGINFO, cloud.LOGDEBUG, cloud.LOGNOTSET]


async def refusals():
    osal = device_cloud.osal
    return [osal.execl("x"), osal.system_shutdown(), osal.system_reboot(600)]


async def relay(url, host, port):
    try:
        device_cloud.relay.create_relay(url, host, port, reconnect=True)
    except OSError:                      # on a board one at a time
        return 17
    return 0
