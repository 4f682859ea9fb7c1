"""Asks another node: one connection, one command, its answer; in memory only while it is asked."""
import asyncio
import socket
from errno import EINPROGRESS

from micropython import const

from ConfigHandler import cfgget
from Modules import CallError
from pure.lazy import unload
from TaskManager import manager

TIMEOUT_S = 5                    # for all of it: finding, waiting while it is busy, answering
_SILENCE_MS = const(3000)        # before its prompt
_PAUSES_MS = const((100, 200, 400))       # while the other node is busy
_MOST_BYTES = const(8192)        # of an answer
_MOST_TASKS = const(10)          # at the same time
_PIECE_BYTES = const(256)
_MARKS = const(("", "[configure] ", "[password] "))
_LOCKED = const(2)               # in _MARKS


class LinkError(Exception):
    """Raised when there is no answer; says why."""


class BusyError(LinkError):
    """Raised when the other node has no session left."""


class StrangerError(LinkError):
    """Raised before the command was said, when another node or none is where the one we want should be."""


async def ask(host, line, timeout_s=TIMEOUT_S):
    """Answer of another node to one line, which is said once at most.

    host: address, name or uid, `:port` behind it where it is not the usual one. Raises LinkError.
    """
    from Peers import PeerError
    try:
        return await asyncio.wait_for_ms(_ask(host, line), int(1000 * timeout_s))
    except asyncio.TimeoutError:
        raise LinkError("gave no answer in {} s".format(timeout_s))
    except OSError as error:
        raise LinkError("cannot be reached: {}".format(error))
    except PeerError as error:
        raise LinkError(error)
    except ValueError as error:          # the port is no number, or the answer no UTF-8
        raise LinkError("cannot be understood: {}".format(error or "no text"))
    finally:
        unload("Peers", "Udp", "pure.beacon", "pure.dns")


async def _ask(host, line):
    from Peers import find, forget
    for pause_ms in _PAUSES_MS:
        peer = await find(host)
        try:
            return await _talk(peer, line)
        except BusyError:
            await asyncio.sleep_ms(pause_ms)
        except StrangerError:
            if peer[2] is None:          # found by its address: there is no other place to look
                raise
            forget(host)
    return await _talk(await find(host), line)


async def _talk(peer, line):
    """One session: the line is said to nobody but the wanted node, with our own password if it asks for one."""
    address, port, wanted, uid, trusted = peer
    link = socket.socket()
    stream = asyncio.StreamReader(link)      # open_connection() would leave the socket open when it is cancelled
    try:
        greeting = await _reached(_greeting(link, stream, address, port))
        prompts = _prompts(greeting, wanted)
        if uid and await _said(stream, "hello", prompts) != "hello:{}:{}".format(wanted, uid):
            raise StrangerError("is another node by now")
        if greeting.endswith(prompts[_LOCKED]):
            if not trusted:
                raise LinkError("wants a password; ours is for nodes that the beacon knows, or named by address")
            if await _said(stream, cfgget("appwd"), prompts) != "AuthOk":
                raise LinkError("wants another password")
        return await _said(stream, line, prompts)
    except OSError as error:
        raise LinkError("broke off: {}".format(error))
    finally:
        await stream.wait_closed()


async def _greeting(link, stream, address, port):
    """Bytes that a node says first. Raises OSError when there is none."""
    link.setblocking(False)
    try:
        link.connect(socket.getaddrinfo(address, port)[0][-1])
    except OSError as error:
        if error.errno != EINPROGRESS:
            raise
    yield asyncio.core._io_queue.queue_write(link)
    return await _heard(stream, ())          # a refused connection raises only here


async def _reached(step):
    """What a step gives that shows whether there is a node. Raises StrangerError."""
    try:
        return await asyncio.wait_for_ms(step, _SILENCE_MS)
    except asyncio.TimeoutError:
        raise StrangerError("cannot be reached: silent for {} ms".format(_SILENCE_MS))
    except OSError as error:
        raise StrangerError("cannot be reached: {}".format(error))


def _prompts(greeting, wanted):
    """The prompts of a session that began with this greeting: bytes, in the order of _MARKS."""
    if not greeting.endswith(b" $ "):
        raise BusyError("is busy") if b"busy" in greeting else StrangerError("gives no prompt")
    name = str(greeting[greeting.rfind(b"\n") + 1:-3], "utf-8").rpartition("] ")[2]
    if wanted and name != wanted:
        raise StrangerError("is {} by now".format(name))
    return [(mark + name + " $ ").encode() for mark in _MARKS]


async def _said(stream, line, prompts):
    """What the other node says to a line."""
    stream.write((line + "\n").encode())
    if stream.out_buf:
        await stream.drain()
    text, _, last = str(await _heard(stream, prompts), "utf-8").rpartition("\n")
    if last.encode() not in prompts:
        if last or not text.rstrip().endswith("Bye!"):
            raise LinkError("went away before its answer was whole")
        text = text.rstrip("\n")
    return text


async def _heard(stream, prompts):
    """Bytes up to one of the prompts, () for any, or up to the end of the session."""
    said = b""
    while True:
        data = await stream.read(_PIECE_BYTES)
        said += data
        if len(said) > _MOST_BYTES:
            raise LinkError("says more than {} bytes".format(_MOST_BYTES))
        if not data or (said[said.rfind(b"\n") + 1:] in prompts if prompts else said.endswith(b" $ ")):
            return said


def send_cmd(host, cmd, timeout_s=TIMEOUT_S):
    """Have another node asked in the background: {"verdict", "tag"}; `task show <tag>` has its answer, in one line."""
    tag = "con.{}.{}".format(_short(host), cmd.split()[0])
    running = [task.tag for task in manager().tasks if task.active and task.tag.startswith("con.")]
    if tag in running or len(running) >= _MOST_TASKS:
        return {"verdict": "Task is Busy", "tag": tag}
    manager().start(tag, _report(tag, host, cmd, timeout_s))
    return {"verdict": "Task started: task show " + tag, "tag": tag}


async def _report(tag, host, cmd, timeout_s):
    task = manager().get(tag)
    try:
        answer = await manager().ask(host, cmd, timeout_s)
    except CallError as error:
        answer = str(error)
    task.say(answer.replace("\n", " ") + " ")           # as 1.20 had it


def dump_cache():
    """{name: address} of the nodes that were found lately."""
    from Peers import cache
    unload("Peers", "Udp")
    return cache()


def _short(host):
    """The last two numbers of an address, a name without `.local`."""
    if host.count(".") == 3:
        return ".".join(host.split(".")[-2:])
    return host[:-6] if host.endswith(".local") else host
