"""Readings of a BME280 to degrees, percent and hectopascal; runs on CPython and on MicroPython."""
import struct

from micrOS.source.pure.bme280 import Calibration, climate, fine_temperature, pascal_q8, percent_q10, readings

# the worked example of the sister chip, whose formulas are the same: BST-BMP280-DS001, 3.12
T = (27504, 26435, -1000)
P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
H = (75, 362, 0, 313, 50, 30)
RAW_T, RAW_P = 519888, 415148
LOW = struct.pack("<HhhHhhhhhhhhBB", *(T + P + (0, H[0])))
HIGH = struct.pack("<hBbBbb", H[1], H[2], 19, 9 + (2 << 4), 3, H[5])       # 313 = 19 * 16 + 9, 50 = 3 * 16 + 2


def packed(pressure, temperature, humidity):
    words = [struct.pack(">I", raw << 12)[:3] for raw in (pressure, temperature)]
    return words[0] + words[1] + struct.pack(">H", humidity)


def floating(h, raw, fine):
    """Humidity after the datasheet's other way, appendix 8.1."""
    warm = fine - 76800.0
    value = (raw - (h[3] * 64.0 + h[4] / 16384.0 * warm)) * (
        h[1] / 65536.0 * (1.0 + h[5] / 67108864.0 * warm * (1.0 + h[2] / 67108864.0 * warm)))
    return value * (1.0 - h[0] * value / 524288.0)


def refused(function, *args):
    try:
        function(*args)
    except ValueError as error:
        return str(error)
    return None


def test_the_example_of_the_datasheet():
    fine = fine_temperature(T, RAW_T)
    assert fine == 128422
    assert (fine * 5 + 128) >> 8 == 2508                       # 25.08 degrees
    assert abs(pascal_q8(P, RAW_P, fine) / 256 - 100653.27) < 0.05


def test_the_calibration_is_read_out_of_its_registers():
    calibration = Calibration(LOW, HIGH)
    assert (tuple(calibration.t), tuple(calibration.p), tuple(calibration.h)) == (T, P, H)


def test_signed_12_bit_values_of_the_shared_byte():
    calibration = Calibration(LOW, struct.pack("<hBbBbb", -1, 255, -1, 0xF0, -2, -3))
    assert tuple(calibration.h) == (75, -1, 255, -16, -17, -3)


def test_readings_are_20_20_and_16_bits():
    assert readings(bytes(range(0x11, 0x99, 0x11))) == (0x11223, 0x44556, 0x7788)


def test_humidity_is_that_of_the_formula_in_floating_point():
    for raw in (15000, 20000, 26000, 32000, 38000):
        for raw_t in (400000, 470000, 519888, 560000):
            fine = fine_temperature(T, raw_t)
            expected = min(100.0, max(0.0, floating(H, raw, fine)))
            assert abs(percent_q10(H, raw, fine) / 1024 - expected) < 0.05, (raw, raw_t)


def test_humidity_ends_at_0_and_100_percent():
    fine = fine_temperature(T, RAW_T)
    assert percent_q10(H, 0, fine) == 0
    assert percent_q10(H, 65535, fine) == 102400


def test_a_whole_reading():
    degrees, percent, hectopascal = climate(Calibration(LOW, HIGH), packed(RAW_P, RAW_T, 30000))
    assert degrees == 25.08 and abs(hectopascal - 1006.53) < 0.011
    assert abs(percent - floating(H, 30000, 128422)) < 0.05


def test_what_was_not_measured_is_no_value():
    calibration = Calibration(LOW, HIGH)
    for data in (packed(0x80000, RAW_T, 30000), packed(RAW_P, 0x80000, 30000), packed(RAW_P, RAW_T, 0x8000)):
        assert refused(climate, calibration, data) == "a measurement was skipped"


def test_a_chip_without_calibration_is_refused():
    assert refused(Calibration, bytes(26), bytes(7)) == "no calibration in the chip"
    assert refused(pascal_q8, (0,) * 9, RAW_P, 0) == "no calibration in the chip"
