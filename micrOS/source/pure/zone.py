"""Time zones: minutes east of UTC, or a POSIX TZ string with its daylight saving rules.

    CET-1CEST,M3.5.0,M10.5.0/3     name, hours west of UTC, name in summer, when summer begins and ends
Source: IEEE Std 1003.1-2017, Base Definitions 8.3 (TZ); times of a change up to 167 hours, as RFC 8536 3.3.1.
"""
from .civil import DAY_S, date, days, weekday

ALWAYS = 1 << 40               # s: before -ALWAYS and after ALWAYS no clock is changed
_AT_TWO = 7200                 # s: a change without a time of its own is at 02:00
_AMERICAN = "M3.2.0,M11.1.0"   # summer, where the text names it but gives no rule
_DIGITS = "0123456789"


class ZoneError(ValueError):
    """Raised when a text is no time zone; says what was expected."""


class Zone:
    """Local time of a place. Offsets in seconds east of UTC, moments in seconds since 2000-01-01 UTC.

    begin, end of summer: (date(year) -> day, s into that day by the clock of before the change).
    """

    def __init__(self, standard_s, summer_s=None, begin=None, end=None):
        self._standard_s = standard_s
        self._summer_s = standard_s if summer_s is None else summer_s
        self._begin = begin
        self._end = end

    def span(self, utc_s):
        """(since, before_s, offset_s, until): how long the offset of a moment holds, and what it was before."""
        since, before_s, offset_s = -ALWAYS, self._standard_s, self._standard_s
        for at, new_s in self._changes(date(utc_s // DAY_S)[0]):
            if at > utc_s:
                return since, before_s, offset_s, at
            since, before_s, offset_s = at, offset_s, new_s
        return since, before_s, offset_s, ALWAYS

    def offset(self, utc_s):
        return self.span(utc_s)[2]

    def to_utc(self, local_s):
        """The moment of a wall clock's reading; the first of two; a skipped one as if the clock had gone on."""
        first = local_s - max(self._standard_s, self._summer_s)
        if first + self.offset(first) == local_s:
            return first
        return local_s - min(self._standard_s, self._summer_s)

    def _changes(self, year):
        """Pairs (moment, new offset) of that year and its neighbours, in order."""
        found = []
        if self._begin:
            for near in (year - 1, year, year + 1):
                found.append((_moment(self._begin, near) - self._standard_s, self._summer_s))
                found.append((_moment(self._end, near) - self._summer_s, self._standard_s))
        return sorted(found)


def fixed(minutes):
    """A Zone without summer. minutes: east of UTC."""
    return Zone(minutes * 60)


def parse(text):
    """Zone of a POSIX TZ string. Raises ZoneError."""
    try:
        return _zone(text)
    except (ValueError, IndexError):
        raise ZoneError("a time zone is like CET-1CEST,M3.5.0,M10.5.0/3, got {}".format(text))


def refusal(text):
    """What was expected of a text, None when it is a zone."""
    try:
        parse(text)
        return None
    except ZoneError:
        return "n/a or a POSIX TZ string as CET-1CEST,M3.5.0,M10.5.0/3"


def _zone(text):
    west_s, rest = _time(_behind_name(text))
    if not rest:
        return Zone(-west_s)
    rest = _behind_name(rest)
    summer_s = 3600 - west_s
    if rest and rest[0] != ",":
        west_summer_s, rest = _time(rest)
        summer_s = -west_summer_s
    begin, end = (rest[1:] or _AMERICAN).split(",")
    return Zone(-west_s, summer_s, _rule(begin), _rule(end))


def _behind_name(text):
    """What follows a zone's name: letters, or anything in < >."""
    if text[0] == "<":
        return text[text.index(">") + 1:]
    letters = 0
    while text[letters:letters + 1].isalpha():
        letters += 1
    if letters < 3:
        raise ValueError
    return text[letters:]


def _time(text):
    """(seconds, rest) of `[+-]h[:m[:s]]`. Raises ValueError."""
    signed = text[0] in "+-"
    end = int(signed)
    while text[end:end + 1] and text[end] in _DIGITS + ":":
        end += 1
    parts = [int(part) for part in text[signed:end].split(":")] + [0, 0]
    if parts[0] > 167 or max(parts[1:]) > 59 or len(parts) > 5:
        raise ValueError
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2]
    return -seconds if text[0] == "-" else seconds, text[end:]


def _rule(text):
    """(function year -> day, s) of a change."""
    day, slash, at = text.partition("/")
    at_s, rest = _time(at) if slash else (_AT_TWO, "")
    if rest:
        raise ValueError
    if day[0] == "M":
        month, week, of_week = [int(part) for part in day[1:].split(".")]
        _within(month, 1, 12), _within(week, 1, 5), _within(of_week, 0, 6)
        return lambda year: _nth(year, month, week, (of_week + 6) % 7), at_s
    if day[0] == "J":
        number = _within(int(day[1:]), 1, 365)
        return lambda year: days(year, 3, 1) + number - 60 if number > 59 else days(year, 1, number), at_s
    number = _within(int(day), 0, 365)
    return lambda year: days(year, 1, 1) + number, at_s


def _within(number, least, most):
    if not least <= number <= most:
        raise ValueError
    return number


def _nth(year, month, week, of_week):
    """Day of the week-th weekday in a month; the fifth is the last."""
    first = days(year, month, 1)
    day = first + (of_week - weekday(first)) % 7 + 7 * (week - 1)
    next_month = days(year + month // 12, month % 12 + 1, 1)
    return day if day < next_month else day - 7


def _moment(rule, year):
    date_of, at_s = rule
    return date_of(year) * DAY_S + at_s
