"""The cloud of these tests: MQTT over pure/mqtt in the server's role, TR50 answers as recorded, a file server, a relay.

It forgets nothing: `requests` has (thing, topic, command, params) of all that came, in its order.
"""
import asyncio
import base64
import hashlib
import json
import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from micrOS.source.pure import mqtt, tr50, tr50_cloud
from micrOS.source.pure.mqtt_server import Served

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "hdc_vectors.json").read_text())
TOKEN = VECTORS["config"]["cloud"]["token"]
WAIT_S = 30.0
Frame = tuple[str, bytes]


def rows(step: str, **wanted: Any) -> list[dict[str, Any]]:
    """What the recording has of a step ("02"), as far as it is so: mqtt="CONNECT"."""
    found = next(row["exchange"] for row in VECTORS["steps"] if row["step"].startswith(step))
    return [row for row in found if all(row.get(name) == value for name, value in wanted.items())]


def recorded(step: str, to: str = "cloud") -> list[dict[str, Any]]:
    """What the public agent published in a step, parsed; to="device": what our recording answered."""
    return [json.loads(row["payload"]) for row in rows(step, mqtt="PUBLISH") if row["dir"].endswith(f">{to}")]


def eventually(fact: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
    """The first truth that fact() gives. Raises AssertionError when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = fact()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"never came true in {timeout_s} s: {fact}")


class Connection:
    """A client that is connected."""

    def __init__(self, cloud: "Responder", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.cloud, self.reader, self.writer = cloud, reader, writer
        self.served = Served(now_ms(), window=1000, most_bytes=1 << 24)
        self.thing = ""

    async def run(self) -> None:
        first = last = b""
        try:
            while data := await self.reader.read(65536):
                first, last = first or data, (last + data)[-2:]
                for packet in self.served.feed(data, now_ms()):
                    self._take(packet)
                self.flush()
        except (mqtt.MqttError, OSError):
            pass
        finally:
            self.cloud.firsts.append(first)
            self.cloud.lasts.append(last)
            self.cloud.connections.discard(self)
            self.writer.close()

    def flush(self) -> None:
        if data := self.served.take():
            self.writer.write(data)

    def say(self, topic: str, payload: bytes) -> None:
        self.served.publish(topic, payload, self.cloud.qos)
        self.flush()

    def _take(self, packet: tuple[Any, ...]) -> None:
        if packet[0] == mqtt.CONNECT:
            self.thing = packet[1]
            self.cloud.connects.append(packet)
            if (packet[2], packet[3]) != (self.thing, TOKEN.encode()):
                self.served.refuse(mqtt.NOT_ALLOWED)
                return
            self.served.accept()
            self.cloud.connections.add(self)
        elif packet[0] == mqtt.PUBLISH:
            self.cloud.published.append((self.thing, packet[4], packet[5], packet[1], packet[2]))
            self._answer(packet[1], packet[2])

    def _answer(self, topic: str, payload: bytes) -> None:
        entries = []
        for ident, command, params in tr50_cloud.requests(payload):
            self.cloud.requests.append((self.thing, topic, command, params))
            entries.append((ident, tr50_cloud.fault(command, params) or self.cloud.answer(self.thing, command, params)))
        reply_topic = tr50_cloud.reply_topic(topic)
        if reply_topic and self.cloud.is_answering:
            self.say(reply_topic, tr50_cloud.reply(entries))


class Responder:
    """In a thread of its own, on free ports of loopback.

    certificate: (cert, key) of PEM: MQTT and files with TLS; is_websocket: MQTT inside of /mqtt
    files: {name: bytes}; cut_at: bytes after which a download is cut; cuts: places where one after another is
    hiccups: statuses that the next downloads get; is_vague: file.get tells neither size nor sum
    bad_names: samples that are refused with what is behind them in their batch; kept: those that are not
    firsts, lasts: the bytes of the first packet of each connection, and its last two
    """

    def __init__(self, certificate: tuple[str, str] | None = None, is_websocket: bool = False) -> None:
        self.requests: list[tuple[str, str, str, dict[str, Any]]] = []
        self.published: list[tuple[str, int, bool, str, bytes]] = []
        self.connects: list[tuple[Any, ...]] = []
        self.connections: set[Connection] = set()
        self.mails: dict[str, list[dict[str, Any]]] = {}
        self.acks: dict[str, dict[str, Any]] = {}
        self.updates: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.heads: list[str] = []
        self.relays: asyncio.Queue[Relayed] = asyncio.Queue()
        self.cut_at: int | None = None
        self.cuts: list[int] = []
        self.hiccups: list[int] = []
        self.is_vague = False
        self.bad_names: set[str] = set()
        self.kept: list[dict[str, Any]] = []
        self.firsts: list[bytes] = []
        self.lasts: list[bytes] = []
        self.crc_offset = 0
        self.post_status = 200
        self.get_status: int | None = None
        self.is_answering = True
        self.qos = 1
        self.time_ms = 1511222400000
        self._idents: dict[str, str] = {}
        self._is_websocket = is_websocket
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self.port = self.file_port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Responder":
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._do(self._over())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def begin(self) -> None:
        """Listen, on the same ports as before."""
        self._do(self._begin())

    def end(self) -> None:
        """Listen no more, and drop who is there."""
        self._do(self._end())

    def drop(self) -> None:
        """Close all connections."""
        self._do(self._dropped())

    def say(self, topic: str, payload: bytes) -> None:
        """To everybody who is connected."""
        self._do(self._said(topic, payload))

    def post(self, thing: str, method: str, params: Any = None, is_told: bool = True) -> str:
        """Id of a new mail for a thing."""
        ident = hashlib.md5(f"{method}{time.monotonic_ns()}".encode()).hexdigest()[:24]
        self.mails.setdefault(thing, []).append(tr50_cloud.mail(ident, thing, method, params))
        if is_told:
            self._do(self._said(*tr50_cloud.notification("0123", thing), thing))
        return ident

    def ack(self, ident: str) -> dict[str, Any]:
        """The outcome of a mail, when it has come; without its id."""
        found = dict(eventually(lambda: self.acks.get(ident)))
        found.pop("id")
        return found

    def do(self, thing: str, method: str, params: Any = None) -> dict[str, Any]:
        return self.ack(self.post(thing, method, params))

    def sent(self, command: str, count: int = 1) -> list[dict[str, Any]]:
        """params of all commands of a name, when there are so many."""
        def found() -> list[dict[str, Any]]:
            rows = [row[3] for row in self.requests if row[2] == command]
            return rows if len(rows) >= count else []
        return list(eventually(found))

    def samples(self, kind: str = "property", since: int = 0) -> list[dict[str, Any]]:
        """All samples that came, in their order. since: number of requests to be left out"""
        found = []
        for _, _, command, params in self.requests[since:]:
            if command.startswith(kind):
                found += tr50_cloud.samples(command, params)[1]
        return found

    def wait_connected(self, count: int = 1) -> None:
        eventually(lambda: len(self.connections) >= count, 30.0)

    # -- in the loop

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    async def _begin(self) -> None:
        for at, serve in enumerate((self._mqtt, self._http)):
            port = (self.port, self.file_port)[at]
            server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=self._context)
            self._servers.append(server)
            ports = server.sockets[0].getsockname()[1]
            self.port, self.file_port = (ports, self.file_port) if not at else (self.port, ports)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        await self._dropped()

    async def _over(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.02)

    async def _dropped(self) -> None:
        for connection in list(self.connections):
            connection.writer.transport.abort()

    async def _said(self, topic: str, payload: bytes, thing: str | None = None) -> None:
        for connection in list(self.connections):
            if thing in (None, connection.thing):
                connection.say(topic, payload)

    async def _mqtt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_websocket:
            await Connection(self, reader, writer).run()
            return
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        await _accept(head, writer, "mqtt")
        inner = asyncio.StreamReader()
        reading = asyncio.ensure_future(_unframed(reader, inner))
        await Connection(self, inner, _FramingWriter(writer)).run()      # type: ignore[arg-type]
        reading.cancel()

    def answer(self, thing: str, command: str, params: dict[str, Any]) -> dict[str, Any]:
        """The reply to one command: as recorded."""
        work = getattr(self, "_" + command.replace(".", "_"), None)
        answer: dict[str, Any] = work(thing, params) if work else tr50_cloud.success()
        return answer

    def _mailbox_check(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        return tr50_cloud.success({"messages": self.mails.get(thing, [])})

    def _mailbox_ack(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        self.mails[thing] = [mail for mail in self.mails.get(thing, []) if mail["id"] != params["id"]]
        self.acks[params["id"]] = params
        return tr50_cloud.success()

    def _mailbox_update(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        self.updates.append((params["id"], params["msg"]))
        return tr50_cloud.success()

    def _property_batch(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        for item in tr50_cloud.samples("property.batch", params)[1]:
            if item["key"] in self.bad_names:
                return tr50_cloud.failure(tr50_cloud.BAD_PARAMS, "a bad one")
            self.kept.append(item)
        return tr50_cloud.success()

    def _diag_time(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        return tr50_cloud.success({"time": self.time_ms})

    def _property_current(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        return recorded("08", "device")[0]["1"]

    def _attribute_current(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        return recorded("08", "device")[1]["1"]

    def _file_put(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        return tr50_cloud.success({"fileId": self._ident(params["fileName"])})

    def _file_get(self, thing: str, params: dict[str, Any]) -> dict[str, Any]:
        body = self.files.get(params["fileName"])
        if body is None:
            return tr50_cloud.not_found("File not found")
        if self.is_vague:
            return tr50_cloud.success({"fileId": self._ident(params["fileName"])})
        return tr50_cloud.success({"fileId": self._ident(params["fileName"]), "fileSize": len(body),
                                   "crc32": zlib.crc32(body) + self.crc_offset})

    def _ident(self, name: str) -> str:
        ident = f"{len(self._idents):024x}"
        self._idents[ident] = name
        return ident

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            if "upgrade: websocket" in head.lower():
                await _accept(head, writer)
                relayed = Relayed(reader, writer)
                self.relays.put_nowait(relayed)
                await relayed.run()
                return
            method, path, _ = head.split(" ", 2)
            name = self._idents.get(path.rpartition("/")[2])
            if method == "POST":
                length = int(re.search(r"(?i)content-length: (\d+)", head).group(1))      # type: ignore[union-attr]
                self.files[name or "?"] = await reader.readexactly(length)
                writer.write(f"HTTP/1.1 {self.post_status} X\r\nContent-Length: 0\r\n\r\n".encode())
            else:
                self._give(head, name, writer)
            await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    def _give(self, head: str, name: str | None, writer: asyncio.StreamWriter) -> None:
        status = self.hiccups.pop(0) if self.hiccups else self.get_status
        if name is None or status:
            writer.write(f"HTTP/1.1 {status or 404} X\r\nContent-Length: 0\r\n\r\n".encode())
            return
        found = re.search(r"(?i)range: bytes=(\d+)-", head)
        begin = int(found.group(1)) if found else 0
        body = self.files[name][begin:]
        writer.write(f"HTTP/1.1 {'206' if found else '200'} OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        writer.write(body[:self.cuts.pop(0) - begin if self.cuts else self.cut_at])


class Relayed:
    """The cloud's end of a relay: say() and heard() from the test's thread."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._loop = asyncio.get_running_loop()
        self.heard: list[tuple[int, bytes]] = []
        self.is_over = False

    async def run(self) -> None:
        try:
            while True:
                opcode, payload = await _frame(self._reader)
                self.heard.append((opcode, payload))
                if opcode == 8:
                    break
        except (OSError, EOFError):
            pass
        self.is_over = True

    def say(self, payload: bytes, opcode: int = 2) -> None:
        self._loop.call_soon_threadsafe(self._writer.write, _framed(payload, opcode))


def now_ms() -> int:
    return int(time.monotonic() * 1000)


async def _accept(head: str, writer: asyncio.StreamWriter, protocol: str = "") -> None:
    key = re.search(r"(?i)sec-websocket-key: (\S+)", head).group(1)      # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Accept: {digest}", *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else [])]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()


def _framed(payload: bytes, opcode: int = 2) -> bytes:
    size = len(payload)
    head = bytes((0x80 | opcode, size)) if size < 126 else bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    return head + payload


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    assert second & 128, "a client masks its frames"
    size = second & 127
    if size > 125:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(size)
    return first & 15, bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))


async def _unframed(reader: asyncio.StreamReader, inner: asyncio.StreamReader) -> None:
    try:
        while True:
            opcode, payload = await _frame(reader)
            if opcode == 8:
                break
            inner.feed_data(payload)
    except (OSError, EOFError):
        pass
    inner.feed_eof()


class _FramingWriter:
    """A StreamWriter whose every write is a frame."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.transport = writer.transport

    def write(self, data: bytes) -> None:
        for at in range(0, len(data), 65535):
            self._writer.write(_framed(data[at:at + 65535]))

    def close(self) -> None:
        self._writer.close()


__all__ = ("TOKEN", "VECTORS", "Relayed", "Responder", "eventually", "recorded", "rows", "tr50")
