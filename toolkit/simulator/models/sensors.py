"""What a board measures: parts that turn a quantity into what is on their pin. Each can be told to fail.

    thermometer = Dht22(board, "dhtpin")
    thermometer.feel(21.5, 40.0)
    board.shell("dht22 measure")
    thermometer.unplug()
"""
from toolkit.simulator.api import Pin, VirtualBoard

FULL_U16 = 65535
ADC_FULL_V = 2.45              # ESP32 datasheet, ADC characteristics: upper end at 11 dB attenuation


class AnalogPart:
    """Puts a voltage on an ADC pin. unplug() leaves the pin on ground, as the load resistor on the board does."""

    def __init__(self, board: VirtualBoard, pin: Pin) -> None:
        self._board = board
        self._pin = pin

    def put(self, volts: float) -> None:
        self._board.adc[self._pin] = round(min(1.0, max(0.0, volts / ADC_FULL_V)) * FULL_U16)

    def unplug(self) -> None:
        self.put(0.0)

    def short(self) -> None:
        """Its output lies on the supply."""
        self.put(5.0)


class Mq135(AnalogPart):
    """A gas sensor and its load as a divider of the voltage that is the ADC's full scale.

    Datasheet MQ-135 (Hanwei), fig. 3: on two logarithmic axes Rs/R0 of CO2 is a straight line, here the one through
    (10 ppm, 2.43) and (100 ppm, 1.057). Fig. 4: at 20 degrees and 33 % RH the factor of the climate is 1.
    """

    LOAD_KOHM, CLEAN_KOHM = 10.0, 76.63

    def smell(self, co2_ppm: float) -> None:
        """At 20 degrees and 33 % RH."""
        ratio = 1.057 * (co2_ppm / 100) ** -0.3615
        self.put_kohm(ratio * self.CLEAN_KOHM)

    def put_kohm(self, resistance: float) -> None:
        self.put(ADC_FULL_V * self.LOAD_KOHM / (self.LOAD_KOHM + resistance))


class Temt6000(AnalogPart):
    """A phototransistor with 10 kOhm to ground. Vishay 81579, Basic Characteristics: 50 uA at 100 lx, and in line."""

    def shine(self, lux: float) -> None:
        self.put(lux * 50e-6 / 100 * 10_000)


class PhProbe(AnalogPart):
    """A glass electrode behind an amplifier of 3, whose 1.5 V are pH 7. Nernst: 59.16 mV per pH at 25 degrees."""

    def dip(self, ph: float) -> None:
        self.put(1.5 + (7 - ph) * 3 * 0.05916)


class Microphone(AnalogPart):
    """An electret with an amplifier (MAX9814: rests at 1.25 V): each sample is the sound's momentary value."""

    def hear(self, volts: float) -> None:
        """volts: of the wave at its output, from -1.25 to 1.2"""
        self.put(1.25 + volts)


class Pir:
    """A motion sensor (HC-SR501): high while it sees somebody."""

    def __init__(self, board: VirtualBoard, pin: Pin) -> None:
        self._board = board
        self._pin = pin
        self.see(False)

    def see(self, somebody: bool) -> None:
        self._board.pins[self._pin] = int(somebody)

    def unplug(self) -> None:
        self._board.pins[self._pin] = None


class HcSr04:
    """An ultrasonic ranger (ElecFreaks): the echo pin is high as long as sound goes there and back, 38 ms without an
    obstacle. Sound: 331.3 m/s and 0.606 more for each degree above 0."""

    NO_ANSWER, STILL_HIGH = -2, -1             # what time_pulse_us() gives

    def __init__(self, board: VirtualBoard, echo: Pin) -> None:
        self._board = board
        self._echo = echo

    def place(self, distance_mm: float, temp: float = 20.0) -> None:
        """An obstacle."""
        speed_mm_us = (331.3 + 0.606 * temp) / 1000
        self.put_us(round(2 * distance_mm / speed_mm_us))

    def clear(self) -> None:
        """Nothing in reach: its 38 ms are longer than anybody waits."""
        self.put_us(self.STILL_HIGH)

    def unplug(self) -> None:
        self.put_us(self.NO_ANSWER)

    def stick(self, is_stuck: bool = True) -> None:
        """Its echo pin stays high."""
        self._board.pins[self._echo] = 1 if is_stuck else None

    def put_us(self, length_us: int) -> None:
        self._board.ask("pulse", pin=self._echo, value=length_us)


class Dht22:
    """Aosong AM2302: 16 bits of humidity, 16 bits of temperature, both in tenths, the sign in front, and their sum."""

    def __init__(self, board: VirtualBoard, pin: Pin) -> None:
        self._board = board
        self._pin = pin
        self._body = b""

    def feel(self, temp: float, humidity: float) -> None:
        tenths = round(abs(temp) * 10) | (0x8000 if temp < 0 else 0)
        self._body = round(humidity * 10).to_bytes(2, "big") + tenths.to_bytes(2, "big")
        self._answer(sum(self._body))

    def corrupt(self) -> None:
        """A bit gets lost on the wire."""
        self._answer(sum(self._body) ^ 0x10)

    def unplug(self) -> None:
        """It is silent."""
        self._board.ask("dht", pin=self._pin, frame=None)

    def hold_low(self, is_held: bool = True) -> None:
        """The wire is shorted."""
        self._board.pins[self._pin] = 0 if is_held else None

    @property
    def asked(self) -> int:
        """How often it was read."""
        return int(self._board.ask("dht", pin=self._pin)["asked"])

    def _answer(self, checksum: int) -> None:
        self._board.ask("dht", pin=self._pin, frame=(self._body + bytes((checksum & 255,))).hex())


class Dht11(Dht22):
    """Aosong DHT11: a byte each of whole percent and whole degrees, each with a byte of tenths that is 0."""

    def feel(self, temp: float, humidity: float) -> None:
        self._body = bytes((round(humidity), 0, round(temp), 0))
        self._answer(sum(self._body))


class Ds18b20:
    """A thermometer on a 1-wire bus: toolkit/simulator/onewire.py has the chip itself."""

    def __init__(self, board: VirtualBoard, pin: Pin, serial: int, temp: float = 20.0, parasite: bool = False) -> None:
        self._board = board
        self._facts = {"pin": pin, "serial": serial}
        self.rom: str = self._tell(temp=temp, parasite=parasite, fault="")["rom"]

    def feel(self, temp: float) -> None:
        self._tell(temp=temp)

    def unplug(self) -> None:
        self._tell(fault="unplugged")

    def corrupt(self) -> None:
        """A bit of what it says gets lost."""
        self._tell(fault="noisy")

    def die(self) -> None:
        """It answers, and then holds the wire low."""
        self._tell(fault="dead")

    def mend(self) -> None:
        self._tell(fault="")

    def _tell(self, **change: object) -> dict[str, str]:
        state: dict[str, str] = self._board.ask("onewire", **self._facts, **change)
        return state
