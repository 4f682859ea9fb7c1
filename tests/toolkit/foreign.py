"""Stand-ins for what is not ours: a 1.20 node, played from recorded bytes, and a stock WebREPL server.

Our own node is never faked: it runs on the virtual board.
"""
import contextlib
import socket
import struct
import threading

from micrOS.source.pure import webrepl

HINTS = (
    b"SHELL: type help for single word commands (built-in)\n"
    b"SHELL: for LM exec: [1](LM)module [2]function [3...]optional params\n"
)
# Recorded: v1207_s1_basic, v1207_s2_tasks and v1207_s8_framing; each item of a tuple is one write of the server.
RECORDED = {
    "hello": (b"hello:node01:n/a\n", b"node01 $ "),
    "version": (b"1.20.4-0\n", b"node01 $ "),
    "system heartbeat": (b"<3 heartbeat <3\n", b"node01 $ "),
    "system clock": (b"2026.11.21  1:12:17\nWD: 5 YD: 325\n", b"node01 $ "),
    "system cachedump": (b"\n", b"node01 $ "),
    "system sun": (b"\n", b"node01 $ "),
    "system rssi >json": (b'{"Amazing": -50}\n', b"node01 $ "),
    "robustness recursion_limit 3": (b"recalled 1\n", b"recalled 2\n", b"recalled 3\n", b"0\n", b"node01 $ "),
    "robustness raise_error": (
        b"Raise test exception\n",
        b"exec_lm_core LM_robustness->raise_error: Test exception\n", HINTS, b"node01 $ ",
    ),
    "foo": (HINTS, b"node01 $ "),
    "foo bar": (b"exec_lm_core LM_foo->bar: No module named 'LM_foo'\n", HINTS, b"node01 $ "),
    "system heartbeat undefinedname": (
        b"exec_lm_core LM_system->heartbeat: name 'undefinedname' is not defined\n",
        b"node01 $ ", b"[HA] Shells cleanup: 5000\n",
    ),
    "conf": (b"[configure] node01 $ ",),
    "devfid": (b"node01\n", b"[configure] node01 $ "),
    "dbg maybe": (b"Failed to save\n", b"[configure] node01 $ "),
    "nosuch 1": (b"node_config write error: 'nosuch'\nInvalid key\n", b"[configure] node01 $ "),
    "noconf": (b"node01 $ ",),
    "help lm": (
        b"[MICROS]   - built-in shell commands\n   hello   - hello msg - for device identification\n",
        b"    dump       - Dump all data\n[EXEC] Command mode (LMs):\n   help lm  - list ALL LoadModules\n",
        b"   i2c\n      scan\n      pinmap\n      help\n   buzzer\n          defaults = {str\n         bipp\n",
        b"   rgb\n      color\n      brightness\n      toggle\nnode01 $ ",
    ),
    "webrepl --update": (b" Start micropython WEBREPL\n Bye!\n", None),
    "reboot": (b"Reboot micrOS system.\nBye!\n", None),
    "exit": (b"Bye!\n\n", None),
    "": (b"Bye!\n\n", None),
}
BUSY = b"Connection is busy. Bye!\nBye!\n\n"


class Server:
    """Accepts on a free port of loopback, one thread a client, until closed."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.clients = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self.listener, *self.clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self.threads:
            thread.join(2)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.clients.append(client)
            self.threads.append(threading.Thread(target=self._serve, args=(client,)))
            self.threads[-1].start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            self.serve(client)


class Node120(Server):
    """A 1.20 shell: one read is one command, newline or not; every line of an answer is a write of its own.

    replies    command -> writes; None in place of bytes closes
    turned_away   so many connections find it busy
    greeting   None: says nothing
    heard      the commands so far
    """

    def __init__(self, replies=None, greeting=b"node01 $ ", turned_away=0):
        self.replies = {**RECORDED, **(replies or {})}
        self.greeting = greeting
        self.turned_away = turned_away
        self.heard = []
        super().__init__()

    def serve(self, client):
        if self.turned_away:
            self.turned_away -= 1
            client.sendall(BUSY)
            return
        if self.greeting is not None:
            client.sendall(self.greeting)
        while data := client.recv(2048):
            command = data.decode().strip()
            self.heard.append(command)
            for part in self.replies.get(command, (HINTS, self.greeting)):
                if part is None:
                    return
                client.sendall(part)


def a_node(name, uid, **more):
    """A 1.20 node with a name and uid of its own."""
    prompt = f"{name} $ ".encode()
    replies = {"hello": (f"hello:{name}:{uid}\n".encode(), prompt), "version": (b"1.20.4-0\n", prompt)}
    return Node120({**replies, **more}, greeting=prompt)


class StockWebrepl(Server):
    """MicroPython's own WebREPL file server. files: name -> bytes; refuses: name -> reason, or None for none."""

    def __init__(self, password="secret", refuses=None, denied=b"\r\nAccess denied\r\n"):
        self.password = password.encode()
        self.refuses = refuses or {}
        self.denied = denied
        self.files = {}
        super().__init__()

    def serve(self, client):
        frames, inbox = webrepl.Frames(), bytearray()

        def take(size):
            while len(inbox) < size:
                data = client.recv(4096)
                if not data:
                    raise ConnectionError
                for opcode, piece in frames.feed(data):
                    assert opcode in (webrepl.TEXT, webrepl.BINARY)
                    inbox.extend(piece)
            taken = bytes(inbox[:size])
            del inbox[:size]
            return taken

        def send(payload, opcode=webrepl.BINARY):
            client.sendall(webrepl.frame(payload, opcode))

        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        key = next(line for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key:"))
        client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + webrepl.accept_key(key.split(b":", 1)[1].strip()) + b"\r\n\r\n")
        send(b"Password: ", webrepl.TEXT)
        typed = b""
        while not typed.endswith(b"\r"):
            typed += take(1)
        if typed[:-1] != self.password:
            send(self.denied, webrepl.TEXT)
            return
        send(b"\r\nWebREPL connected\r\n>>> ", webrepl.TEXT)
        while True:
            self.operate(take, send)

    def operate(self, take, send):
        op, name, size = webrepl.parse_request(take(82))
        if op == webrepl.VERSION:
            send(bytes((1, 20, 0)))
            return
        if op == webrepl.GET:
            self.give(take, send, self.files.get(name))
            return
        send(b"WB\0\0")
        content = take(size)
        if name in self.refuses:
            if self.refuses[name]:
                send(self.refuses[name].encode(), webrepl.TEXT)
            send(b"WB\1\0")
            return
        self.files[name] = content
        send(b"WB\0\0")

    def give(self, take, send, content):
        if content is None:
            send(b"WB\1\0")
            return
        send(b"WB\0\0")
        at = 0
        while take(1) == b"\0":
            piece = content[at:at + 256]
            at += 256
            send(struct.pack("<H", len(piece)) + piece)
            if not piece:
                break
        send(b"WB\0\0")


def free_port():
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
