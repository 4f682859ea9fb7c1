"""OLED controllers on a module with a glass of 128 x 64: Solomon SSD1306 (rev 1.1) and Sino Wealth SH1106 (v2.3).

The module is looked at as it is usually mounted: upright with A1 and C8. Its only supply is 3.3 V, so it stays dark
without its charge pump.
"""
from collections.abc import Callable
from typing import Any, ClassVar

from toolkit.simulator.i2c import ChipModel

WIDTH, HEIGHT, PAGES = 128, 64, 8
MOST_COMPLAINTS = 50

Command = tuple[int, int, int, str]                  # first and last code, bytes that follow, method


class Oled(ChipModel):
    """What the two have in common. `complaints`: what it was told and does not know; the chip itself keeps silent."""

    COLUMNS: ClassVar[int] = WIDTH
    COMMANDS: ClassVar[tuple[Command, ...]] = ()
    PUMP_AT_POWER_UP: ClassVar[bool] = False

    def power_up(self) -> None:
        self.ram = bytearray((at * 73 ^ at >> 3) & 255 for at in range(self.COLUMNS * PAGES))      # whatever it holds
        self.is_on = self.is_inverted = self.is_all_on = self.is_mirrored = self.is_scan_down = False
        self.contrast, self.has_pump = 0x7F, self.PUMP_AT_POWER_UP
        self.start_line = self.offset = 0
        self.lines, self.is_alternating = HEIGHT, True
        self.column = self.page = 0
        self.complaints: list[str] = []
        self._pending: list[int] = []
        self._missing = 0

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "on": self.is_on, "inverted": self.is_inverted, "contrast": self.contrast,
                "complaints": self.complaints}

    # -- the bus (SSD1306 8.1.5.2, SH1106 "I2C-bus Write data and read register status")
    def write(self, data: bytes) -> None:
        """Control byte: Co, D/C, six zeros. Without Co all that follows is of its kind, else one byte is."""
        at = 0
        while at < len(data):
            control = data[at]
            if control & 0x3F:
                self._complain(f"control byte {control:#04x}")
            end = at + 2 if control & 0x80 else len(data)
            for value in data[at + 1:end]:
                if control & 0x40:
                    self._store(value)
                else:
                    self._listen(value)
            at = end

    def read(self, count: int) -> bytes:
        """The status: bit 6 is set while the display is off."""
        return bytes((0 if self.is_on else 0x40,)) * count

    def _listen(self, value: int) -> None:
        """A byte of a command; its arguments may come in transfers of their own."""
        if not self._pending:
            self._missing = self._row(value)[2]
        self._pending.append(value)
        if len(self._pending) > self._missing:
            code, *arguments = self._pending
            self._pending = []
            do: Callable[..., None] = getattr(self, self._row(code)[3])
            do(code, *arguments)

    def _row(self, code: int) -> Command:
        for row in self.COMMANDS:
            if row[0] <= code <= row[1]:
                return row
        return code, code, 0, "_unknown"

    def _complain(self, text: str) -> None:
        if len(self.complaints) < MOST_COMPLAINTS:
            self.complaints.append(text)

    def _check(self, is_right: bool, code: int, *values: int) -> bool:
        if not is_right:
            self._complain(f"{code:#04x} with {', '.join(map(hex, values))}")
        return is_right

    # -- memory
    def _store(self, value: int) -> None:
        raise NotImplementedError

    # -- commands
    def _unknown(self, code: int) -> None:
        self._complain(f"command {code:#04x}")

    def _nothing(self, code: int, *values: int) -> None:
        """Timing and scrolling, which the picture does not show."""

    def _column_low(self, code: int) -> None:
        self.column = self.column & 0xF0 | code & 15

    def _column_high(self, code: int) -> None:
        self.column = self.column & 15 | (code & 15) << 4

    def _page(self, code: int) -> None:
        self.page = code & 7

    def _start_line(self, code: int) -> None:
        self.start_line = code & 63

    def _contrast(self, code: int, value: int) -> None:
        self.contrast = value

    def _mirror(self, code: int) -> None:
        self.is_mirrored = bool(code & 1)

    def _all_on(self, code: int) -> None:
        self.is_all_on = bool(code & 1)

    def _invert(self, code: int) -> None:
        self.is_inverted = bool(code & 1)

    def _multiplex(self, code: int, value: int) -> None:
        if self._check(value >= 15, code, value):
            self.lines = (value & 63) + 1

    def _power(self, code: int) -> None:
        self.is_on = bool(code & 1)

    def _scan(self, code: int) -> None:
        self.is_scan_down = bool(code & 8)

    def _shift(self, code: int, value: int) -> None:
        self.offset = value & 63

    def _com_pins(self, code: int, value: int) -> None:
        if self._check(value & ~0x30 == 2, code, value):
            self.is_alternating = bool(value & 0x10)

    # -- the glass
    def rows(self) -> list[str]:
        """What is seen: 64 lines of 128 signs, `#` is lit."""
        return ["".join("#" if self._is_lit(x, y) else "." for x in range(WIDTH)) for y in range(HEIGHT)]

    def _is_lit(self, x: int, y: int) -> bool:
        line = HEIGHT - 1 - y
        if not self.is_alternating:                  # the glass is wired in turns to both sides
            line = line // 2 + HEIGHT // 2 * (line % 2)
        if not (self.is_on and self.has_pump) or line >= self.lines:
            return False
        row = (self.lines - 1 - line if self.is_scan_down else line) + self.start_line + self.offset
        return self.is_all_on or self.is_inverted != self._bit(x, row % HEIGHT)

    def _bit(self, x: int, row: int) -> bool:
        raise NotImplementedError


SHARED: tuple[Command, ...] = (
    (0x00, 0x0F, 0, "_column_low"), (0x10, 0x1F, 0, "_column_high"), (0x40, 0x7F, 0, "_start_line"),
    (0x81, 0x81, 1, "_contrast"), (0xA0, 0xA1, 0, "_mirror"), (0xA4, 0xA5, 0, "_all_on"),
    (0xA6, 0xA7, 0, "_invert"), (0xA8, 0xA8, 1, "_multiplex"), (0xAE, 0xAF, 0, "_power"),
    (0xB0, 0xB7, 0, "_page"), (0xC0, 0xCF, 0, "_scan"), (0xD3, 0xD3, 1, "_shift"), (0xD5, 0xD5, 1, "_nothing"),
    (0xD9, 0xD9, 1, "_nothing"), (0xDA, 0xDA, 1, "_com_pins"), (0xDB, 0xDB, 1, "_nothing"),
    (0xE3, 0xE3, 0, "_nothing"),
)


class Ssd1306(Oled):
    """Source: section 9 (commands), 10.1.1-10.1.3 (addressing), application note at its end (charge pump)."""

    model = "ssd1306"
    COMMANDS = (
        *SHARED, (0x20, 0x20, 1, "_mode"), (0x21, 0x21, 2, "_columns"), (0x22, 0x22, 2, "_pages"),
        (0x26, 0x27, 6, "_nothing"), (0x29, 0x2A, 5, "_nothing"), (0x2E, 0x2F, 0, "_nothing"),
        (0x8D, 0x8D, 1, "_pump"), (0xA3, 0xA3, 2, "_nothing"),
        (0xAD, 0xAD, 1, "_nothing"),                 # of the SSD1306B: its own current reference
    )
    HORIZONTAL, VERTICAL, BY_PAGE = 0, 1, 2

    def power_up(self) -> None:
        super().power_up()
        self.mode = self.BY_PAGE
        self.column_range, self.page_range = (0, WIDTH - 1), (0, PAGES - 1)

    def _mode(self, code: int, value: int) -> None:
        if self._check(value & 3 != 3 and value < 4, code, value):
            self.mode = value & 3

    def _columns(self, code: int, first: int, last: int) -> None:
        if self._check(first <= last < WIDTH, code, first, last):
            self.column_range, self.column = (first, last), first

    def _pages(self, code: int, first: int, last: int) -> None:
        if self._check(first <= last < PAGES, code, first, last):
            self.page_range, self.page = (first, last), first

    def _pump(self, code: int, value: int) -> None:
        if self._check(value & ~4 == 0x10, code, value):
            self.has_pump = bool(value & 4)

    def _store(self, value: int) -> None:
        # 10.1.8: the segment re-map concerns what is written from now on, not what is in the memory
        column = self.column & 127
        self.ram[self.page * WIDTH + (WIDTH - 1 - column if self.is_mirrored else column)] = value
        if self.mode == self.VERTICAL:
            if self._step_page():
                self._step_column()
        elif self._step_column() and self.mode == self.HORIZONTAL:
            self._step_page()

    def _step_column(self) -> bool:
        """True when it starts again. By page it goes round through all 128 (10.1.3)."""
        first, last = (0, WIDTH - 1) if self.mode == self.BY_PAGE else self.column_range
        is_last = self.column == last
        self.column = first if is_last else (self.column + 1) & 127
        return is_last

    def _step_page(self) -> bool:
        first, last = self.page_range
        is_last = self.page == last
        self.page = first if is_last else (self.page + 1) & 7
        return is_last

    def _bit(self, x: int, row: int) -> bool:
        return bool(self.ram[(row >> 3) * WIDTH + WIDTH - 1 - x] >> (row & 7) & 1)


class Sh1106(Oled):
    """Source: command table; 132 columns, of which the glass has the middle 128; one page at a time."""

    model = "sh1106"
    COLUMNS = 132
    EDGE = 2
    PUMP_AT_POWER_UP = True                          # command AD: POR 8B
    COMMANDS = (
        *SHARED, (0x30, 0x33, 0, "_nothing"), (0xAD, 0xAD, 1, "_pump"), (0xE0, 0xE0, 0, "_modify"),
        (0xEE, 0xEE, 0, "_modified"),
    )

    def power_up(self) -> None:
        super().power_up()
        self.contrast = 0x80
        self._kept_column: int | None = None

    def _pump(self, code: int, value: int) -> None:
        if self._check(value & ~1 == 0x8A, code, value):
            self.has_pump = bool(value & 1)

    def _modify(self, code: int) -> None:
        self._kept_column = self.column

    def _modified(self, code: int) -> None:
        if self._kept_column is not None:
            self.column, self._kept_column = self._kept_column, None

    def _store(self, value: int) -> None:
        """The column goes on to the last one and stays there."""
        column = min(self.column, self.COLUMNS - 1)
        self.ram[self.page * self.COLUMNS + column] = value
        self.column = min(column + 1, self.COLUMNS - 1)

    def _bit(self, x: int, row: int) -> bool:
        segment = self.COLUMNS - 1 - self.EDGE - x
        column = self.COLUMNS - 1 - segment if self.is_mirrored else segment
        return bool(self.ram[(row >> 3) * self.COLUMNS + column] >> (row & 7) & 1)
