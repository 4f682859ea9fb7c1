"""machine.I2S, sending only: the host lets the samples out at their rate, see toolkit/simulator/i2s.py.

As on the ports write() waits for room, and no longer does so once a poll has asked: then asyncio writes.
"""
from io import IOBase

from _vboard import ask

_POLL, _WRITABLE = 3, 4        # of py/stream.h


class I2S(IOBase):
    MONO, STEREO, RX, TX = 1, 2, 9, 10

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if mode != I2S.TX:
            raise ValueError("this board only sends by I2S")
        self._id = id
        self._is_polled = False
        ask("i2s %d %d %d %d %d %d %d %d\n" % (id, sck.id, ws.id, sd.id, bits, format, rate, ibuf))

    def write(self, data):
        sent = 0
        while sent < len(data):
            sent += ask("i2swrite %d %s\n" % (self._id, bytes(data[sent:sent + 2048]).hex()))
            if self._is_polled:
                break
        return sent

    def deinit(self):
        ask("i2soff %d\n" % self._id)

    def ioctl(self, request, argument):
        if request != _POLL:
            return 0
        self._is_polled = True
        return argument & _WRITABLE if ask("i2sroom %d\n" % self._id) else 0
