"""The boards that can be flashed: one row each, all that flashing, copying and compiling has to know."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.errors import UsageError
from toolkit.parts import NAMES as ALL_PARTS

RELEASE = "20260824-v1.29.0"                 # of MicroPython; its images are named <micropython>-<release><suffix>
OFFICIAL = "https://micropython.org/resources/firmware/"
RP2040_FAMILY = 0xE48BFF56                   # github.com/microsoft/uf2, utils/uf2families.json


@dataclass(frozen=True)
class Board:
    """One row.

    name          for --board; also that of its virtual board
    chip          as esptool calls it, or as INFO_UF2.TXT of its drive does
    image_chip    chip id in the header of an ESP image (esptool, image format), the UF2 family of an rp2
    micropython   its name at micropython.org/download
    sha256        of its image of RELEASE; None: trusted on first use, see images.py
    offset        of the image in the flash; None: there is no esptool, the image is copied to a drive
    parts         optional parts of micrOS that it gets when nobody says which
    after         what esptool does with the chip once it is written; `no-reset` leaves a button to press
    architecture  of native code, for mpy-cross -march
    """

    name: str
    chip: str
    image_chip: int
    micropython: str
    sha256: str | None
    offset: int | None
    pin_map: str
    architecture: str
    parts: tuple[str, ...] = ALL_PARTS
    after: str = "hard-reset"
    baud: int = 460800
    spellings: tuple[str, ...] = ()          # of 1.20 and others

    @property
    def is_uf2(self) -> bool:
        return self.offset is None

    @property
    def image_name(self) -> str:
        return f"{self.micropython}-{RELEASE}{'.uf2' if self.is_uf2 else '.bin'}"

    @property
    def controller(self) -> str:
        """The last word of os.uname().machine there."""
        return "RP2040" if self.is_uf2 else self.chip.replace("-", "")

    @property
    def needs_button(self) -> bool:
        """True when nobody but its reset button starts what was written."""
        return self.after == "no-reset"

    def erase(self, port: str) -> list[str]:
        """Arguments of esptool. The chip stays in its loader: there is nothing that it could start."""
        return [*self._esptool(port, "no-reset"), "erase-flash"]

    def write(self, port: str, image: str) -> list[str]:
        return [*self._esptool(port, self.after), "write-flash", hex(self.offset or 0), image]

    def _esptool(self, port: str, after: str) -> list[str]:
        chip = self.chip.lower().replace("-", "")
        return ["--chip", chip, "--port", port, "--baud", str(self.baud), "--after", after]


# micropython.org publishes no hashes: each below was measured by at least two strangers to each other who wrote it
# down in public after a download of their own (October 2026). Rows without one: nobody or only one did.
BOARDS = (
    Board("esp32", "ESP32", 0, "ESP32_GENERIC",
          "e67ad6015a0a504c1fec9aa9bbf589d0432ed28e62546f4f8dd8a147f8bd95f6", 0x1000, "LP_esp32", "xtensawin"),
    Board("tinypico", "ESP32", 0, "UM_TINYPICO", None, 0x1000, "LP_tinypico", "xtensawin"),
    # The reset line of its own USB does not reach the chip: spec/devtoolkit.md 6
    Board("esp32s2", "ESP32-S2", 2, "ESP32_GENERIC_S2", None, 0x1000, "LP_esp32s2", "xtensawin", after="no-reset"),
    Board("esp32s3", "ESP32-S3", 9, "ESP32_GENERIC_S3",
          "1dd9dcd27ba2d6a1cb7f7b49a063f46d3d807d68b0151161233920228285e300", 0, "LP_esp32s3", "xtensawin"),
    Board("esp32s3_spiram_oct", "ESP32-S3", 9, "ESP32_GENERIC_S3-SPIRAM_OCT",
          "ab24eadfe3ef0e6ee38834d730e648def7cd82f3fa51ee0bbc59c29a6e1bd176", 0, "LP_esp32s3", "xtensawin"),
    Board("esp32c3", "ESP32-C3", 5, "ESP32_GENERIC_C3",
          "bf72ed9eb88ad3a8f49d02c3d371f9ea34c90a8a303aeb9e324d8efd4a2a655a", 0, "LP_esp32c3", "rv32imc"),
    Board("esp32c6", "ESP32-C6", 13, "ESP32_GENERIC_C6", None, 0, "LP_esp32c6", "rv32imc"),
    Board("rp2", "RPI-RP2", RP2040_FAMILY, "RPI_PICO_W",
          "f918c0a082c6daf53e27998b7f990ba5f065db2e298b21a34024532a20786794", None, "LP_rp2", "armv6m",
          parts=(),                          # 848 KB for files: the core takes 670, a part 100 to 380
          spellings=("rp2-pico-w", "rpi-pico-w", "pico_w")),
)


def names() -> list[str]:
    return [board.name for board in BOARDS]


def board_named(name: str) -> Board:
    """The row of a board, by its name or an older spelling. Raises UsageError that lists the names."""
    for board in BOARDS:
        if name.lower() in (board.name, *board.spellings):
            return board
    raise UsageError(f"no board {name!r}; there are: {', '.join(names())}")


def boards_with(chip: str) -> Sequence[Board]:
    """Rows whose chip esptool has found; the first is the plain one, the others are to be named."""
    return [board for board in BOARDS if board.chip == chip]


def parts_for(machine: str) -> tuple[str, ...]:
    """Optional parts of the plain board that tells this as os.uname().machine; of an unknown one: all."""
    controller = machine.split()[-1] if machine.strip() else ""
    return next((board.parts for board in BOARDS if board.controller == controller), ALL_PARTS)
