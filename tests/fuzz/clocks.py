"""Wall clocks by brute force: Python's zoneinfo says what a clock shows in each minute of a year, a loop what is due.

Nothing here shares a line with pure/zone.py or pure/cron.py. zoneinfo reads the TZ string from the footer of a TZif
file (RFC 8536 3.3) made for it, so no time zone database is needed.
"""
import array
import datetime
import functools
import io
import itertools
import struct
import zoneinfo

EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
LEAD_MINUTES = 3 * 1440              # shown before a span, so that a loop knows the highest reading so far
WEEK_MINUTES = 7 * 1440
QUARTER = 15                         # minutes: no zone below changes its clock between two quarters of an hour

ZONES = {                            # the rules of today, from the IANA database's footers
    "Budapest": "CET-1CEST,M3.5.0,M10.5.0/3",
    "New York": "EST5EDT,M3.2.0,M11.1.0",
    "St Johns": "NST3:30NDT,M3.2.0,M11.1.0",
    "Lord Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "Kolkata": "IST-5:30",
    "Auckland": "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "Nuuk": "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
}


def tzif(text: str) -> bytes:
    """A version 2 TZif file with one transition, long ago, that leaves all to the TZ string in its footer."""
    name = b"LMT\0"
    first = struct.pack(">4sc15x6L", b"TZif", b"2", 0, 0, 0, 0, 1, len(name)) + struct.pack(">lBB", 0, 0, 0) + name
    second = struct.pack(">4sc15x6L", b"TZif", b"2", 0, 0, 0, 1, 1, len(name))
    return first + second + struct.pack(">q", -2**40) + b"\0" + struct.pack(">lBB", 0, 0, 0) + name + b"\n" + \
        text.encode() + b"\n"


@functools.cache
def zone(text: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(tzif(text)))


def minute_of(year: int) -> int:
    """Minutes from 2000 to a year."""
    return (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) - EPOCH) // datetime.timedelta(minutes=1)


@functools.cache
def shown(text: str, year: int) -> array.array:
    """Minutes since 2000 that a zone's clock shows, each minute from LEAD_MINUTES before the year to its end."""
    start = minute_of(year) - LEAD_MINUTES
    where = zone(text)
    readings = array.array("l")
    for minute in range(start, minute_of(year + 1) + 1, QUARTER):
        offset = (EPOCH + datetime.timedelta(minutes=minute)).astimezone(where).utcoffset()
        assert offset is not None
        first = minute + offset // datetime.timedelta(minutes=1)
        readings.extend(range(first, first + QUARTER))
    return readings


def changes(text: str, year: int) -> list[int]:
    """Minutes of a year, from its begin, at which the clock is changed."""
    readings = shown(text, year)[LEAD_MINUTES:]
    return [at for at, (before, reading) in enumerate(itertools.pairwise(readings), 1) if reading != before + 1]


def due(text: str, year: int, fields: tuple[set[int], ...], limit: int, begin: int = 0) -> list[int]:
    """The first `limit` seconds since 2000 UTC at which a rule is due in a year, from its minute `begin` on.

    fields: weekdays, hours, minutes, seconds.
    """
    weekdays, hours, minutes, seconds = fields
    by_hour = hours == set(range(24))
    readings = shown(text, year)[begin:]
    matches = [minute % 60 in minutes and minute // 60 % 24 in hours
               and (minute // 1440 + EPOCH.weekday()) % 7 in weekdays for minute in range(WEEK_MINUTES)]

    found: list[int] = []
    highest = readings[0]
    start = minute_of(year) + begin
    for number, reading in enumerate(readings[1:], start - LEAD_MINUTES + 1):
        here: set[int] = set()
        if matches[reading % WEEK_MINUTES] and (by_hour or reading > highest):
            here = {60 * number + second for second in seconds}
        if reading > highest:
            skipped = range(highest + 1, reading)
            if skipped and not by_hour and any(matches[minute % WEEK_MINUTES] for minute in skipped):
                here.add(60 * number)
            highest = reading
        if here and number >= start:
            found += sorted(here)
            if len(found) >= limit:
                break
    return found[:limit]
