"""A gate between things and a port of the cloud, that tests may shut, make deaf, or have cut an answer."""
import asyncio
import ssl
import threading

from micrOS.source.pure import mqtt, mqtt_server

WAIT_S = 20
PIECE_BYTES = 4096


class Gate:
    """At `port` of an address, before another port of it.

    said      what each connection has brought for the cloud, in their order, bytes
    cut_at    bytes after which the next long answer ends, with its connection
    is_deaf   what the cloud says does not get through
    Raises OSError where its port may not be had.
    """

    def __init__(self, behind, address="127.0.0.1", port=0, certificate=None):
        """behind: port of the cloud; certificate: (cert, key) for TLS on both sides"""
        self.said = []
        self.cut_at = None
        self.is_deaf = False
        self._is_shut = False
        self._behind, self._address, self._certificate = behind, address, certificate
        self._guests = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._server = self._do(self._begin(port))
        except BaseException:
            self._end()
            raise
        self.port = self._server.sockets[0].getsockname()[1]

    def shut(self):
        """Nobody is connected any more when this returns, and whoever comes is sent away."""
        self._is_shut = True
        self._do(self._empty())

    def open(self):
        self.is_deaf = self._is_shut = False

    def published(self):
        """list of (number of the connection, topic, is_dup) of what came in MQTT"""
        found = []
        for number, data in enumerate(list(self.said)):
            packets = mqtt.Receiver(mqtt_server.SERVER, 1 << 24).feed(bytes(data))
            found += [(number, row[1], row[5]) for row in packets if row[0] == mqtt.PUBLISH]
        return found

    def replayed(self):
        """Topics that came on one connection, and marked as a replay on a later one."""
        rows = self.published()
        return {topic for number, topic, is_dup in rows if is_dup
                and any(other < number and told == topic for other, told, _ in rows)}

    def close(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._do(self._empty())
        self._end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    def _end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    async def _begin(self, port):
        context = None
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
        return await asyncio.start_server(self._come, self._address, port, ssl=context)

    async def _empty(self):
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)

    async def _come(self, reader, writer):
        guest = asyncio.current_task()
        self._guests.add(guest)
        try:
            if not self._is_shut:
                await self._joined(reader, writer)
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._guests.discard(guest)
            writer.transport.abort()

    async def _joined(self, reader, writer):
        context = ssl.create_default_context(cafile=str(self._certificate[0])) if self._certificate else None
        far_reader, far = await asyncio.open_connection(
            self._address, self._behind, ssl=context, server_hostname=self._address if context else None)
        said = bytearray()
        self.said.append(said)
        ways = [asyncio.ensure_future(self._pump(reader, far, said)),
                asyncio.ensure_future(self._pump(far_reader, writer, None))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far.close()
            if not self._is_shut:
                await asyncio.wait([asyncio.ensure_future(_emptied(writer))], timeout=5)

    async def _pump(self, reader, writer, said):
        """said: where to write down what comes, None for answers"""
        passed = 0
        while data := await reader.read(PIECE_BYTES):
            passed += len(data)
            if said is not None:
                said += data
            elif self.is_deaf:
                continue
            elif self.cut_at is not None and passed > self.cut_at:
                self.cut_at = None
                return
            writer.write(data)
            await writer.drain()


async def _emptied(writer):
    """What was written goes out before the connection ends."""
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
