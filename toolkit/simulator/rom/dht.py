"""DHT sensors of the firmware; the 40 bits come from the host."""
from _vboard import ask


class DHTBase:
    def __init__(self, pin):
        self.pin = pin
        self.buf = bytearray(5)

    def measure(self):
        self.buf[:] = ask("dht %d\n" % self.pin.id)
        if sum(self.buf[:4]) & 255 != self.buf[4]:
            raise Exception("checksum error")


class DHT11(DHTBase):
    def humidity(self):
        return self.buf[0]

    def temperature(self):
        return self.buf[2]


class DHT22(DHTBase):
    def humidity(self):
        return int.from_bytes(self.buf[:2], "big") * 0.1

    def temperature(self):
        tenths = int.from_bytes(self.buf[2:4], "big")
        return (0x8000 - tenths if tenths & 0x8000 else tenths) * 0.1
