"""What a node answers under /conf/ and /file/; in memory only for one answer."""
from micropython import const

from ConfigHandler import ConfigError, UnknownKeyError, cfgget, config
from pure.lazy import unload
from .ground import wire

_FAILED = const(128)           # status, the first of those that an application may choose


def enter(node, modules, client, request, payload):
    """(param, status, tunid) of the reply."""
    room, _, name = request.url[1:].partition("/")
    try:
        if room == "conf":
            return {"result": _setting(name, request.method, payload.param)}, 0, 0
        return _file(node, modules, client, request.method, name, payload.param)
    except UnknownKeyError:
        return {"error": "no setting {}; GET /conf/ has them all".format(name)}, wire.INVALID_URL, 0
    except (ConfigError, ValueError, OSError) as error:
        return {"error": str(error)}, _FAILED, 0


def _setting(key, is_set, param):
    """What is shown of a setting, of all where no key is named; SET keeps param, or its "value"."""
    if is_set:
        config().set(key, param.get("value") if isinstance(param, dict) else param)
    if not key:
        return dict(config().rows(""))
    value = config().get(key)
    import Settings
    unload("Settings")
    return Settings.shown(key, value)


def _file(node, modules, client, is_set, path, param):
    """The tunid is that of the stream that the file comes or goes by; see files.py."""
    # as the file service, which is never open: who has not shown the password brings it along
    if not node.wanted() and not node.server.trusts(client, param, cfgget("appwd")):
        return {"error": 'files want the password of the node: {"passwd": ...}'}, wire.NO_PERMISSION, 0
    size = (param.get("size", -1) if isinstance(param, dict) else -1) if is_set else None
    try:
        from .files import offer
        stream, size = offer(node.server, client.address()[0], path, size, modules)
    except MemoryError:
        unload("vsoa.files", "Incoming")
        raise
    return {"size": size}, 0, stream.tunid
