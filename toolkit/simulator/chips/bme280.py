"""Bosch BME280: temperature, humidity, pressure. Source: datasheet BST-BME280-DS002; sections are in brackets."""
import struct
from collections.abc import Callable

from toolkit.simulator.i2c import ChipModel, Nack

CHIP_ID = 0x60
START_UP_S = 0.002                                   # [1.1, table 1] until it takes part in the bus's talk
SLEEP, NORMAL = 0, 3                                 # [5.4.5] 1 and 2 are forced mode
SAMPLES = (0, 1, 2, 4, 8, 16, 16, 16)                # [5.4.3] osrs
STANDBY_MS = (0.5, 62.5, 125, 250, 500, 1000, 10, 20)     # [5.4.6] t_sb
FILTERS = (1, 2, 4, 8, 16, 16, 16, 16)               # [5.4.6] filter
SKIPPED, SKIPPED_HUMIDITY = 0x80000, 0x8000          # [5.4.7-5.4.9]
BITS_20, BITS_16 = (1 << 20) - 1, (1 << 16) - 1
# Temperature and pressure: the example of the sister chip with the same formulas, BST-BMP280-DS001, 3.12.
# Humidity: of a chip as it was sold.
T = (27504, 26435, -1000)
P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
H = (75, 362, 0, 313, 50, 30)


class Bme280(ChipModel):
    """temp: degrees; humidity: percent; pressure: hPa; id: 0x58 is a BMP280; stuck: it never ends to measure;
    blank: its calibration reads as zeros"""

    model = "bme280"
    WORLD = {"temp": float, "humidity": float, "pressure": float, "id": int, "stuck": bool, "blank": bool}

    def __init__(self, now: Callable[[], float]) -> None:
        self.temp, self.humidity, self.pressure = 20.0, 40.0, 1013.25
        self.id, self.stuck, self.blank = CHIP_ID, False, False
        super().__init__(now)

    def power_up(self) -> None:
        self._ready_s = self.now() + START_UP_S
        self._pointer = 0
        self._ctrl_hum = self._hum_in_force = self._ctrl_meas = self._config = 0
        self._begun_s: float | None = None           # of the measurement under way
        self._filtered: tuple[float, float] | None = None
        self._data = _packed(SKIPPED, SKIPPED, SKIPPED_HUMIDITY)

    # -- the bus [6.2]
    def write(self, data: bytes) -> None:
        """The first byte is a register; each value that follows one has the next register before it [6.2.1]."""
        self._settle()
        if not data:
            return
        self._pointer = data[0]
        for register, value in zip(data[::2], data[1::2], strict=False):
            self._set(register, value)

    def read(self, count: int) -> bytes:
        self._settle()
        data = bytes(self._get((self._pointer + at) & 255) for at in range(count))
        self._pointer = (self._pointer + count) & 255
        return data

    def _get(self, register: int) -> int:
        if register in BLOCK:
            return 0 if self.blank else BLOCK[register]
        if 0xF7 <= register <= 0xFE:
            return self._data[register - 0xF7]
        return {0xD0: self.id, 0xF2: self._ctrl_hum, 0xF3: self._status(), 0xF4: self._ctrl_meas,
                0xF5: self._config}.get(register, 0)

    def _set(self, register: int, value: int) -> None:
        if register == 0xE0 and value == 0xB6:       # [5.4.2] any other value does nothing
            self.power_up()
        elif register == 0xF2:
            self._ctrl_hum = value & 7
        elif register == 0xF4:
            self._control(value)
        elif register == 0xF5 and self._ctrl_meas & 3 != NORMAL:      # [5.4.6] may be ignored in normal mode
            self._config = value & 0xFD
            self._filtered = None                    # [3.4.4]

    def _control(self, value: int) -> None:
        self._ctrl_meas = value
        self._hum_in_force = self._ctrl_hum          # [5.4.3] becomes effective only now
        self._begun_s = None if value & 3 == SLEEP else self.now()

    def _status(self) -> int:
        return 8 if self._begun_s is not None and self.now() >= self._begun_s else 0

    # -- time
    def _settle(self) -> None:
        """What should be over is over. Raises Nack while it starts."""
        if self.now() < self._ready_s:
            raise Nack
        if self._begun_s is None or self.stuck:
            return
        while self._begun_s is not None and self.now() >= self._begun_s + self.duration_s():
            self._finish(self._begun_s + self.duration_s())

    def _finish(self, ended_s: float) -> None:
        self._measure()
        if self._ctrl_meas & 3 == NORMAL:
            cycle_s = self.duration_s() + STANDBY_MS[self._config >> 5] / 1000
            missed = int(max(0.0, self.now() - ended_s) / cycle_s)     # nobody read those
            self._begun_s = ended_s + STANDBY_MS[self._config >> 5] / 1000 + missed * cycle_s
        else:
            self._ctrl_meas &= ~3                    # [3.3.3] back to sleep
            self._begun_s = None

    def _samples(self) -> tuple[int, int, int]:
        """Of temperature, pressure, humidity; 0 = skipped."""
        return SAMPLES[self._ctrl_meas >> 5], SAMPLES[self._ctrl_meas >> 2 & 7], SAMPLES[self._hum_in_force]

    def duration_s(self) -> float:
        """The longest that a measurement takes [9.1]."""
        temp, pressure, humidity = self._samples()
        longest_ms = 1.25 + 2.3 * temp + (2.3 * pressure + 0.575 if pressure else 0)
        return (longest_ms + (2.3 * humidity + 0.575 if humidity else 0)) / 1000

    # -- what it measures
    def _measure(self) -> None:
        samples = self._samples()
        raw_temp = _inverse(temperature, self.temp, BITS_20, rising=True)
        fine = fine_temperature(raw_temp)
        raw_pressure = _inverse(lambda raw: pascal(raw, fine), self.pressure * 100, BITS_20, rising=False)
        raw_humidity = _inverse(lambda raw: percent(raw, fine), self.humidity, BITS_16, rising=True)
        before = self._filtered or (raw_temp, raw_pressure)
        share = FILTERS[self._config >> 2 & 7]
        self._filtered = (before[0] * (share - 1) + raw_temp) / share, (before[1] * (share - 1) + raw_pressure) / share
        self._data = _packed(
            self._coarse(self._filtered[1], samples[1]) if samples[1] and samples[0] else SKIPPED,
            self._coarse(self._filtered[0], samples[0]) if samples[0] else SKIPPED,
            raw_humidity if samples[2] and samples[0] else SKIPPED_HUMIDITY)

    def _coarse(self, value: float, samples: int) -> int:
        """Without the filter there are 16 bits, and one more for each doubling of the samples [3.4.1]."""
        spare = 0 if self._config >> 2 & 7 else 4 - (samples.bit_length() - 1)
        return round(value) >> spare << spare


def _packed(pressure: int, temp: int, humidity: int) -> bytes:
    """0xF7 to 0xFE."""
    return (pressure << 4).to_bytes(3, "big") + (temp << 4).to_bytes(3, "big") + humidity.to_bytes(2, "big")


def _block() -> dict[int, int]:
    """[4.2.2, table 16] register: value"""
    low = struct.pack("<HhhHhhhhhhhhxB", *T, *P, H[0])
    high = struct.pack("<hBbBbb", H[1], H[2], H[3] >> 4, (H[3] & 15) | (H[4] & 15) << 4, H[4] >> 4, H[5])
    return {**{0x88 + at: value for at, value in enumerate(low)}, **{0xE1 + at: value for at, value in enumerate(high)}}


BLOCK = _block()


# -- the formulas [8.1], in floating point; a chip has none of this, its physics is turned round here
def fine_temperature(raw: float) -> float:
    first = (raw / 16384 - T[0] / 1024) * T[1]
    second = (raw / 131072 - T[0] / 8192) ** 2 * T[2]
    return first + second


def temperature(raw: float) -> float:
    """Degrees."""
    return fine_temperature(raw) / 5120


def pascal(raw: float, fine: float) -> float:
    first = fine / 2 - 64000
    second = (first * first * P[5] / 32768 + first * P[4] * 2) / 4 + P[3] * 65536
    first = (1 + (P[2] * first * first / 524288 + P[1] * first) / 524288 / 32768) * P[0]
    value = (1048576 - raw - second / 4096) * 6250 / first
    return value + (P[8] * value * value / 2147483648 + value * P[7] / 32768 + P[6]) / 16


def percent(raw: float, fine: float) -> float:
    warm = fine - 76800
    value = (raw - (H[3] * 64 + H[4] / 16384 * warm)) * (
        H[1] / 65536 * (1 + H[5] / 67108864 * warm * (1 + H[2] / 67108864 * warm)))
    return value * (1 - H[0] * value / 524288)


def _inverse(formula: Callable[[float], float], wanted: float, full: int, rising: bool) -> int:
    """The reading, 0 to full, for which a formula comes next to what is wanted."""
    low, high = 0, full
    while high - low > 1:
        middle = (low + high) // 2
        if (formula(middle) < wanted) == rising:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda raw: abs(formula(raw) - wanted))
