"""What the cloud may have a board do, beside what programs register: each can be switched off by `actions_enabled`.

A name `module.function` runs a load module with the params as its arguments.
"""
import asyncio

from micropython import const

from ConfigHandler import cfgget
from Network import net
from TaskManager import finished, manager

from . import ground
from .ground import tr50

_BAD_PARAMETER = const(2)
_NOT_SUPPORTED = const(18)
_OFF = "This method is disabled by its configuration"
_LEAVE_S = const(10)              # for the last words to the cloud


def offer(client):
    """Register all of them."""
    enabled = client.config.actions_enabled
    for name, key, function in _ACTIONS:
        is_on = not enabled or getattr(enabled, key) is not False
        client.action_register_callback(name, function if is_on else _disabled)
    if not enabled or enabled.call_modules is not False:
        client.set_fallback(_caller)


def _disabled(client, params):
    return _NOT_SUPPORTED, _OFF


def _caller(name):
    """The callback that runs `module.function`; None for a name that is none."""
    module, dot, function = str(name).partition(".")
    if not dot or not module or not function or "." in function:
        return None

    async def call(client, params, user_data, request):
        from Modules import CallError
        from pure.things import written
        words = [module, function] + written(params)
        said = []
        try:
            answer = await finished(manager().modules.call(words, False, said.append))
        except CallError as error:
            return 4, str(error)
        return 0, "", {"result": "\n".join(said + [answer])}
    return call


def _ping(client, params):
    return 0, "", {"response": "acknowledged", "time_stamp": tr50.stamp(*ground.utc())}


async def _download(client, params):
    """params: file_name, file_path (a file of the node, default the same name), use_global_store"""
    return await _transfer(client.file_download, params, "file_name", "file_path")


async def _upload(client, params):
    return await _transfer(client.file_upload, params, "file_path", "file_name")


async def _transfer(move, params, first, second):
    params = params or {}
    one = params.get(first) or params.get(second)
    if not one:
        return _BAD_PARAMETER, "{} is missing".format(first)
    two = params.get(second) or one
    if first == "file_path":
        one, two = _at_root(one), two.split("/")[-1]
    else:
        two = _at_root(two)
    status = await move(one, two, True, None, 0, bool(params.get("use_global_store")))
    return status, "" if not status else "status {}".format(status)


def _at_root(path):
    """Absolute path of a file that the cloud names. Raises RefusedError when it leads out of the root."""
    from Incoming import inside
    from pure.lazy import unload
    unload("Incoming")
    return inside(path)


def _reboot(client, params, user_data, request):
    """The ack goes first: the mail would be there again after the boot."""
    asyncio.create_task(_restart(client, request.request_id))
    return tr50.INVOKED


async def _restart(client, ident):
    await client.agent.ask(tr50.mailbox_ack(ident, 0, ""), _LEAVE_S)
    await client.disconnect()
    from Staging import restart
    await restart()


async def _remote_access(client, params):
    """The shell, or another port of this node, over a websocket. params: url, host, protocol (the port), reconnect"""
    from .relay import Relay
    from .relays import begin
    params = params or {}
    if params.get("host") not in (None, "", "localhost", "127.0.0.1", cfgget("devip")):
        return 10, "a node relays to itself only"
    try:
        port = int(params.get("protocol") or cfgget("socport"))
    except ValueError:
        return _BAD_PARAMETER, "protocol is a port, got {}".format(params["protocol"])
    place = net().ifconfig()[0], port
    way = Relay(str(params.get("url")), place, client.trust(), bool(params.get("reconnect")))
    if not begin(way):
        return 17, "a relay is up"
    return 0, ""


def _update(client, params, user_data, request):
    """Begin an update over the air. params: package (a file of the cloud)"""
    from .board_update import OTAHandler
    return OTAHandler().update_callback(client, params, user_data, request)


_ACTIONS = (                         # name, what switches it off, function
    ("ping", "ping", _ping),
    ("file_download", "file_transfers", _download),
    ("file_upload", "file_transfers", _upload),
    ("reboot_device", "reboot_device", _reboot),
    ("remote-access", "remote_login", _remote_access),
    ("software_update", "software_update", _update),
)
