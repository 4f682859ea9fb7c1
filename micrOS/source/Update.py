"""The file service's door: the WebREPL file protocol on port 8266, beside the shell."""
import asyncio
import gc
from micropython import const

from Debug import errlog_add

_PORT = const(8266)


class FileServer:
    """Lets clients in; Transfer.py serves them, one at a time."""

    def __init__(self, modules=None, failures=None):
        self.modules = modules       # told when a load module is replaced
        self.failures = [] if failures is None else failures      # wrong passwords, those of the shell too
        self.is_busy = False

    async def run(self, host="0.0.0.0"):
        """Listen until cancelled. A taken port is an alarm, not the end of the node."""
        try:
            server = await asyncio.start_server(self._client, host, _PORT, 1)
        except OSError as error:
            errlog_add("[ERR] file service on port {}: {}".format(_PORT, error))
            return
        try:
            await server.wait_closed()
        finally:
            server.close()

    async def _client(self, reader, writer):
        try:
            gc.collect()                 # a client needs 12 KB, most of it in one go
            from Transfer import serve
            await serve(self, reader, writer)
        except MemoryError as error:
            writer.write(b"HTTP/1.1 503 not enough memory for files; restart with webrepl --update\r\n\r\n")
            errlog_add("[ERR] files: {}".format(error))
        finally:
            serve = None                 # the server's frame holds this one until the next client: not Transfer, too
            writer.close()
            await writer.wait_closed()
