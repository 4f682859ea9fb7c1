"""Commands for other nodes; their answers wait in tasks. `command >>host` answers at once."""


def __getattr__(name):
    """`send_cmd`: modules of 1.20 take it from here."""
    if name != "send_cmd":
        raise AttributeError(name)
    from InterConnect import send_cmd
    return send_cmd


def sendcmd(*words, host=None, cmd=None, timeout=5):
    """Have another node run a command. Returns {"verdict", "tag"}; `task show <tag>` has the answer.

    Either part may come as words: host first, then the command. timeout: s, 1 to 60.
    A locked node is told our password when host is its address, and from then on by its name, too (`intercon.pds`).
    """
    from InterConnect import send_cmd
    words = [str(word) for word in words]
    host = host or (words.pop(0) if words else "")
    cmd = cmd or " ".join(words)
    if not host or not cmd.split() or "\n" in cmd:
        raise ValueError('takes host="name or address" and cmd="one line"')
    if not 1 <= timeout <= 60:
        raise ValueError("timeout is 1-60 s, got {}".format(timeout))
    return send_cmd(str(host), str(cmd), timeout)


def dump():
    """{name: address} of the nodes that were found lately."""
    from InterConnect import dump_cache
    from pure.lazy import unload
    unload("InterConnect")
    return dump_cache()


def help():
    return 'sendcmd host="name or address" cmd="module function ..." timeout=<1-60>', "dump"
