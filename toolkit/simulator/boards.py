"""The boards that can be simulated: what each chip has, as a table."""
from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.simulator.errors import SimulatorError

KIB = 1024
EPOCH_2000_S = 946684800        # 2000-01-01 in seconds of 1970: the epoch of the esp32 port
# machine.reset_cause() of ports/esp32/modmachine.c; rp2 knows two of them (ports/rp2/modmachine.c)
ESP32_CAUSES = {"power": 1, "hard": 2, "wdt": 3, "deepsleep": 4, "soft": 5}
RP2_CAUSES = {"power": 1, "hard": 1, "wdt": 3, "deepsleep": 1, "soft": 1}


def _spans(*spans: int | tuple[int, int]) -> frozenset[int]:
    """Set of pin numbers; a pair is a span, both ends included."""
    numbers: set[int] = set()
    for span in spans:
        numbers.update(range(span[0], span[1] + 1) if isinstance(span, tuple) else (span,))
    return frozenset(numbers)


@dataclass(frozen=True)
class BoardKind:
    """One row of the table.

    chip            its row in espressif.CHIPS, or firmware.FAMILIES
    pwm_timers      different PWM frequencies at a time
    firmware_bytes  part of the flash that is not the file system
    native_usb      the serial port is made by the firmware
    """

    name: str
    chip: str
    platform: str
    machine: str
    pins: frozenset[int]
    input_only: frozenset[int]
    adc_pins: frozenset[int]
    touch_pins: frozenset[int]
    pwm_channels: int
    pwm_timers: int
    pwm_max_hz: int
    timers: frozenset[int]
    wdt_max_ms: int
    firmware_bytes: int
    freqs_mhz: tuple[int, ...]
    epoch_s: int
    causes: dict[str, int]
    led: int | None = None
    native_usb: bool = False

    def boot_lines(self, cause: str, boot_held: bool = False) -> bytes:
        """What the ROM prints on the serial line before the firmware starts, or instead of it."""
        if self.platform != "esp32":
            return b""
        reset = {"power": "0x1 (POWERON_RESET)", "deepsleep": "0x5 (DEEPSLEEP_RESET)",
                 "wdt": "0x8 (TG1WDT_SYS_RESET)", "rtcwdt": "0x10 (RTCWDT_RTC_RESET)"}.get(cause, "0xc (SW_CPU_RESET)")
        boot = ("0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download" if boot_held
                else "0x13 (SPI_FAST_FLASH_BOOT)")
        return f"ets Jul 29 2019 12:21:46\r\n\r\nrst:{reset},boot:{boot}\r\n".encode()


def _esp32(name: str, chip: str, machine: str, led: int | None) -> BoardKind:
    return BoardKind(
        name=name, chip=chip, platform="esp32", machine=machine, led=led,
        # ESP32 datasheet 2.2; 34-39 have no output driver. 20, 24, 28-31 are not bonded.
        pins=_spans((0, 19), (21, 23), (25, 27), (32, 39)), input_only=_spans((34, 39)),
        adc_pins=_spans(0, 2, 4, (12, 15), (25, 27), (32, 39)),
        touch_pins=_spans(0, 2, 4, (12, 15), 27, 32, 33),
        pwm_channels=16, pwm_timers=8, pwm_max_hz=40_000_000, timers=_spans((0, 3)), wdt_max_ms=2**31 - 1,
        firmware_bytes=2048 * KIB, freqs_mhz=(20, 40, 80, 160, 240), epoch_s=EPOCH_2000_S, causes=ESP32_CAUSES)


def _esp32s(name: str, machine: str, pins: frozenset[int], input_only: Iterable[int], led: int) -> BoardKind:
    return BoardKind(
        name=name, chip=name, platform="esp32", machine=machine, led=led, pins=pins, input_only=frozenset(input_only),
        adc_pins=_spans((1, 20)), touch_pins=_spans((1, 14)),
        pwm_channels=8, pwm_timers=4, pwm_max_hz=40_000_000, timers=_spans((0, 3)), wdt_max_ms=2**31 - 1,
        firmware_bytes=2048 * KIB, freqs_mhz=(20, 40, 80, 160, 240), epoch_s=EPOCH_2000_S, causes=ESP32_CAUSES)


def _esp32c(name: str, machine: str, pins: frozenset[int], adc_pins: frozenset[int]) -> BoardKind:
    # datasheets ESP32-C3 2.2 and ESP32-C6 2.2, without the pins of the flash; no touch, no 240 MHz, 2 timers
    return BoardKind(
        name=name, chip=name, platform="esp32", machine=machine, pins=pins, input_only=frozenset(),
        adc_pins=adc_pins, touch_pins=frozenset(),
        pwm_channels=6, pwm_timers=4, pwm_max_hz=40_000_000, timers=_spans((0, 1)), wdt_max_ms=2**31 - 1,
        firmware_bytes=2048 * KIB, freqs_mhz=(20, 40, 80, 160), epoch_s=EPOCH_2000_S, causes=ESP32_CAUSES)


_RP2 = BoardKind(
    name="rp2", chip="rp2040", platform="rp2", machine="Raspberry Pi Pico W with RP2040", led=25, native_usb=True,
    pins=_spans((0, 29)), input_only=frozenset(), adc_pins=_spans((26, 29)), touch_pins=frozenset(),
    pwm_channels=16, pwm_timers=8, pwm_max_hz=62_500_000, timers=frozenset(), wdt_max_ms=8388,
    firmware_bytes=1200 * KIB, freqs_mhz=(48, 125, 133), epoch_s=0, causes=RP2_CAUSES)

BOARDS = {kind.name: kind for kind in (
    _esp32("esp32", "esp32", "Generic ESP32 module with ESP32", led=2),
    _esp32("tinypico", "esp32-pico-d4", "TinyPICO with ESP32-PICO-D4", led=None),
    _esp32s("esp32s2", "Generic ESP32S2 module with ESP32S2", _spans((0, 21), 26, (33, 46)), (46,), led=15),
    _esp32s("esp32s3", "Generic ESP32S3 module with ESP32S3", _spans((0, 21), 26, (33, 48)), (), led=38),
    _esp32c("esp32c3", "Generic ESP32C3 module with ESP32C3", _spans((0, 10), (18, 21)), _spans((0, 4))),
    _esp32c("esp32c6", "Generic ESP32C6 module with ESP32C6", _spans((0, 23)), _spans((0, 6))),
    _RP2,
)}


def board_kind(name: str) -> BoardKind:
    """Row of a board. Raises SimulatorError naming those that exist."""
    try:
        return BOARDS[name]
    except KeyError:
        raise SimulatorError(f"unknown board {name!r}; there are: {', '.join(sorted(BOARDS))}") from None
