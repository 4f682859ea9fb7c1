"""The file service's door: the WebREPL file protocol on port 8266, beside the shell."""
import asyncio
import gc
from micropython import const

from Debug import errlog_add, trace
from pure.lazy import unload

_PORT = const(8266)


class FileServer:
    """Serves one client at a time."""

    def __init__(self, modules=None):
        self._modules = modules
        self._busy = False

    async def run(self, host="0.0.0.0"):
        """Listen until cancelled. A taken port is an alarm, not the end of the node."""
        try:
            server = await asyncio.start_server(self._client, host, _PORT, 1)
        except OSError as error:
            errlog_add("[ERR] file service on port {}: {}".format(_PORT, error))
            return
        await server.wait_closed()

    async def _serve(self, reader, writer):
        from Transfer import Client
        self._busy = True
        try:
            await Client(reader, writer, self._modules).serve()
        finally:
            self._busy = False
            unload("Transfer", "pure.webrepl")
            gc.collect()

    async def _client(self, reader, writer):
        try:
            if self._busy:
                writer.write(b"HTTP/1.1 503 another client is sending files\r\n\r\n")
            else:
                await self._serve(reader, writer)
        except (EOFError, OSError, asyncio.TimeoutError):
            pass                         # the client left; what it had not finished is gone
        except Exception as error:       # outer wall: a broken client must not end the service
            trace(error)
            errlog_add("files: {}".format(error))
        finally:
            writer.close()
            await writer.wait_closed()
