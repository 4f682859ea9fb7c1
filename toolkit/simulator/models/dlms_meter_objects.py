"""What stands in a COSEM meter: registers that move, a clock, months of load profile, a switch.

Source: IEC 62056-6-2 / DLMS UA Blue Book: 4.3 (data, register, profile), 4.5 (clock, association), 4.5.8 (disconnect
control); OBIS codes: IEC 62056-6-1. An object is a table of attributes and methods; numbers that move are functions
of the time, so that a profile of months takes no room.
"""
from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrOS.source.pure import axdr_write as axdr
from micrOS.source.pure.axdr import length
from micrOS.source.pure.cosem import obis, obis_text

Typed = tuple[int, Any]                      # as axdr.encode() takes it
Attribute = Callable[[], Typed] | Typed
SUCCESS, HARDWARE, TEMPORARY, DENIED, UNDEFINED, CLASS_WRONG, TYPE_WRONG, SCOPE, OTHER = 0, 1, 2, 3, 4, 9, 12, 13, 250

UNFIT = (TypeError, ValueError, OverflowError, struct.error)      # of a value that is not what it should be

INSTALLED_S = 1_672_531_200                  # 2023-01-01: the registers count from then on
DAY_S = 86400
MEAN_W, SWING_W = 800.0, 600.0               # of a house over the day
QUARTER_S = 900


class Refused(Exception):
    """Raised when an object does not give, take or do what it was asked. code: data-access result"""

    def __init__(self, code: int) -> None:
        super().__init__(f"data access result {code}")
        self.code = code


@dataclass
class CosemObject:
    """attributes: {number: typed value, or function that gives it}; attribute 1, the name, is always there.

    writable  {number: tag that it takes}
    methods   {number: function(typed parameter or None) -> typed value or None}
    stored    called with (number, value) after each write
    """

    class_id: int
    name: bytes
    attributes: dict[int, Attribute]
    writable: Mapping[int, int] = field(default_factory=dict)
    methods: Mapping[int, Callable[[Typed | None], Typed | None]] = field(default_factory=dict)
    stored: Callable[[int, Any], None] = lambda number, value: None

    def read(self, number: int, selection: tuple[int, Typed] | None = None) -> Iterator[bytes]:
        """Encoded value in pieces. Raises Refused."""
        if selection:
            raise Refused(SCOPE)
        if number == 1:
            yield axdr.encode((axdr.OCTET_STRING, self.name))
            return
        if number not in self.attributes:
            raise Refused(UNDEFINED)
        value = self.attributes[number]
        yield axdr.encode(value() if callable(value) else value)

    def write(self, number: int, value: Typed) -> None:
        if number not in self.writable:
            raise Refused(DENIED)
        if value[0] != self.writable[number]:
            raise Refused(TYPE_WRONG)
        try:
            self.stored(number, value[1])
        except UNFIT:
            raise Refused(TYPE_WRONG) from None
        self.attributes[number] = value

    def act(self, number: int, parameter: Typed | None) -> Typed | None:
        if number not in self.methods:
            raise Refused(DENIED)
        return self.methods[number](parameter)

    def row(self) -> Typed:
        """Of the association's object list: class, version, name, access rights."""
        attributes = [(axdr.STRUCTURE, ((axdr.INT8, number), (axdr.ENUM, 3 if number in self.writable else 1),
                                        (axdr.NULL, None))) for number in [1, *sorted(self.attributes)]]
        methods = [(axdr.STRUCTURE, ((axdr.INT8, number), (axdr.ENUM, 1))) for number in sorted(self.methods)]
        return axdr.STRUCTURE, ((axdr.UINT16, self.class_id), (axdr.UINT8, 0), (axdr.OCTET_STRING, self.name),
                                (axdr.STRUCTURE, ((axdr.ARRAY, attributes), (axdr.ARRAY, methods))))


Objects = dict[tuple[int, bytes], CosemObject]


def table(objects: Sequence[CosemObject]) -> Objects:
    return {(each.class_id, each.name): each for each in objects}


def date_time(seconds_1970: float) -> bytes:
    """12 octets of UTC."""
    told = time.gmtime(seconds_1970)
    return struct.pack(">HBBBBBBBhB", told.tm_year, told.tm_mon, told.tm_mday, told.tm_wday + 1, told.tm_hour,
                       told.tm_min, told.tm_sec, 0, 0, 0)


def seconds_of(octets: bytes) -> float:
    """Seconds since 1970 of a date-time; what it leaves out is the least there is."""
    year, month, day, _, hour, minute, second, _, _, _ = struct.unpack(">HBBBBBBBhB", octets)
    parts = [0 if part == 0xFF else part for part in (hour, minute, second)]
    import calendar
    return calendar.timegm((year, month if month != 0xFF else 1, day if day != 0xFF else 1, *parts))


def data(code: str, value: Attribute, tag: int | None = None) -> CosemObject:
    """tag: that may be written"""
    return CosemObject(1, obis(code), {2: value}, {2: tag} if tag is not None else {})


def register(code: str, tag: int, value: Callable[[], int], scaler: int, unit: int) -> CosemObject:
    scaled = (axdr.STRUCTURE, ((axdr.INT8, scaler), (axdr.ENUM, unit)))
    return CosemObject(3, obis(code), {2: lambda: (tag, value()), 3: scaled})


class Profile(CosemObject):
    """Rows at even times, computed when they are asked for. columns: objects' (class, name, attribute)"""

    def __init__(self, code: str, columns: Sequence[tuple[int, bytes, int]], row: Callable[[float], Sequence[Typed]],
                 now: Callable[[], float], rows: int, period_s: int = QUARTER_S) -> None:
        captured = [(axdr.STRUCTURE, ((axdr.UINT16, class_id), (axdr.OCTET_STRING, name), (axdr.INT8, number),
                                      (axdr.UINT16, 0))) for class_id, name, number in columns]
        super().__init__(7, obis(code), {
            2: (axdr.ARRAY, []), 3: (axdr.ARRAY, captured), 4: (axdr.UINT32, period_s), 5: (axdr.ENUM, 1),
            6: (axdr.NULL, None), 7: lambda: (axdr.UINT32, len(self._moments())), 8: (axdr.UINT32, rows)},
            methods={1: self._clear, 2: lambda _: None})
        self._row, self._now, self._period_s, self._count = row, now, period_s, rows
        self._columns = len(columns)
        self._cleared_s = 0.0

    def read(self, number: int, selection: tuple[int, Typed] | None = None) -> Iterator[bytes]:
        if number != 2:
            yield from super().read(number, selection)
            return
        try:
            moments, columns = self._chosen(selection)
        except UNFIT:
            raise Refused(TYPE_WRONG) from None
        yield bytes((axdr.ARRAY,)) + length(len(moments))
        for moment in moments:
            row = self._row(moment)
            yield axdr.encode((axdr.STRUCTURE, tuple(row[column] for column in columns)))

    def _moments(self) -> list[float]:
        last = self._now() // self._period_s * self._period_s
        every = [last - self._period_s * at for at in range(self._count - 1, -1, -1)]
        return [moment for moment in every if moment >= self._cleared_s]

    def _chosen(self, selection: tuple[int, Typed] | None) -> tuple[list[float], range]:
        moments, columns = self._moments(), range(self._columns)
        if not selection:
            return moments, columns
        selector, (tag, parts) = selection
        if tag != axdr.STRUCTURE or len(parts) != 4 or selector not in (1, 2):
            raise Refused(TYPE_WRONG)
        values = [part[1] for part in parts]
        if selector == 1:
            begin, end = seconds_of(values[1]), seconds_of(values[2])
            return [moment for moment in moments if begin <= moment <= end], columns
        first, last, first_column, last_column = values
        return moments[first - 1:last or None], columns[first_column - 1:last_column or None]

    def _clear(self, parameter: Typed | None) -> None:
        self._cleared_s = self._now()


class House:
    """What the meter measures, as functions of the time."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.is_on = True
        self.stored: dict[bytes, Any] = {}       # what clients have written
        self.offset_s = 0.0                      # by which they have put the clock right

    def time(self) -> float:
        return self.now() + self.offset_s

    def watts(self, at_s: float) -> int:
        return int(MEAN_W - SWING_W * math.cos(2 * math.pi * at_s / DAY_S)) if self.is_on else 0

    def deci_wh(self, at_s: float) -> int:
        """Energy since the meter was installed: the integral of watts()."""
        swing = SWING_W * DAY_S / (2 * math.pi) * math.sin(2 * math.pi * at_s / DAY_S)
        return int((MEAN_W * (at_s - INSTALLED_S) - swing) / 360) & 0xFFFFFFFF

    def deci_volts(self, at_s: float) -> int:
        return int(2300 + 30 * math.sin(2 * math.pi * at_s / (DAY_S / 7)))

    def row(self, at_s: float) -> list[Typed]:
        return [(axdr.OCTET_STRING, date_time(at_s)), (axdr.UINT32, self.deci_wh(at_s)),
                (axdr.UINT16, self.deci_volts(at_s))]

    def set_clock(self, number: int, value: bytes) -> None:
        if number == 2:
            self.offset_s = seconds_of(value) - self.now()

    def switch(self, is_on: bool) -> None:
        self.is_on = is_on


def house_objects(house: House, rows: int = 3000) -> list[CosemObject]:
    """Of a meter in a house. rows: of its load profile, a quarter of an hour each"""
    clock, energy, voltage = obis("0.0.1.0.0"), obis("1.0.1.8.0"), obis("1.0.32.7.0")

    def now(function: Callable[[float], int]) -> Callable[[], int]:
        return lambda: function(house.time())

    def switch(is_on: bool) -> Callable[[Typed | None], None]:
        return lambda parameter: house.switch(is_on)

    def keep(name: bytes) -> Callable[[int, Any], None]:
        return lambda number, value: house.stored.update({name: value})

    spare = data("0.0.96.3.10.254", (axdr.UINT8, 7), axdr.UINT8)
    spare.stored = keep(spare.name)
    note = data("0.0.96.50.0", (axdr.OCTET_STRING, b""), axdr.OCTET_STRING)
    note.stored = keep(note.name)
    return [
        data("0.0.42.0.0", (axdr.OCTET_STRING, b"MIC0000000000001")),
        data("0.0.96.1.0", (axdr.OCTET_STRING, b"SN12345678")),
        register("1.0.1.8.0", axdr.UINT32, now(house.deci_wh), -1, 30),
        register("1.0.2.8.0", axdr.UINT32, lambda: 0, -1, 30),
        register("1.0.1.7.0", axdr.UINT32, now(house.watts), 0, 27),
        register("1.0.32.7.0", axdr.UINT16, now(house.deci_volts), -1, 35),
        register("1.0.31.7.0", axdr.UINT16, lambda: house.watts(house.time()) * 1000 // house.deci_volts(house.time()),
                 -2, 33),
        register("1.0.14.7.0", axdr.UINT16, lambda: 5000, -2, 44),
        CosemObject(8, clock, {
            2: lambda: (axdr.OCTET_STRING, date_time(house.time())), 3: (axdr.INT16, 0), 4: (axdr.UINT8, 0),
            5: (axdr.OCTET_STRING, bytes(12)), 6: (axdr.OCTET_STRING, bytes(12)), 7: (axdr.INT8, 0),
            8: (axdr.BOOLEAN, False), 9: (axdr.ENUM, 1)}, {2: axdr.OCTET_STRING}, stored=house.set_clock),
        Profile("1.0.99.1.0", ((8, clock, 2), (3, energy, 2), (3, voltage, 2)), house.row, house.time, rows),
        CosemObject(70, obis("0.0.96.3.10"), {
            2: lambda: (axdr.BOOLEAN, house.is_on), 3: lambda: (axdr.ENUM, int(house.is_on)), 4: (axdr.ENUM, 4)},
            methods={1: switch(False), 2: switch(True)}),
        spare, note,
        data("0.0.96.1.9", (axdr.OCTET_STRING, bytes(at * 3 & 0xFF for at in range(700)))),
    ]


def names(objects: Objects) -> list[str]:
    return [obis_text(name) for _, name in objects]
