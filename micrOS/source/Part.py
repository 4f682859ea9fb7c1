"""A chip on the I2C bus at pins `i2c_scl` and `i2c_sda`: one that fails is named in one line, and an alarm once."""
from machine import Pin, SoftI2C

from Inputs import Input, InputError
from LogicalPins import physical_pins

WIRES = ("i2c_scl", "i2c_sda")
_NO_ANSWER = "no answer; is it plugged in, and has it power?"


class Part(Input):
    """One chip, at one address or at the one of several where identify() finds it. Raises PinError without the pins.

    SoftI2C: any pins of any board, and it can be made anew on the wires that other chips and LM_i2c use.
    """

    def __init__(self, name, *addresses):     # not that of Input: two pins, which the parts of the bus share
        self.name = name
        self._addresses = self._at = addresses       # _at: where it is, as far as is known
        self._alarm = None
        self._numbers = physical_pins(WIRES)
        self._wires = [Pin(number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1) for number in self._numbers]
        self._bus = SoftI2C(scl=self._wires[0], sda=self._wires[1], freq=400000)

    def error(self, why):
        return InputError("{} at {} (i2c_scl {}, i2c_sda {}): {}".format(
            self.name, " or ".join(["0x{:02x}".format(at) for at in self._at]), *self._numbers, why))

    def identify(self, register, expected):
        """Go to the first of its addresses where these bytes stand in a register. Raises InputError."""
        self._at, why = self._addresses, _NO_ANSWER
        self._check_wires()
        for address in self._addresses:
            try:
                found = self._bus.readfrom_mem(address, register, len(expected))
            except OSError:
                continue
            if found == expected:
                self._at = (address,)
                return
            if why == _NO_ANSWER:            # of several the first is told of
                self._at = (address,)
                why = "identity {}; a {} has {}".format(found.hex(), self.name, expected.hex())
        raise self.failure(why)

    def read(self, register, count):
        """Bytes from a register on. Raises InputError."""
        return self._talk(self._bus.readfrom_mem, register, count)

    def write(self, register, *values):
        """Bytes into a register. Raises InputError."""
        self._talk(self._bus.writeto_mem, register, bytes(values))

    def send(self, data):
        """Bytes as they are. Raises InputError."""
        self._talk(self._bus.writeto, data)

    def _talk(self, transfer, *args):
        self._check_wires()
        try:
            return transfer(self._at[0], *args)
        except OSError:
            raise self.failure(_NO_ANSWER)

    def _check_wires(self):
        for name, wire in zip(WIRES, self._wires):
            # a low data line looks like an answer of zeros to whatever is asked
            if not wire.value():
                raise self.failure("{} is held low; a chip hangs, or it is shorted".format(name))
