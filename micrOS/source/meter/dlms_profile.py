"""Conversations with a DLMS meter: what comes row by row and is never held whole."""
import asyncio

from micropython import const

from pure.axdr_rows import Rows
from pure.cosem import CosemError, obis, obis_text
from pure.cosem_text import scaled, show, unit
from pure.lazy import unload

_MOST_ROW_OCTETS = const(2048)
_MOST_WAITING = const(4096)      # octets that may wait for the client
_STALL_MS = const(10000)
_PAUSE_MS = const(10)


class _Told:
    """Rows as they come, without the others, as lines to a client that may be slower than the meter.

    say   function(text) -> octets that wait for the client, None where nobody counts them; say(None) only sends
    show  function(row) -> text
    """

    def __init__(self, session, say, show):
        self.count = 0
        self._rows = Rows(_MOST_ROW_OCTETS)
        self._say = say
        self._show = show
        self._waiting = 0
        session.pace = self._pace

    def feed(self, octets):
        for row in self._rows.feed(octets):
            self.count += 1
            self._waiting = self._say(self._show(row)) or 0

    def finish(self):
        """Number of the rows. Raises AxdrError when they are not whole."""
        self._rows.finish()
        return self.count

    async def _pace(self):
        """Between two blocks: a client that does not read shall not fill the memory."""
        for _ in range(_STALL_MS // _PAUSE_MS):
            if self._waiting <= _MOST_WAITING:
                return
            await asyncio.sleep_ms(_PAUSE_MS)
            self._waiting = self._say(None) or 0
        raise CosemError("the client takes nothing of what the meter says")


async def objects(session, say):
    """say(text) for each object of the meter: `1.0.1.8.0.255 register`. Number of them."""
    told = _Told(session, say, _object)
    await session.get(15, b"\0\0\x28\0\0\xff", 2, b"\0", told)
    return told.finish()


def _object(row):
    if not isinstance(row, tuple) or len(row) < 3 or not isinstance(row[2], bytes):
        raise CosemError("an object list of another shape")
    from pure.cosem_time import class_name
    return "{:<22} {}".format(obis_text(row[2]), class_name(row[0]))


async def profile(session, say, code, begin=None, end=None, last=None):
    """say(text) for each row of a load profile: its columns with their units, `;` between. Number of the rows.

    begin, end: texts of moments; last: so many rows up to now; else all
    """
    octets = obis(code)
    span = _span(begin, end)
    columns = await _columns(session, octets)
    say("; ".join([name for name, _, _ in columns]))
    shown = _Shown(columns, await session.get(7, octets, 4))
    chosen = await _chosen(session, octets, span, last)
    told = _Told(session, say, shown.row)
    await session.get(7, octets, 2, chosen, told)
    return told.finish()


async def _columns(session, octets):
    """(name, scaler, unit) of each column; scaler None: it is no number with a unit."""
    columns = []
    for each in await session.get(7, octets, 3):
        class_id, code, number = each[:3]
        scaler, text = None, ""
        if class_id in (3, 4) and number == 2:
            scaler, text = await session.get(class_id, code, 3)
            text = " " + unit(text)
        columns.append((obis_text(code), scaler, text))
    return columns


def _span(begin, end):
    """Two date-times, or None: all rows. Raises TimeError."""
    if not (begin or end):
        return None
    from pure.cosem_time import moment_octets
    span = moment_octets(begin or "2000-01-01"), moment_octets(end or "2099-12-31")
    unload("pure.cosem_time")
    return span


async def _chosen(session, octets, span, last):
    """Selection of the rows."""
    if not (last or span):
        return b"\0"
    count = await session.get(7, octets, 7) if last else 0
    from pure.cosem_write import by_entry, by_range
    chosen = by_entry(max(1, count - last + 1)) if last else by_range(*span)
    unload("pure.cosem_write", "pure.axdr_write")
    return chosen


class _Shown:
    """Rows as text. A moment that the meter leaves out is the one before and a period more: so profiles are shrunk."""

    def __init__(self, columns, period_s):
        self._columns = columns
        self._period_s = period_s
        self._moment = None

    def row(self, row):
        if not isinstance(row, tuple) or len(row) != len(self._columns):
            raise CosemError("a row that has other columns than were told")
        return "; ".join([self._text(value, *column) for value, column in zip(row, self._columns)])

    def _text(self, value, name, scaler, unit):
        if name == "0.0.1.0.0.255":
            if value is None and self._moment:
                from pure.cosem_time import later
                value = later(self._moment, self._period_s)
            self._moment = value
        if scaler is None or not isinstance(value, (int, float)):
            return show(value)
        return scaled(value, scaler) + unit
