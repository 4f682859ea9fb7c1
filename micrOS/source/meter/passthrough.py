"""The meter's 0x2100 frames to a TCP server, and what that says back to the meter, in order, each frame once."""
from meter.link import Link, tcp


class Passthrough:
    """to_meter: coroutine function(data), False when it is lost; tell: function(topic, message)

    up_frames, down_pieces: what was handed on; up_lost, down_lost: what came while the other side was not there
    """

    def __init__(self, host, port, to_meter, tell):
        self.link = Link("{}:{}".format(host, port), tcp(host, port), self._down, self._told)
        self.up_frames = self.up_lost = self.down_pieces = self.down_lost = 0
        self._to_meter = to_meter
        self._tell = tell

    async def up(self, data):
        """Bytes of one frame. They wait while the server is slow; without one they are lost, and counted."""
        if await self.link.send(data):
            self.up_frames += 1
        else:
            self.up_lost += 1

    async def _down(self, data):
        if await self._to_meter(data):
            self.down_pieces += 1
        else:
            self.down_lost += 1

    def _told(self, is_up, why):
        self._tell("meter.link", why)
