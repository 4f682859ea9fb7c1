"""What waits to be sent to one peer: at once when there is room, else in turn, never held by a slow one."""
import asyncio

from . import ground

HOLD_S = 0.05                  # behind the answer to SERVINFO: the public client forgets what comes glued to it


class Outbox:
    """The sending half of a connection. waiting: bytes that found no room yet"""

    def __init__(self, link):
        self.link = link
        self.waiting = 0
        self.is_held = False
        self.is_closed = False
        self._parts = []
        self._flusher = None
        self._gathered = None            # bytearray between gather() and let_go()

    def gather(self):
        """What is sent from now on may wait for let_go(), up to as much as is read at once."""
        if self._gathered is None:
            self._gathered = bytearray()

    def let_go(self):
        """Send what was gathered in one piece."""
        gathered, self._gathered = self._gathered, None
        if gathered:
            self.send(gathered)

    def send(self, data):
        """False when the connection is gone."""
        if self.is_closed:
            return False
        if self._gathered is not None:
            if len(self._gathered) + len(data) <= ground.READ_BYTES:
                self._gathered += data
                return True
            self.let_go()
        if not self._parts and not self.is_held:
            try:
                taken = self.link.send(data)
            except OSError:
                self.is_closed = True
                return False
            if taken == len(data):
                return True
            data = data[taken:]
        self._parts.append(data)
        self.waiting += len(data)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return True

    async def drained(self):
        """Nothing waits any more, or the connection is gone."""
        if self._flusher:
            await self._flusher

    def close(self):
        self.is_closed = True
        if self._flusher:
            self._flusher.cancel()
            self._flusher = None
        self.link.close()

    async def _flush(self):
        if self.is_held:
            await asyncio.sleep(HOLD_S)
            self.is_held = False
        try:
            while self._parts:
                await self.link.writable()
                part = self._parts[0]
                taken = self.link.send(part)
                self.waiting -= taken
                if taken == len(part):
                    self._parts.pop(0)
                else:
                    self._parts[0] = part[taken:]
        except OSError:
            self.is_closed = True
        self._flusher = None
