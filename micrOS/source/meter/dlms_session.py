"""One conversation with a DLMS meter: questions and answers of an open association, and its end."""
import gc

from pure.cosem import target


class Session:
    """client: cosem_client.Client, or Writer; line: it is open"""

    def __init__(self, line, client):
        self.client = client
        self.pace = None                     # coroutine function, awaited before each further block
        self._line = line

    async def ask(self, apdu):
        """Result of a question. Raises OSError, ValueError."""
        try:
            await answered(self.client, self._line, apdu, self.pace)
        except OSError:
            self.client.lost()
            raise
        return self.client.result

    async def get(self, class_id, code, number, chosen=b"\0", sink=None):
        return await self.ask(self.client.get(target(class_id, code, number), chosen, sink))

    async def release(self):
        self.pace = None
        if self.client.state in ("on", "broken"):
            await self.ask(self.client.release())


async def answered(asker, line, apdu, pace=None):
    """Send what the asker says until it says no more. Raises OSError, ValueError."""
    while apdu:
        apdu = asker.take(await line.exchange(apdu))
        gc.collect()                         # garbage between live octets leaves no room for the next answer
        if pace:
            await pace()


async def closed(line, session):
    """Say goodbye as far as the meter listens. Never raises: what was read has been read."""
    try:
        for leave in (session.release if session else None, line.close):
            try:
                if leave:
                    await leave()
            except (OSError, ValueError):
                pass
    finally:
        line.drop()
