"""Light nodes: shells as in micrOS/SPEC.md 1, as many as wanted in one process, each at its address.

    python -m tests.gateway.fakes COUNT      prints {uid: [address, port, name]}, serves until its stdin ends
"""
import asyncio
import json
import sys
import threading
from contextlib import contextmanager

INFO = ("CPU clock: 240 [MHz]\nMem usage: 36.1 %\nFS usage: 40.0 %\nupython: v1.29.0\nboard: Fake\n"
        "mac: 00:00:00:00:00:00\nuptime: 1 2:3:4")
ANSWERS = {"version": "2.0.0-0", "system info": INFO, "system alarms": "OK alarm: 0", "modules": "[]",
           "esp32 temp": " CPU temp [C]: 41.5", "task list >json": '{"active": ["idle"], "inactive": []}'}
SEATS = 2


class FakeNode:
    """One node. A test may set: `answers` (line -> text, or a function of the line), `mode`, `delay_s`, `password`.

    heard   lines in the order they came, of all sessions
    most    how many lines were under way at once
    mode    "" answers; "silent" reads and says nothing; "garbage" greets with noise; "mute" accepts, never greets;
            "drop" closes within the answer
    """

    def __init__(self, name, uid, address="127.0.0.1", port=0):
        self.name, self.uid, self.address, self.port = name, uid, address, port
        self.answers = {**ANSWERS}
        self.mode, self.delay_s, self.password, self.seats = "", 0.0, None, SEATS
        self.heard, self.sessions, self.under_way, self.most, self.greeted = [], set(), 0, 0, 0
        self.server = None

    async def start(self):
        loop = self.loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: _Talk(self), self.address, self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def stop(self):
        self.server.close()
        for session in list(self.sessions):
            session.transport.abort()

    def kick(self):
        """Every session ends, from any thread."""
        for session in list(self.sessions):
            self.loop.call_soon_threadsafe(session.transport.abort)

    def reply(self, line):
        """Text of the answer, without its prompt."""
        known = self.answers.get(line)
        if callable(known):
            return known(line)
        if line == "hello":
            return f"hello:{self.name}:{self.uid}"
        return known if known is not None else f"did {line}"


class _Talk(asyncio.Protocol):
    def __init__(self, node):
        self.node, self.rest, self.configures = node, b"", False
        self.locked = node.password is not None

    def connection_made(self, transport):
        node, self.transport = self.node, transport
        if len(node.sessions) >= node.seats:
            transport.write(b"Connection is busy. Bye!\nBye!\n\n")
            transport.close()
            return
        node.sessions.add(self)
        node.greeted += 1
        if node.mode == "garbage":
            transport.write(bytes(range(1, 256)) * 20)
        elif node.mode != "mute":
            transport.write(self.prompt())

    def connection_lost(self, error):
        self.node.sessions.discard(self)

    def prompt(self):
        marks = ("[password] " if self.locked else "") + ("[configure] " if self.configures else "")
        return f"{marks}{self.node.name} $ ".encode()

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.take(line.decode())

    def take(self, line):
        node = self.node
        node.heard.append(line)
        node.under_way += 1
        node.most = max(node.most, node.under_way)
        if node.mode == "silent":
            return
        if node.mode == "drop" and line != "hello" and line != "version":
            self.transport.write(b"half an ans")
            self.transport.close()
            return
        if node.delay_s:
            asyncio.get_running_loop().call_later(node.delay_s, self.answer, line)
        else:
            self.answer(line)

    def answer(self, line):
        self.node.under_way -= 1
        if line in ("conf", "noconf"):
            self.configures = line == "conf"
            text = ""
        elif self.locked and line not in ("hello", "version"):
            self.locked = line != self.node.password
            text = "AuthFailed\nBye!\n\n" if self.locked else "AuthOk\n"
            if self.locked:
                self.transport.write(text.encode())
                self.transport.close()
                return
        else:
            text = self.node.reply(line) + "\n"
        self.transport.write(text.encode() + self.prompt())


def address_of(number):
    """Loopback addresses where no virtual board is."""
    return f"127.0.{100 + number // 250}.{number % 250 + 1}"


async def crowd(count, port=0):
    return [await FakeNode(f"fake{at:04}", f"micrfake{at:08x}OS", address_of(at), port).start() for at in range(count)]


@contextmanager
def running(*nodes):
    """Serve nodes in a thread of their own, on a loop that `do` reaches: do(function) runs it there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    try:
        for node in nodes:
            do(node.start())
        yield do
    finally:
        for node in nodes:
            loop.call_soon_threadsafe(node.stop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _serve(count):
    nodes = await crowd(count)
    print(json.dumps({node.uid: [node.address, node.port, node.name] for node in nodes}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
