"""Asks another node: one connection, one command, its answer; in memory only while it is asked."""
import asyncio
import socket
import time

from micropython import const

from ConfigHandler import cfgget
from Debug import errlog_add
from Modules import CallError
from pure.lazy import unload
from TaskManager import manager

TIMEOUT_S = 5                    # for all of it: finding, waiting while it is busy, answering
_SILENCE_MS = const(3000)        # before its prompt
_LONGEST_MS = const(60000)       # between two pieces; its end comes first
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
        return await _ask(host, line, time.ticks_add(time.ticks_ms(), int(1000 * timeout_s)))
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


async def answer(host, line, *timeout_s):
    """The same as one of our calls: raises CallError. This file leaves memory with it."""
    try:
        return await ask(host, line, *timeout_s)
    except LinkError as error:
        raise CallError("{} {}".format(host, error))
    finally:
        unload("InterConnect")


async def _ask(host, line, end_ms):
    from Peers import find, forget
    for pause_ms in _PAUSES_MS:
        peer = await find(host, end_ms)
        try:
            return await _talk(host, peer, line, end_ms)
        except BusyError:
            await asyncio.sleep_ms(pause_ms)
        except StrangerError:
            if _is_direct(host, peer):           # there is no other place to look
                raise
            forget(host)
    return await _talk(host, await find(host, end_ms), line, end_ms)


async def _talk(host, peer, line, end_ms):
    """One session: the line is said to nobody but the wanted node."""
    address, port, name, uid = peer
    talk = _Talk(end_ms)
    try:
        await talk.begin(address, port, name)
        if uid or talk.is_locked:
            met = (await talk.say("hello") + "::").split(":")    # hello:<name>:<uid>
            if uid and met[1:3] != [name, uid]:
                raise StrangerError("is another node by now")
            if talk.is_locked:
                await _log_in(talk, address, met[2], _is_direct(host, peer))
        return await talk.say(line)
    except OSError as error:
        raise LinkError("broke off: {}".format(error))
    finally:
        talk.close()


def _is_direct(host, peer):
    """True when the node was named by its address."""
    return host.partition(":")[0] == peer[0]


async def _log_in(talk, address, uid, is_direct):
    """Tell our password, if a person has named this node by its address: now (is_direct), or before."""
    from Peers import is_trusted, trust
    if not is_direct and not is_trusted(address, uid):
        raise LinkError("wants a password, but a name proves nothing: if it is at {0}, say this once with >>{0}".format(
            address))
    if await talk.say(cfgget("appwd")) != "AuthOk":
        raise LinkError("wants another password")
    try:
        trust(address, uid)
    except OSError as error:
        errlog_add("[ERR] intercon: the flash says {}".format(error))


class _Talk:
    """A session with another node that ends at end_ms: then whoever waits gets a TimeoutError.

    Waiting tasks are those of asyncio: one of our own would outlive this module in its memory.
    """

    def __init__(self, end_ms):
        self._end_ms = end_ms
        self._link = socket.socket()
        self._stream = asyncio.StreamReader(self._link)      # open_connection() leaves the socket open when cancelled
        self._prompts = ()
        self.is_locked = False

    async def begin(self, address, port, name):
        """Up to the first prompt, which has to be that of `name`, None: anybody's. Raises StrangerError, BusyError."""
        from Udp import connect
        try:
            connect(self._link, address, port)
            greeting = await self._heard(_SILENCE_MS)        # a refused connection raises only here
        except asyncio.TimeoutError:
            raise StrangerError("cannot be reached: it is silent")
        except OSError as error:
            raise StrangerError("cannot be reached: {}".format(error))
        self._prompts = _prompts(greeting, name)
        self.is_locked = greeting.endswith(self._prompts[_LOCKED])

    async def say(self, line):
        """What the other node says to a line."""
        self._stream.write((line + "\n").encode())
        if self._stream.out_buf:
            await asyncio.wait_for_ms(self._stream.drain(), self._left_ms())
        text, _, last = str(await self._heard(), "utf-8").rpartition("\n")
        if last.encode() not in self._prompts:
            if last or not text.rstrip().endswith("Bye!"):
                raise LinkError("went away before its answer was whole")
            text = text.rstrip("\n")
        return text

    def close(self):
        self._link.close()

    async def _heard(self, most_ms=_LONGEST_MS):
        """Bytes up to a prompt, any while none is known, or up to the end of the session. most_ms: between pieces."""
        said = b""
        while True:
            data = await asyncio.wait_for_ms(self._stream.read(_PIECE_BYTES), min(most_ms, self._left_ms()))
            said += data
            if len(said) > _MOST_BYTES:
                raise LinkError("says more than {} bytes".format(_MOST_BYTES))
            if not data or (said[said.rfind(b"\n") + 1:] in self._prompts if self._prompts else said.endswith(b" $ ")):
                return said

    def _left_ms(self):
        return max(0, time.ticks_diff(self._end_ms, time.ticks_ms()))


def _prompts(greeting, wanted):
    """The prompts of a session that began with this greeting: bytes, in the order of _MARKS."""
    if not greeting.endswith(b" $ "):
        raise BusyError("is busy") if b"busy" in greeting else StrangerError("gives no prompt")
    name = str(greeting[greeting.rfind(b"\n") + 1:-3], "utf-8").rpartition("] ")[2]
    if wanted and name != wanted:
        raise StrangerError("is {} by now".format(name))
    return [(mark + name + " $ ").encode() for mark in _MARKS]


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
