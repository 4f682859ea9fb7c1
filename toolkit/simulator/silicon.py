"""The chip behind the shims: takes what the program does, one line each, and answers as the port would."""
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any

from toolkit.simulator.boards import BoardKind
from toolkit.simulator.clock import Clock
from toolkit.simulator.errors import BoardFault
from toolkit.simulator.gpio import Gpio
from toolkit.simulator.i2c import I2cBus
from toolkit.simulator.i2s import I2s
from toolkit.simulator.onewire import SingleWires
from toolkit.simulator.timers import Timers

BLOCK_BYTES = 4096             # littlefs on ESP32 and Pico
RTC_MEMORY_BYTES = 2048        # MICROPY_HW_RTC_USER_MEM_MAX
ESPRESSIF = bytes((0x24, 0x0A, 0xC4))
SSIDS = (b"your_wifi_name", b"vnet")

Answer = int | str | bytes | None


@dataclass
class Identity:
    """What tells one board from the next."""

    name: str
    address: str
    shell_port: int
    webrepl_port: int
    flash_bytes: int
    directory: Path

    def mac(self) -> bytes:
        """A board at its usual place is told by that alone, so it is the same on every machine."""
        at_home = self.directory.name == self.name
        return ESPRESSIF + sha1((self.name if at_home else str(self.directory)).encode()).digest()[:3]


@dataclass
class Effects:
    """What the chip does to the machinery around it.

    changed   a change that can be watched
    event     queue an event for the VM: (kind, ident, value, may wait) -> False when dropped as late
    reset     end the VM and start it with this cause
    sleep     end the VM; wake it after ms, 0 = never
    mask      hold events back (disable_irq)
    boot      boot.py starts
    main      main.py starts
    """

    changed: Callable[[dict[str, Any]], None]
    event: Callable[[int, int, int, bool], bool]
    reset: Callable[[str], None]
    sleep: Callable[[int], None]
    mask: Callable[[bool], None]
    boot: Callable[[], None]
    main: Callable[[], None]


EVENT_TIMER, EVENT_PIN = 1, 2


@dataclass
class Silicon:
    kind: BoardKind
    identity: Identity
    clock: Clock
    effects: Effects
    rtc_memory: bytes = b""
    network_up: bool = True
    rssi_dbm: int = -50
    cause: str = "power"
    freq_hz: int = 160_000_000
    # readings that have no pin; raw_temperature is in Fahrenheit, as the chip's
    sensors: dict[str, int] = field(default_factory=lambda: {"raw_temperature": 128, "hall": 0, "battery_mv": 4100})
    bus: I2cBus = field(default_factory=I2cBus)
    resolve: Callable[[str, str], Answer] = lambda host, port: None        # the world is built around the chip

    def __post_init__(self) -> None:
        effects = self.effects
        self.gpio = Gpio(self.kind, effects.changed, lambda pin, level: effects.event(EVENT_PIN, pin, level, True))
        self.timers = Timers(self.kind, lambda ident, may_wait: effects.event(EVENT_TIMER, ident, 0, may_wait))
        self.bus.is_low = lambda pin: pin >= 0 and self.gpio.pad(pin).drive == 0
        self.wires = SingleWires(self.kind.platform, lambda pin: self.gpio.pad(pin).drive == 0, self.clock.now)
        self.sound = I2s(self.clock.now)
        self.verbs = {**_verbs(self), **self.sound.verbs()}

    def obey(self, line: str) -> Answer:
        """Do one line of the program. Raises BoardFault for what the port refuses."""
        verb, *words = line.split(" ")
        return self.verbs[verb](*words)

    def restart(self, cause: str) -> None:
        """State after a reset of that kind."""
        hard = cause != "soft"
        self.cause = cause
        self.gpio.restart(hard)
        self.timers.restart(hard)
        self.sound.restart()
        if cause == "power":
            self.rtc_memory = b""
            self.clock.power_on()
            self.bus.power_up()
        if hard:
            self.freq_hz = 160_000_000

    def file_system_blocks(self) -> int:
        return max(0, self.identity.flash_bytes - self.kind.firmware_bytes) // BLOCK_BYTES

    def used_blocks(self) -> int:
        """Blocks that littlefs would need for the files there are: a pair per directory, whole blocks per file."""
        blocks = 0
        for folder, _, names in os.walk(self.identity.directory):
            blocks += 2 + sum(_blocks_of(os.path.join(folder, name)) for name in names)
        return blocks

    def get(self, what: str) -> Answer:
        """Fixed facts, asked for once by the shims, so that they cost no heap before."""
        if what == "used":     # counts every file: not for those who ask something else
            return self.used_blocks()
        facts: dict[str, Answer] = {
            "machine": self.kind.machine, "mac": self.identity.mac(), "address": self.identity.address,
            "platform": self.kind.platform, "cause": self.kind.causes[self.cause], "epoch": self.kind.epoch_s,
            "freq": self.freq_hz, "blocks": self.file_system_blocks(), "rssi": self.rssi_dbm,
            "up": int(self.network_up), "memory": self.rtc_memory,
            "led": -1 if self.kind.led is None else self.kind.led,
        }
        return facts[what]

    def set_freq(self, freq_hz: str) -> int:
        if int(freq_hz) // 1_000_000 not in self.kind.freqs_mhz:
            raise BoardFault("ValueError", "frequency must be " + ", ".join(f"{mhz}MHz" for mhz in self.kind.freqs_mhz))
        self.freq_hz = int(freq_hz)
        return 0

    def remember(self, data: str = "") -> int:
        self.rtc_memory = bytes.fromhex(data)[:RTC_MEMORY_BYTES]
        return 0

    def set_rtc(self, *fields: str) -> int:
        *date, us = map(int, fields)
        # ports/rp2/machine_rtc.c takes no notice of the last field
        self.clock.set_fields((*date,), us if self.kind.platform == "esp32" else 0)
        return 0

    def joins(self, ssid: str) -> int:
        """1 when an access point of that name (hex) is in reach."""
        return int(self.network_up and bytes.fromhex(ssid) in SSIDS)


def _blocks_of(path: str) -> int:
    try:
        return max(1, -(-os.stat(path).st_size // BLOCK_BYTES))
    except OSError:            # the program removes files while we count
        return 0


def _numbers(function: Callable[..., Answer]) -> Callable[..., Answer]:
    return lambda *words: function(*map(int, words))


def _verbs(chip: Silicon) -> dict[str, Callable[..., Answer]]:
    """word of the wire -> what it does. Those above the line are answered, those below are only told."""
    gpio, timers, now = chip.gpio, chip.timers, chip.clock.now
    return {
        "pin": _numbers(gpio.configure),
        "in": _numbers(gpio.read),
        "pwm": _numbers(gpio.pwm_start),
        "adc": _numbers(gpio.analog),
        "touch": _numbers(gpio.touched),
        "pulse": lambda pin, _timeout: gpio.pulses_us.get(int(pin), -2),
        "dht": _numbers(chip.wires.frame),
        "presence": _numbers(chip.wires.presence),
        "slots": _numbers(chip.wires.slots),
        "timer": _numbers(timers.claim),
        "wdt": lambda ms: timers.arm_wdt(now(), int(ms)),
        "get": chip.get,
        "freq": chip.set_freq,
        "rtc": chip.set_rtc,
        "memory": chip.remember,
        "join": chip.joins,
        "resolve": lambda host, port: chip.resolve(host, port),
        "sensor": chip.sensors.__getitem__,
        "scan": chip.bus.scan,
        "i2c": lambda scl, sda, at, count, data="": chip.bus.transfer(
            int(scl), int(sda), int(at), int(count), bytes.fromhex(data)),
        # ----
        "out": _numbers(gpio.write),
        "irq": _numbers(gpio.watch_edges),
        "duty": _numbers(gpio.pwm_duty),
        "pwmoff": _numbers(gpio.pwm_stop),
        "pixels": lambda pin, bpp, data="": gpio.show_pixels(int(pin), int(bpp), bytes.fromhex(data)),
        "tick": lambda ident, us, periodic: timers.start(now(), int(ident), int(us), periodic == "1"),
        "untick": _numbers(timers.stop),
        "feed": lambda: timers.feed(now()),
        "mask": lambda on: chip.effects.mask(on == "1"),
        "reset": lambda: chip.effects.reset("hard"),
        "soft": lambda: chip.effects.reset("soft"),
        "sleep": lambda ms: chip.effects.sleep(int(ms)),
        "boot": chip.effects.boot,
        "main": chip.effects.main,
    }
