"""Chip models on I2C: what their datasheets say, and what drivers of other people read from them."""
import io

import pytest

from toolkit.simulator.chips import MODELS
from toolkit.simulator.chips.png import DARK, LIT, png
from toolkit.simulator.errors import BoardFault
from toolkit.simulator.i2c import ENODEV, ETIMEDOUT, I2cBus

ADAFRUIT = "needs the adafruit-circuitpython drivers: pip install -e .[dev]"


class Bench:
    """A bus with one chip, and a clock that is turned by hand."""

    def __init__(self, model, address):
        self.now_s = 100.0
        self.address = address
        self.chip = MODELS[model](lambda: self.now_s)
        self.bus = I2cBus({address: self.chip})
        self.now_s += 0.1                             # the chip has started

    def sleep(self, seconds):
        self.now_s += seconds

    def passing(self):
        """A clock that goes on while it is looked at, for who polls without a pause."""
        self.now_s += 0.001
        return self.now_s

    def write(self, *values):
        self.bus.talk(self.address, bytes(values), 0)

    def read(self, register, count=1):
        data = self.bus.talk(self.address, bytes((register,)), count)
        return data[0] if count == 1 else data

    def errno(self, *values):
        with pytest.raises(BoardFault) as refused:
            self.write(*values)
        return refused.value.reason


class CircuitPythonBus:
    """busio.I2C of CircuitPython, straight on a bus of the virtual board."""

    def __init__(self, bench):
        self._bus = bench.bus

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, buffer, *, start=0, end=None):
        self._talk(address, bytes(buffer[start:end]), 0)

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        buffer[start:end] = self._talk(address, b"", len(buffer[start:end]))

    def writeto_then_readfrom(self, address, out_buffer, in_buffer, *, out_start=0, out_end=None, in_start=0,
                              in_end=None):
        data = bytes(out_buffer[out_start:out_end])
        in_buffer[in_start:in_end] = self._talk(address, data, len(in_buffer[in_start:in_end]))

    def _talk(self, address, data, count):
        try:
            return self._bus.talk(address, data, count)
        except BoardFault as fault:
            raise OSError(fault.reason) from None


# -- any chip

def test_faults_of_a_chip_and_of_its_wires():
    bench = Bench("bme280", 0x76)
    assert bench.bus.scan() == b"\x76" and bench.read(0xD0) == 0x60
    for fault, data in (("zeros", b"\0\0"), ("ones", b"\xff\xff")):
        bench.chip.be({"fault": fault})
        assert bench.read(0xD0, 2) == data
    bench.chip.be({"fault": "held"})
    assert bench.errno(0xD0) == ETIMEDOUT
    bench.chip.be({"fault": "unplugged"})
    assert bench.errno(0xD0) == ENODEV and bench.bus.scan() == b""
    bench.chip.be({"fault": ""})
    assert bench.errno(0xD0) == ENODEV                # it has just got power, and starts
    bench.now_s += 0.01
    bench.bus.is_low = {21}.__contains__
    assert bench.bus.transfer(22, 21, 0x76, 2, b"\xd0") == b"\0\0"
    with pytest.raises(BoardFault):
        bench.bus.transfer(21, 22, 0x76, 2, b"\xd0")


def test_power_comes_back_to_all_chips_at_once():
    bench = Bench("bme280", 0x76)
    bench.write(0xF2, 3)
    bench.bus.power_up()
    bench.now_s += 0.01
    assert bench.read(0xF2) == 0


def test_a_model_refuses_facts_that_it_does_not_have():
    chip = Bench("bme280", 0x76).chip
    with pytest.raises(ValueError, match="a bme280 has .*, not colour"):
        chip.be({"colour": 1, "temp": 5})
    with pytest.raises(ValueError, match="fault is one of"):
        chip.be({"fault": "tired"})
    assert chip.temp == 20.0


# -- BME280 (BST-BME280-DS002)

@pytest.fixture
def bme():
    return Bench("bme280", 0x76)


FORCE_ALL = 0x25


def measured(bench, humidity=1, control=FORCE_ALL):
    """(pressure, temperature, humidity) as they stand in the registers."""
    bench.write(0xF2, humidity)
    bench.write(0xF4, control)
    bench.now_s += 0.2
    data = bench.read(0xF7, 8)
    return int.from_bytes(data[:3], "big") >> 4, int.from_bytes(data[3:6], "big") >> 4, int.from_bytes(data[6:], "big")


def test_after_power_on_it_sleeps_and_has_measured_nothing(bme):
    assert bme.read(0xF7, 8) == bytes.fromhex("8000008000008000")             # table 18, reset state
    assert [bme.read(register) for register in (0xF2, 0xF3, 0xF4, 0xF5)] == [0, 0, 0, 0]


def test_it_starts_for_2_ms(bme):
    bme.write(0xE0, 0xB6)
    assert bme.errno(0xD0) == ENODEV
    bme.now_s += 0.0021
    assert bme.read(0xD0) == 0x60


def test_only_b6_resets(bme):
    bme.write(0xF2, 3)
    bme.write(0xE0, 0xB7)
    assert bme.read(0xF2) == 3
    bme.write(0xE0, 0xB6)
    bme.now_s += 0.003
    assert bme.read(0xF2) == 0


def test_the_example_of_the_datasheet_comes_out_of_its_registers(bme):
    bme.chip.be({"temp": 25.0825, "pressure": 1006.5327, "humidity": 50})     # BST-BMP280-DS001, 3.12
    pressure, temperature, _ = measured(bme, 5, 0xB5)                         # 16 samples: 20 bits
    assert abs(pressure - 415148) <= 2 and abs(temperature - 519888) <= 2


def test_one_sample_has_16_bits_and_each_doubling_one_more(bme):
    bme.chip.be({"temp": 25.0825, "pressure": 1006.5327})
    for samples in range(1, 6):
        for value in measured(bme, 1, samples << 5 | samples << 2 | 1)[:2]:
            assert value % (1 << (5 - samples)) == 0
    bme.write(0xF5, 1 << 2)                                                   # with the filter always 20
    bme.chip.be({"temp": 25.0833})
    assert measured(bme)[1] % 4                                               # the coarsest has 16, see above


def test_what_is_skipped_shows_its_reset_value(bme):
    assert measured(bme, 0)[2] == 0x8000
    assert measured(bme, 1, 0x21)[0] == 0x80000
    assert measured(bme, 1, 0x05)[1] == 0x80000


def test_humidity_control_counts_with_the_next_write_of_the_other(bme):
    assert measured(bme, 0)[2] == 0x8000
    bme.write(0xF4, 0x25)
    bme.write(0xF2, 1)                                                        # too late for that one
    bme.now_s += 0.2
    assert bme.read(0xFD, 2) == b"\x80\x00"
    assert measured(bme, 1)[2] != 0x8000


def test_a_forced_measurement_takes_its_time_and_ends_in_sleep(bme):
    bme.write(0xF2, 1)
    bme.write(0xF4, FORCE_ALL)
    assert bme.read(0xF3) == 8 and bme.read(0xF4) & 3 == 1
    bme.now_s += 0.0092
    assert bme.read(0xF3) == 8 and bme.read(0xF7, 3) == b"\x80\0\0"
    bme.now_s += 0.0002                                                       # 9.3 ms: 9.1
    assert bme.read(0xF3) == 0 and bme.read(0xF4) & 3 == 0 and bme.read(0xF7, 3) != b"\x80\0\0"


def test_normal_mode_goes_on_and_keeps_its_config(bme):
    bme.write(0xF5, 5 << 5)                                                   # 1 s between two
    bme.write(0xF2, 1)
    bme.write(0xF4, 0x27)
    bme.write(0xF5, 0)                                                        # is ignored now
    assert bme.read(0xF5) == 5 << 5
    bme.now_s += 0.01
    first = bme.read(0xFA, 3)
    bme.chip.be({"temp": 60})
    bme.now_s += 0.9
    assert bme.read(0xFA, 3) == first and bme.read(0xF3) == 0
    bme.now_s += 0.2
    assert bme.read(0xFA, 3) != first


def test_the_filter_approaches_a_new_value(bme):
    bme.write(0xF5, 2 << 2)                                                   # 4
    bme.chip.be({"temp": 20})
    start = measured(bme)[1]
    assert measured(bme)[1] == start
    bme.chip.be({"temp": 40})
    step = measured(bme)[1] - start
    assert measured(bme)[1] - start == pytest.approx(step * 1.75, rel=0.001)  # 1 - 0.75 ** 2
    for _ in range(40):
        last = measured(bme)[1]
    assert last - start == pytest.approx(4 * step, rel=0.001)


def test_writing_takes_pairs_and_reading_goes_on(bme):
    bme.write(0xF2, 1, 0xF4, 0x24, 0xF5, 0x10)
    assert bme.read(0xF2, 4) == bytes((1, 0, 0x24, 0x10))
    bme.write(0xD0, 0x11)
    assert bme.read(0xD0) == 0x60


CLIMATES = ((25.08, 50, 1006.53), (-20, 20, 700), (0, 95, 1013.25), (60, 10, 1090), (37, 60, 950))


@pytest.mark.parametrize(("temp", "humidity", "pressure"), CLIMATES)
def test_a_foreign_driver_reads_the_bme280(monkeypatch, temp, humidity, pressure):
    basic = pytest.importorskip("adafruit_bme280.basic", reason=ADAFRUIT)
    bench = Bench("bme280", 0x77)
    monkeypatch.setattr(basic, "sleep", bench.sleep)
    bench.chip.be({"temp": temp, "humidity": humidity, "pressure": pressure})
    sensor = basic.Adafruit_BME280_I2C(CircuitPythonBus(bench))
    sensor.overscan_temperature = sensor.overscan_pressure = 5
    assert sensor.temperature == pytest.approx(temp, abs=0.01)
    assert sensor.pressure == pytest.approx(pressure, abs=0.05)
    assert sensor.humidity == pytest.approx(humidity, abs=0.05)


def test_a_foreign_driver_finds_a_wrong_or_missing_bme280(monkeypatch):
    basic = pytest.importorskip("adafruit_bme280.basic", reason=ADAFRUIT)
    bench = Bench("bme280", 0x77)
    bench.chip.be({"id": 0x58})
    with pytest.raises(RuntimeError, match="0x58"):
        basic.Adafruit_BME280_I2C(CircuitPythonBus(bench))
    bench.chip.be({"fault": "unplugged"})
    with pytest.raises(ValueError, match="No I2C device at address: 0x77"):
        basic.Adafruit_BME280_I2C(CircuitPythonBus(bench))


# -- SSD1306 (rev 1.1) and SH1106 (v2.3)

UPRIGHT = (0xA1, 0xC8)
OLEDS = ("ssd1306", "sh1106")


class Glass(Bench):
    """A display that is on, upright and empty."""

    def __init__(self, model):
        super().__init__(model, 0x3C)
        self.edge = 2 if model == "sh1106" else 0
        self.command(*UPRIGHT, 0xAF, *((0xAD, 0x8B) if self.edge else (0x8D, 0x14)))
        for page in range(8):
            self.put(page, 0, *[0] * 128)

    def command(self, *codes):
        self.write(0x00, *codes)

    def data(self, *values):
        self.write(0x40, *values)

    def put(self, page, column, *values):
        """By page, which both understand."""
        at = column + self.edge
        self.command(0xB0 | page, at & 15, 0x10 | at >> 4)
        self.data(*values)

    def points(self):
        return {(x, y) for y, row in enumerate(self.chip.rows()) for x, sign in enumerate(row) if sign == "#"}


@pytest.fixture(params=OLEDS)
def glass(request):
    return Glass(request.param)


EVERYWHERE = {(x, y) for x in range(128) for y in range(64)}


def test_bit_0_of_a_byte_is_the_upper_pixel_of_its_page(glass):
    glass.put(2, 5, 0x01, 0x80, 0x03)
    assert glass.points() == {(5, 16), (6, 23), (7, 16), (7, 17)}
    assert glass.chip.complaints == []


def test_after_power_on_it_is_dark_and_its_memory_is_anything(glass):
    glass.chip.power_up()
    assert glass.points() == set() and not glass.chip.is_on and any(glass.chip.ram)
    glass.command(0xAF)
    assert bool(glass.points()) == (glass.edge == 2)       # an SSD1306 has to be told to start its charge pump
    glass.command(0x8D, 0x14)
    assert glass.points()


def test_on_off_invert_and_all_on(glass):
    glass.put(0, 0, 1)
    glass.command(0xA7)
    assert glass.points() == EVERYWHERE - {(0, 0)}
    glass.command(0xA5)
    assert glass.points() == EVERYWHERE
    glass.command(0xA4, 0xA6)
    assert glass.points() == {(0, 0)}
    glass.command(0xAE)
    assert glass.points() == set() and glass.bus.talk(0x3C, b"", 1) == b"\x40"
    glass.command(0xAF)
    assert glass.points() == {(0, 0)} and glass.bus.talk(0x3C, b"", 1) == b"\0"


def test_mirrors_lines_and_shifts(glass):
    glass.put(0, 0, 1)
    glass.command(0xC0)
    assert glass.points() == {(0, 63)}
    glass.command(0xC8, 0x40 | 1)
    assert glass.points() == {(0, 63)}                     # line 1 of the memory is the first: line 0 is the last
    glass.command(0x40, 0xD3, 8)
    assert glass.points() == {(0, 56)}
    glass.command(0xD3, 0, 0xA0)
    glass.put(0, 0, 1)
    assert (127, 0) in glass.points()


def test_a_mirror_concerns_what_is_written_later_on_an_ssd1306_and_what_is_there_on_an_sh1106():
    for model, seen in (("ssd1306", {(0, 0)}), ("sh1106", {(127, 0)})):
        glass = Glass(model)
        glass.put(0, 0, 1)
        glass.command(0xA0)
        assert glass.points() == seen


def test_fewer_lines_and_the_wrong_wiring_show(glass):
    glass.command(0xA5, 0xA8, 31)
    assert len(glass.points()) == 32 * 128
    glass.command(0xA8, 63, 0xA4, 0xDA, 0x02)
    glass.put(0, 0, 0xFF, 0xFF)
    assert {y for _, y in glass.points()} != set(range(8)) and len(glass.points()) == 16
    glass.command(0xDA, 0x12)
    assert {y for _, y in glass.points()} == set(range(8))


def test_commands_come_in_any_portion(glass):
    glass.write(0x80, 0x81, 0x80, 0x33)
    glass.write(0x00, 0x81)
    glass.write(0x80, 0x44)
    assert glass.chip.contrast == 0x44
    glass.command(0xB1, glass.edge, 0x10)
    glass.write(0x80, 0xE3, 0x40, 0xFF)                    # one command byte, then data to the end
    assert glass.points() == {(0, y) for y in range(8, 16)} and glass.chip.complaints == []


def test_what_it_does_not_know_is_a_complaint(glass):
    glass.command(0xF1)
    glass.command(0xDA, 0x55)
    glass.write(0x13, 0xE3)
    assert glass.chip.complaints == ["command 0xf1", "0xda with 0x55", "control byte 0x13"]


def test_ssd1306_addresses_by_page_line_and_column():
    glass = Glass("ssd1306")
    glass.command(0xB3, 0x0F, 0x17)                        # by page: after column 127 comes 0 of the same page
    glass.data(1, 1)
    assert glass.points() == {(127, 24), (0, 24)}
    glass.put(3, 0, 0)
    glass.put(3, 127, 0)
    glass.command(0x20, 0, 0x21, 10, 11, 0x22, 1, 2)       # horizontal, a window of 2 x 2
    glass.data(1, 3, 7, 15, 0)                             # the fifth is at the first's place again
    assert glass.points() == {(11, 8), (11, 9), (10, 16), (10, 17), (10, 18), (11, 16), (11, 17), (11, 18), (11, 19)}
    glass.command(0x20, 1, 0x21, 10, 11, 0x22, 1, 2)       # vertical
    glass.data(1, 2, 4, 8)
    assert glass.points() == {(10, 8), (10, 17), (11, 10), (11, 19)}
    glass.command(0x21, 12, 5)
    assert glass.chip.complaints == ["0x21 with 0xc, 0x5"]


def test_sh1106_has_132_columns_and_stays_at_the_last():
    glass = Glass("sh1106")
    glass.command(0xB0, 0x00, 0x10)
    glass.data(0xFF, 0xFF, 1)
    assert glass.points() == {(0, 0)}                      # two columns are beside the glass
    glass.command(0x01, 0x18)
    glass.data(1, 2, 4, 8, 16)
    assert glass.points() == {(0, 0), (127, 0)}
    glass.command(0x20)
    assert glass.chip.complaints == ["command 0x20"]       # it knows pages only


def test_a_picture_is_a_png(glass):
    image = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install -e .[dev]")
    glass.put(0, 0, 1)
    with image.open(io.BytesIO(png(glass.chip.rows(), 2))) as picture:
        assert picture.size == (256, 128)
        colours = picture.convert("RGB")
        assert colours.getpixel((1, 1)) == LIT and colours.getpixel((2, 1)) == DARK


def test_a_foreign_driver_draws_on_an_ssd1306():
    adafruit = pytest.importorskip("adafruit_ssd1306", reason=ADAFRUIT)
    bench = Bench("ssd1306", 0x3C)
    display = adafruit.SSD1306_I2C(128, 64, CircuitPythonBus(bench))
    display.rect(10, 20, 3, 3, 1)
    display.pixel(127, 63, 1)
    display.show()
    drawn = {(x, y) for x in (10, 11, 12) for y in (20, 21, 22)} - {(11, 21)} | {(127, 63)}
    seen = {(x, y) for y, row in enumerate(bench.chip.rows()) for x, sign in enumerate(row) if sign == "#"}
    assert seen == drawn and bench.chip.complaints == []
    display.invert(True)
    assert bench.chip.rows()[63] == "#" * 127 + "."
    display.contrast(7)
    assert bench.chip.contrast == 7
    display.poweroff()
    assert set("".join(bench.chip.rows())) == {"."}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("model", OLEDS)
def test_luma_draws_on_both(model):
    device = pytest.importorskip("luma.oled.device", reason="needs luma.oled: pip install -e .[dev]")
    from luma.core.interface.serial import i2c
    from luma.core.render import canvas
    bench = Bench(model, 0x3C)
    display = getattr(device, model)(i2c(bus=SystemManagementBus(bench), address=0x3C))
    with canvas(display) as draw:
        draw.rectangle((0, 0, 127, 63), outline="white")
        draw.line((5, 5, 9, 9), fill="white")
        draw.text((20, 20), "luma", fill="white")
        wanted = draw._image.copy()
    rows = bench.chip.rows()
    assert rows == ["".join("#" if wanted.getpixel((x, y)) else "." for x in range(128)) for y in range(64)]
    assert "#" in rows[25][20:60]
    display.hide()
    assert set("".join(bench.chip.rows())) == {"."}
    display.show()
    assert bench.chip.rows() == rows


class SystemManagementBus:
    """smbus on a bus of the virtual board."""

    def __init__(self, bench):
        self._bus = bench.bus

    def write_i2c_block_data(self, address, register, data):
        self._bus.talk(address, bytes((register, *data)), 0)


# -- VL53L0X (DocID029104; register names of UM2039)

@pytest.fixture
def laser():
    return Bench("vl53l0x", 0x29)


def test_vl53l0x_tells_who_it_is(laser):
    assert laser.read(0xC0, 3) == b"\xee\xaa\x10"         # 3.2, table 4
    assert laser.read(0x51, 2) == b"\x00\x99" and laser.read(0x61, 2) == b"\0\0"
    laser.write(0xC0, 1)
    assert laser.read(0xC0) == 0xEE


def test_vl53l0x_boots_for_1_2_ms(laser):
    laser.chip.be({"fault": "unplugged"})
    laser.chip.be({"fault": ""})
    assert laser.errno(0xC0) == ENODEV
    laser.now_s += 0.0013
    assert laser.read(0xC0) == 0xEE


def test_vl53l0x_registers_lie_on_pages(laser):
    laser.write(0xFF, 1)
    laser.write(0x00, 1)                                   # not the start of a measurement there
    stop = laser.read(0x91)
    laser.write(0xFF, 0)
    assert stop != 0 and laser.read(0x91) == 0
    laser.now_s += 1
    assert laser.read(0x14) == 0


def test_vl53l0x_ranges_in_33_ms_and_says_when_it_is_done_if_it_was_told_to(laser):
    laser.chip.be({"distance_mm": 1000})
    for configured in (0, 4):
        laser.write(0x0A, configured)
        laser.write(0x00, 1)
        laser.now_s += 0.032
        assert laser.read(0x13) == 0 and laser.read(0x14) & 1 == 0
        laser.now_s += 0.002
        assert laser.read(0x13) == configured and laser.read(0x14) == 11 << 3 | 1
    laser.write(0x0B, 1)
    assert laser.read(0x13) == 0


def test_vl53l0x_is_right_after_both_calibrations(laser):
    laser.chip.be({"distance_mm": 1000})

    def ranged():
        laser.write(0x01, 0xE8)
        laser.write(0x00, 1)
        laser.now_s += 0.04
        return int.from_bytes(laser.read(0x1E, 2), "big")

    assert ranged() != 1000
    for sequence, start in ((1, 0x41), (2, 0x01)):
        laser.write(0x01, sequence)
        laser.write(0x00, start)
        laser.now_s += 0.002
    assert ranged() == 1000 and laser.chip.calls == ["range", "vhv", "phase", "range"]
    laser.chip.be({"distance_mm": 2500})
    assert ranged() == 8190 and laser.read(0x14) >> 3 == 4


def test_vl53l0x_goes_on_until_it_is_stopped(laser):
    laser.write(0x0A, 4)
    laser.write(0x00, 2)
    for _ in range(3):
        laser.now_s += 0.034
        assert laser.read(0x13) == 4
        laser.write(0x0B, 1)
    laser.write(0x00, 1)
    laser.now_s += 1
    assert laser.read(0x13) == 0


@pytest.mark.parametrize("distance_mm", [40, 500, 1234, 2000])
def test_a_foreign_driver_reads_the_vl53l0x(distance_mm):
    foreign = pytest.importorskip("adafruit_vl53l0x", reason=ADAFRUIT)
    bench = Bench("vl53l0x", 0x29)
    bench.chip.be({"distance_mm": distance_mm})
    bench.chip.now = bench.passing
    sensor = foreign.VL53L0X(CircuitPythonBus(bench), io_timeout_s=5)
    assert bench.chip.calls == ["vhv", "phase"]
    assert sensor.range == distance_mm
    with sensor.continuous_mode():
        assert [sensor.range for _ in range(3)] == [distance_mm] * 3
    assert sensor.distance == distance_mm / 10


def test_a_foreign_driver_finds_a_wrong_vl53l0x():
    foreign = pytest.importorskip("adafruit_vl53l0x", reason=ADAFRUIT)
    bench = Bench("vl53l0x", 0x29)
    bench.chip.be({"id": 0xEA})
    with pytest.raises(RuntimeError, match="Failed to find expected ID"):
        foreign.VL53L0X(CircuitPythonBus(bench))
