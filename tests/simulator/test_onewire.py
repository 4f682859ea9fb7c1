"""Sensors on a single wire: the DS18B20 model slot by slot; on it the firmware's drivers, and those of other people."""
import ast
import sys
from collections import deque
from types import SimpleNamespace

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.models import sensors
from toolkit.simulator.onewire import SingleWires, crc8, rom_of

PIN = 19
SKIP_ROM, SEARCH_ROM, READ_ROM, MATCH_ROM = 0xCC, 0xF0, 0x33, 0x55
CONVERT, WRITE, READ, COPY, RECALL, READ_POWER = 0x44, 0x4E, 0xBE, 0x48, 0xB8, 0xB4
TEMPERATURES = (               # DS18B20 datasheet, table 1
    (125, 0x07D0), (85, 0x0550), (25.0625, 0x0191), (10.125, 0x00A2), (0.5, 0x0008), (0, 0x0000), (-0.5, 0xFFF8),
    (-10.125, 0xFF5E), (-25.0625, 0xFE6F), (-55, 0xFC90),
)


class Master:
    """Speaks with a bus as a driver does; its clock is turned by hand."""

    def __init__(self):
        self.now_s = 100.0
        self.shorted = set()
        self.wires = SingleWires("esp32", lambda pin: pin in self.shorted, lambda: self.now_s)

    def chip(self, serial=1, **facts):
        chip = self.wires.thermometer(PIN, serial)
        for key, value in facts.items():
            setattr(chip, key, value)
        return chip

    def start(self, *sent):
        """A reset, and bytes."""
        present = self.wires.presence(PIN)
        for byte in sent:
            self.wires.slots(PIN, 8, byte)
        return present

    def read(self, count):
        return bytes(self.wires.slots(PIN, 8, 0xFF) for _ in range(count))

    def bit(self):
        return self.wires.slots(PIN, 1, 1)

    def scratchpad(self):
        self.start(SKIP_ROM, READ)
        return self.read(9)

    def convert(self, wait_s=0.75):
        self.start(SKIP_ROM, CONVERT)
        self.now_s += wait_s
        return self.scratchpad()


@pytest.fixture
def master():
    return Master()


def test_the_checksum_is_that_of_application_note_27():
    assert crc8(bytes.fromhex("021cb801000000")) == 0xA2
    assert crc8(bytes.fromhex("021cb801000000a2")) == 0
    assert rom_of(0x1234)[:3] == b"\x28\x34\x12" and crc8(rom_of(0x1234)) == 0


def test_after_power_up_it_tells_85_degrees(master):
    master.chip()
    assert master.scratchpad()[:8] == bytes.fromhex("50054b467fff0c10")       # datasheet, figure 9


@pytest.mark.parametrize(("temp", "register"), TEMPERATURES)
def test_a_conversion_gives_the_register_of_the_datasheet(master, temp, register):
    master.chip(temp=temp)
    told = master.convert()
    assert int.from_bytes(told[:2], "little") == register and crc8(told) == 0


def test_a_conversion_takes_750_ms_and_can_be_watched(master):
    master.chip(temp=10)
    master.start(SKIP_ROM, CONVERT)
    assert [master.bit() for _ in range(3)] == [0, 0, 0]
    master.now_s += 0.74
    assert master.bit() == 0
    master.now_s += 0.01
    assert master.bit() == 1
    assert master.convert(0.1)[:2] == bytes.fromhex("a000")                   # too early: the one before


def test_fewer_bits_are_faster_and_coarser(master):
    master.chip(temp=10.6875)
    master.start(SKIP_ROM, WRITE, 0x11, 0x22, 0x1F)                           # table 2: 9 bits
    told = master.convert(0.094)
    assert told[:5] == bytes.fromhex("a80011221f")                            # 10.5


def test_registers_are_kept_when_they_were_copied(master):
    chip = master.chip()
    master.start(SKIP_ROM, WRITE, 1, 2, 0xFF)
    assert master.scratchpad()[2:5] == b"\x01\x02\x7f"                        # only R1 and R0 can be written
    master.start(SKIP_ROM, RECALL)
    assert master.scratchpad()[2:4] == b"\x4b\x46"
    master.start(SKIP_ROM, WRITE, 1, 2, 0x3F)
    master.start(SKIP_ROM, COPY)
    chip.fault = "unplugged"
    assert master.start() == 0
    chip.fault = ""
    assert master.scratchpad()[:5] == bytes.fromhex("500501023f")


def test_commands_concern_the_one_that_is_called(master):
    first, second = master.chip(1, temp=1), master.chip(2, temp=2)
    master.convert()
    for chip, register in ((first, 16), (second, 32)):
        master.start(MATCH_ROM, *chip.rom, READ)
        assert master.read(2)[0] == register
    master.start(MATCH_ROM, *rom_of(3), READ)
    assert master.read(2) == b"\xff\xff"


def test_one_alone_tells_its_rom(master):
    chip = master.chip(77)
    master.start(READ_ROM)
    assert master.read(8) == chip.rom


def test_a_parasite_says_so_and_does_not_convert(master):
    master.chip(1)
    master.start(SKIP_ROM, READ_POWER)
    assert master.bit() == 1
    master.chip(2, is_parasite=True, temp=20)
    master.start(SKIP_ROM, READ_POWER)
    assert master.bit() == 0
    master.convert()
    master.start(MATCH_ROM, *rom_of(2), READ)
    assert master.read(2) == bytes.fromhex("5005")


def test_faults_are_those_that_happen(master):
    chip = master.chip(temp=20)
    master.convert()
    chip.fault = "noisy"
    assert crc8(master.scratchpad()) != 0
    chip.fault = "dead"
    assert master.scratchpad() == bytes(9)
    chip.fault = ""
    assert crc8(master.scratchpad()) == 0
    master.shorted.add(PIN)
    assert master.start() == 1 and master.read(2) == b"\0\0"


def test_an_empty_bus_is_high(master):
    assert master.start(SKIP_ROM, READ) == 0 and master.read(2) == b"\xff\xff"


# -- drivers of other people

ADAFRUIT = "needs the adafruit-circuitpython drivers: pip install -e .[dev]"


@pytest.fixture
def thermometers(master, monkeypatch):
    """The CircuitPython driver on this bus: (OneWireBus, module adafruit_ds18x20)."""
    class OneWire:
        """onewireio.OneWire. As documented there, reset() is True when nobody is present."""

        def __init__(self, pin):
            self._pin = pin

        def reset(self):
            return not master.wires.presence(self._pin)

        def read_bit(self):
            return master.wires.slots(self._pin, 1, 1)

        def write_bit(self, bit):
            master.wires.slots(self._pin, 1, bit)

    def passing():
        master.now_s += 0.01
        return master.now_s

    fake = SimpleNamespace(OneWire=OneWire)
    monkeypatch.setitem(sys.modules, "onewireio", fake)
    driver = pytest.importorskip("adafruit_ds18x20", reason=ADAFRUIT)
    from adafruit_onewire import bus
    monkeypatch.setattr(bus, "onewireio", fake)
    monkeypatch.setattr(driver, "time", SimpleNamespace(monotonic=passing))       # it polls without a pause
    return bus.OneWireBus(PIN), driver


def test_a_foreign_driver_finds_and_reads_thermometers(master, thermometers):
    bus, driver = thermometers
    assert bus.scan() == []
    chips = {master.chip(serial, temp=temp).rom: temp
             for serial, (temp, _) in zip((1, 2, 3, 0x80, 2**47, 2**48 - 1), TEMPERATURES[2:], strict=False)}
    found = bus.scan()
    assert {bytes(address.rom) for address in found} == set(chips)
    assert not any(bus.crc8(address.rom) for address in found)
    told = {bytes(address.rom): driver.DS18X20(bus, address).temperature for address in found}
    assert told == chips


def test_a_foreign_driver_sets_the_resolution(master, thermometers):
    bus, driver = thermometers
    master.chip(temp=10.6875)
    sensor = driver.DS18X20(bus, bus.scan()[0])
    assert (sensor.resolution, sensor.temperature) == (12, 10.6875)
    sensor.resolution = 9
    before = master.now_s
    assert (sensor.resolution, sensor.temperature) == (9, 10.5)                   # table 2: half degrees, 94 ms
    assert 0.09 < master.now_s - before < 0.2


def test_a_foreign_driver_notices_the_faults(master, thermometers):
    bus, driver = thermometers
    chip = master.chip(temp=20)
    sensor = driver.DS18X20(bus, bus.scan()[0])
    chip.fault = "noisy"
    with pytest.raises(RuntimeError, match="CRC error"):
        _ = sensor.temperature
    chip.fault = "unplugged"
    assert bus.scan() == [] and not bus.reset()
    chip.fault = ""
    assert sensor.temperature == 20


@pytest.fixture
def dht_driver(monkeypatch):
    """Function (kind, frame) -> the CircuitPython driver of a DHT that answers so; None: it is silent."""
    class PulseIn:
        """pulseio.PulseIn: the widths in us of what a DHT sends, low and high in turns, from its first bit on.

        AM2302 datasheet, section 7: 50 us low before each bit, 26 us high for a 0, 70 for a 1.
        """

        frame = None

        def __init__(self, pin, maxlen, idle_state):
            self._pulses = deque(maxlen=maxlen)

        def resume(self, trigger_us):
            for byte in self.frame or b"":
                for at in range(7, -1, -1):
                    self._pulses += (50, 70 if byte >> at & 1 else 26)
            self._pulses += (50,) if self.frame else ()

        def pause(self):
            pass

        def clear(self):
            self._pulses.clear()

        def popleft(self):
            return self._pulses.popleft()

        def __len__(self):
            return len(self._pulses)

    monkeypatch.setitem(sys.modules, "digitalio", SimpleNamespace(DigitalInOut=None, Direction=None, Pull=None))
    monkeypatch.setitem(sys.modules, "pulseio", SimpleNamespace(PulseIn=PulseIn))
    driver = pytest.importorskip("adafruit_dht", reason=ADAFRUIT)
    monkeypatch.setattr(driver, "PulseIn", PulseIn, raising=False)
    monkeypatch.setattr(driver, "time", SimpleNamespace(sleep=lambda seconds: None, monotonic=lambda: 9.0))

    def made(kind, frame):
        sensor = getattr(driver, kind)(None, use_pulseio=True)
        sensor.pulse_in.frame = frame and bytes.fromhex(frame)
        return sensor

    return made


@pytest.mark.parametrize(("kind", "climates"), [
    ("DHT22", ((35.1, 65.2), (-10.1, 1.5), (0, 99.9), (80, 50))), ("DHT11", ((24, 53), (1, 99), (50, 20)))])
def test_a_foreign_driver_reads_the_frames_of_a_dht(board, dht_driver, kind, climates):
    model = getattr(sensors, kind.title())(board, 33)
    for temp, humidity in climates:
        model.feel(temp, humidity)
        told = dht_driver(kind, board.ask("dht", pin=33)["frame"])
        assert (told.temperature, told.humidity) == (temp, humidity)
    model.corrupt()
    with pytest.raises(RuntimeError, match="Checksum did not validate"):
        dht_driver(kind, board.ask("dht", pin=33)["frame"]).measure()
    model.unplug()
    with pytest.raises(RuntimeError, match="not found"):
        dht_driver(kind, board.ask("dht", pin=33)["frame"]).measure()


# -- the drivers of the firmware

IDLE = "import time\nwhile True: time.sleep(9)\n"
SCAN = """
from machine import Pin
from onewire import OneWire
from ds18x20 import DS18X20
from time import sleep_ms
ds = DS18X20(OneWire(Pin(19)))
roms = ds.scan()
"""


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(main=IDLE) as board:
        yield board


def plug(board, serial, **facts):
    return board.ask("onewire", pin=PIN, serial=serial, **facts)["rom"]


def test_a_search_finds_all_of_many(board):
    serials = (1, 2, 3, 0x80, 0xFF00FF, 2**47, 2**48 - 1, 0x123456789ABC)
    roms = {plug(board, serial, temp=serial % 100) for serial in serials}
    assert set(board.run(SCAN + "print(*[rom.hex() for rom in roms])").split()) == roms
    read = "ds.convert_temp()\nsleep_ms(760)\nprint({rom.hex(): ds.read_temp(rom) for rom in roms})"
    told = ast.literal_eval(board.run(SCAN + read))
    assert told == {rom_of(serial).hex(): serial % 100 for serial in serials}
    for serial in serials:
        plug(board, serial, fault="unplugged")
    assert board.run(SCAN + "print(roms, ds.ow.reset())") == "[] False\n"


def test_drivers_tell_what_went_wrong(board):
    rom = plug(board, 5, fault="noisy")
    code = SCAN + "try:\n    ds.read_temp(rom)\nexcept Exception as error:\n    print(type(error).__name__, error)"
    code = code.replace("ds.read_temp(rom)", f"ds.read_temp(bytes.fromhex('{rom}'))")
    assert board.run(code) == "Exception CRC error\n"
    plug(board, 5, fault="unplugged")
    assert board.run(code) == "OneWireError \n"


DHT = "import dht\nfrom machine import Pin\nd = dht.{}(Pin(33))\nd.measure()\nprint(d.temperature(), d.humidity())"


def test_frames_of_the_datasheet_are_read(board):
    for kind, frame, told in (
            ("DHT22", "028c015fee", (35.1, 65.2)), ("DHT22", "028c806573", (-10.1, 65.2)),      # AM2302, section 7
            ("DHT11", "3500180451", (24, 53))):                                                 # DHT11, section 5
        board.ask("dht", pin=33, frame=frame)
        values = [float(value) for value in board.run(DHT.format(kind)).split()]
        assert values == pytest.approx(told)


def test_a_silent_or_garbled_dht_raises(board):
    board.ask("dht", pin=33, frame="028c015f00")
    with pytest.raises(SimulatorError, match="checksum error"):
        board.run(DHT.format("DHT22"))
    board.ask("dht", pin=33, frame=None)
    with pytest.raises(SimulatorError, match="OSError: 116"):
        board.run(DHT.format("DHT22"))
    assert board.ask("dht", pin=33) == {"frame": None, "asked": 5}


def test_a_fault_that_there_is_not_is_refused(board):
    with pytest.raises(SimulatorError, match="fault is one of"):
        plug(board, 1, fault="tired")
