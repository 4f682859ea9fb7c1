"""Another node: a command for it, and who is known by name."""
from InterConnect import dump_cache, send_cmd


def send(host, cmd):
    return send_cmd(host, cmd)


def known():
    return isinstance(dump_cache(), dict)
