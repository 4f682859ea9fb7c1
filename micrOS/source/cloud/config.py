"""The settings of a thing of the Device Cloud: `<app_id>-connect.cfg` and `device_id`, in the folder of the program.

In memory only to read them: what is wanted later is in a Config of facade.py.
"""
import json
import os
from binascii import hexlify

from . import ground
from .ground import Trust, tr50

DEFAULTS = {"config_dir": ".", "config_file": None, "device_id": None, "qos_level": 1, "keep_alive": 0, "loop_time": 1,
            "thread_count": None, "validate_cloud_cert": True, "ca_bundle_file": None, "log_file": None,
            "use_syslog": False, "quiet": False, "store_bytes": None, "actions_enabled": {}, "cloud": {}, "proxy": {}}
_NEEDED = ("host", "port", "token")      # of the cloud
_TRANSPORTS = {443: "wss", 8883: "tls"}
_WORDS = {"true": True, "false": False}


def loaded(app_id, given):
    """dict of values: what the program has given counts more than the file, and that more than the defaults.

    Raises OSError when there is no file, KeyError for a missing cloud.host, cloud.port or cloud.token, ValueError for
    a file that is no JSON object, or a value that is none.
    """
    values = over(DEFAULTS, given)
    path = "{}/{}".format(values["config_dir"], values["config_file"] or app_id + "-connect.cfg")
    with open(path) as file:
        try:
            told = json.load(file)
        except ValueError:
            told = None
    if not isinstance(told, dict):
        raise ValueError("{} is to be a JSON object".format(path))
    values = over(over(DEFAULTS, told), given)
    for name in _NEEDED:
        if values["cloud"].get(name) in (None, ""):
            raise KeyError("cloud.{} is missing in {}".format(name, path))
    _check(values["cloud"])
    return values


def _check(cloud):
    port = str(cloud["port"])
    if not tr50.is_number(port) or not 0 < int(port) < 65536:
        raise ValueError("cloud.port is 1-65535, got {}".format(port[:20]))
    if cloud.get("transport") not in (None, "tcp", "tls", "wss"):
        raise ValueError("cloud.transport is tcp, tls or wss, got {}".format(str(cloud["transport"])[:20]))


def over(values, more):
    """values, with those of more over them; texts `true` and `false` are truths."""
    result = dict(values)
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            value = over(result[name], value)
        result[name] = _WORDS.get(value.lower(), value) if isinstance(value, str) else value
    return result


def thing_key(app_id, values):
    """`<device_id>-<app_id>`. The file device_id is made if it is not there. Raises KeyError when that is too long."""
    ident = values["device_id"] or device_id(values["config_dir"])
    key = ident + "-" + app_id if app_id else ident
    if len(key) > tr50.KEY_CHARS:
        raise KeyError("device_id and app_id take {} characters, got {}".format(tr50.KEY_CHARS - 1, len(key) - 1))
    return key


def device_id(folder):
    path = folder + "/device_id"
    try:
        with open(path) as file:
            found = file.read().strip()
            if found:
                return found
    except OSError:
        pass
    found = uuid4()
    with open(path + ".new", "w") as file:
        file.write(found)
    os.rename(path + ".new", path)
    return found


def uuid4():
    """RFC 4122, section 4.4."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = str(hexlify(raw), "ascii")
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def transport(cloud):
    """"tcp" "tls" "wss": by the port, as the public agent, unless cloud.transport says it."""
    return cloud.get("transport") or _TRANSPORTS.get(int(cloud["port"]), "tcp")


def trust(values):
    """Whom to believe behind TLS, and by way of which proxy. Raises ValueError for one on a board: it knows none."""
    proxy = values["proxy"] if values["proxy"].get("type") else None
    if proxy and not hasattr(ground, "PROXIES"):
        raise ValueError("a board goes to its cloud without a proxy: take `proxy` out of the configuration")
    return Trust(values["ca_bundle_file"] or None, values["validate_cloud_cert"] is not False, proxy)


def file_place(cloud):
    """(is_secure, host, port) of the file server: file_xfer_host and file_xfer_port, for uploads as well.

    file_xfer_host may be `http://host` where the file server has no TLS.
    """
    host = cloud.get("file_xfer_host") or cloud["host"]
    is_secure = host[:7] != "http://"
    return is_secure, host.split("://")[-1], int(cloud.get("file_xfer_port") or (443 if is_secure else 80))
