"""machine.I2C and SoftI2C: bytes to and from the chip models on the host."""
from _vboard import ask


class I2C:
    def __init__(self, id=-1, scl=None, sda=None, *, freq=400000, timeout=50000):
        self._wires = "%d %d" % (-1 if scl is None else scl.id, -1 if sda is None else sda.id)

    init = __init__

    def deinit(self):
        pass

    def _transfer(self, address, data, count):
        return ask("i2c %s %d %d %s\n" % (self._wires, address, count, data.hex()))

    def scan(self):
        return list(ask("scan\n"))

    def writeto(self, address, data, stop=True):
        data = bytes(data)
        self._transfer(address, data, 0)
        return len(data) + 1

    def writevto(self, address, vector, stop=True):
        return self.writeto(address, b"".join(vector))

    def readfrom(self, address, count, stop=True):
        return bytes(self._transfer(address, b"", count))

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self._transfer(address, b"", len(buffer))

    def readfrom_mem(self, address, register, count, *, addrsize=8):
        return bytes(self._transfer(address, register.to_bytes(addrsize // 8, "big"), count))

    def readfrom_mem_into(self, address, register, buffer, *, addrsize=8):
        buffer[:] = self.readfrom_mem(address, register, len(buffer), addrsize=addrsize)

    def writeto_mem(self, address, register, data, *, addrsize=8):
        self._transfer(address, register.to_bytes(addrsize // 8, "big") + bytes(data), 0)


class SoftI2C(I2C):
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        super().__init__(-1, scl, sda)
