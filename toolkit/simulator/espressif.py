"""The chips that esptool can tell apart, as a table: where their registers are and what stands in them.

Sources: Technical Reference Manuals (eFuse, SPI, RTC chapters), ESP-IDF `soc/` headers, Espressif's "Serial Protocol".
"""
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MAGIC_REGISTER = 0x40001000    # in ROM; differs from chip to chip


@dataclass(frozen=True)
class SpiRegisters:
    """The controller in front of the flash chip. command, data: offsets of USER2 and W0 from the base."""

    base: int
    command: int
    data: int


@dataclass(frozen=True)
class EspChip:
    """One row.

    image_id        chip id in an image's header, and in the security information
    boot_at         offset in flash of what the ROM starts
    ram, code       addresses where an image's segment and its entry point may lie
    mac             register of the last four bytes; the first two are in the one behind it
    security_bytes  length of the security information, 0: the command is unknown
    wdt             register whose bit 31 starts the RTC watchdog, 0: not used by esptool
    fuses           what else is read, by address; all others are 0
    """

    image_id: int
    boot_at: int
    ram: int
    code: int
    spi: SpiRegisters
    mac: int
    security_bytes: int = 0
    wdt: int = 0
    fuses: Mapping[int, int] = field(default_factory=dict)

    def registers(self, mac: bytes) -> dict[int, int]:
        """What can be read when the chip comes out of reset. mac: 6 bytes"""
        return {**self.fuses, self.mac: int.from_bytes(mac[2:]), self.mac + 4: int.from_bytes(mac[:2])}

    def security(self) -> bytes:
        """flags 4 | crypt count 1 | key purposes 7 | chip id 4 | api version 4; the last two not on every chip"""
        return (bytes(12) + self.image_id.to_bytes(4, "little") + bytes(4))[:self.security_bytes]


def _esp32(package: int, revision_3: bool) -> EspChip:
    """package: of chip_ver_pkg in eFuse word 3. UART divider and RTC calibration say: 40 MHz crystal, 115200 Bd."""
    fuses = {MAGIC_REGISTER: 0x00F01D83, 0x3FF5A00C: package << 9 | revision_3 << 15, 0x3FF5A010: 128,
             0x3FF5A014: revision_3 << 20, 0x3FF6607C: revision_3 << 31, 0x3FF40014: 347, 0x3FF5F06C: 800 << 7}
    return EspChip(image_id=0, boot_at=0x1000, ram=0x3FFB0000, code=0x40080000, mac=0x3FF5A004,
                   spi=SpiRegisters(0x3FF42000, 0x24, 0x80), fuses=MappingProxyType(fuses))


CHIPS = {
    "esp32": _esp32(package=1, revision_3=True),
    "esp32-pico-d4": _esp32(package=5, revision_3=False),
    "esp32s2": EspChip(
        image_id=2, boot_at=0x1000, ram=0x3FFB0000, code=0x40022000, mac=0x3F41A044, security_bytes=12,
        spi=SpiRegisters(0x3F402000, 0x20, 0x58), wdt=0x3F408094, fuses=MappingProxyType({MAGIC_REGISTER: 0x7C6})),
    # the fuses say v0.2 and v0.4: images may ask for a revision at least as new
    "esp32s3": EspChip(
        image_id=9, boot_at=0, ram=0x3FC88000, code=0x40374000, mac=0x60007044, security_bytes=20,
        spi=SpiRegisters(0x60002000, 0x20, 0x58), wdt=0x60008098, fuses=MappingProxyType({0x60007050: 2 << 18})),
    "esp32c3": EspChip(
        image_id=5, boot_at=0, ram=0x3FC80000, code=0x40380000, mac=0x60008844, security_bytes=20,
        spi=SpiRegisters(0x60002000, 0x20, 0x58), wdt=0x60008090, fuses=MappingProxyType({0x60008850: 4 << 18})),
    "esp32c6": EspChip(
        image_id=13, boot_at=0, ram=0x40800000, code=0x40810000, mac=0x600B0844, security_bytes=20,
        spi=SpiRegisters(0x60003000, 0x20, 0x58)),
}
