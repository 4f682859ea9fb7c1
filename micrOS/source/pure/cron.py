"""When a scheduled command is due: (rule, moment, zone, sun) -> seconds to wait. Knows no clock and holds no state.

    tasks = item { ";" item }                  with `;;` anywhere that parts the items, and `;` parts an item's commands
    item  = when [ " late" ] "!" commands
    when  = weekday ":" hour ":" minute ":" second | [ weekday ":" ] sun
    field = part { "," part }      part = ( "*" | number [ "-" number ] ) [ "/" step ]      5-1 runs over the end
    sun   = ( "sunrise" | "sunset" ) [ ( "+" | "-" ) minutes ] [ ">" hour ":" minute ] [ "<" hour ":" minute ]
Weekday 0 is Monday. `>` and `<`: not before, not after that local time. `late`: a slot that passed while power or clock
was away is made up once. All moments are seconds since 2000-01-01 UTC.

A slot is a reading of the local clock. When the clock goes forward, a rule that names its hours and had a slot in the
skipped time is due once, right at the change; when it goes back, such a rule keeps still in the repeated hour.
A rule for every hour follows the clock as it goes.
"""
from .civil import DAY_S, weekday

_FIELDS = (("weekday", 7), ("hour", 24), ("minute", 60), ("second", 60))
_EVERY_DAY = (1 << 7) - 1
_EVERY_HOUR = (1 << 24) - 1
_SUNS = ("sunrise", "sunset")
_WEEK = 8                      # days in which a weekday comes again
_MOST_MINUTES = 720            # that a command may be away from its sunrise
_AWAY_FROM_SUN = "+-><"


class CronError(ValueError):
    """Raised when an item cannot be read; says what was expected and what came."""


class Rule:
    """When a command is due. weekdays, hours, minutes, seconds: sets of bits.

    sun: 0 sunrise, 1 sunset, None by the clock; offset_s from it; earliest_s, latest_s: seconds into the local day.
    """

    late = False
    sun = None
    hours = minutes = seconds = 0
    offset_s = 0
    earliest_s = -DAY_S        # an offset may lead into the next day, or the one before
    latest_s = 2 * DAY_S

    def __init__(self, weekdays=_EVERY_DAY):
        self.weekdays = weekdays

    def wait(self, now_s, zone, sun=None):
        """Seconds from a moment to the first slot at or after it; None: the sun gives no slot within a week.

        zone: as pure/zone.py; sun: function(days) -> (rise_s, set_s), or a text when it does neither.
        """
        slot_s = self._by_clock(now_s, zone) if self.sun is None else self._by_sun(now_s, zone, sun)
        return None if slot_s is None else slot_s - now_s

    def _by_clock(self, utc_s, zone):
        while True:
            since, before_s, offset_s, until = zone.span(utc_s)
            local_s = utc_s + offset_s
            if self.hours != _EVERY_HOUR and offset_s != before_s:
                changed_s = since + before_s          # what the clock showed when it was changed
                if offset_s < before_s:
                    local_s = max(local_s, changed_s)
                elif utc_s == since and self._local(changed_s) < local_s:
                    return utc_s
            slot_s = self._local(local_s) - offset_s
            if slot_s < until:
                return slot_s
            utc_s = until

    def _local(self, local_s):
        """The first matching reading of a clock that nobody changes, at or after local_s."""
        day, second = divmod(local_s, DAY_S)
        for ahead in range(_WEEK):
            if self.weekdays >> weekday(day + ahead) & 1:
                at_s = self._within_day(0 if ahead else second)
                if at_s is not None:
                    return (day + ahead) * DAY_S + at_s
        raise AssertionError("unreachable: each rule has a weekday and a time of day")

    def _within_day(self, from_s):
        """Seconds into the day of the first slot at or after from_s, None when there is none left."""
        hour, minute, second = from_s // 3600, from_s // 60 % 60, from_s % 60
        found = _next(self.seconds, second)
        at = _next(self.minutes, minute + (found is None))
        if at != minute:
            found = None
        in_hour = _next(self.hours, hour + (at is None))
        if in_hour is None:
            return None
        if in_hour != hour:
            at = found = None
        at = _next(self.minutes, 0) if at is None else at
        return in_hour * 3600 + at * 60 + (_next(self.seconds, 0) if found is None else found)

    def _by_sun(self, utc_s, zone, sun):
        today = (utc_s + zone.offset(utc_s)) // DAY_S
        for day in range(today - 1, today + _WEEK):
            if self.weekdays >> weekday(day) & 1:
                slot_s = self._of_day(day, zone, sun(day))
                if slot_s is not None and slot_s >= utc_s:
                    return slot_s
        return None

    def _of_day(self, day, zone, moments):
        if isinstance(moments, str):
            return None
        local_s = moments[self.sun] + self.offset_s
        local_s += zone.offset(local_s)
        within = min(max(local_s, day * DAY_S + self.earliest_s), day * DAY_S + self.latest_s)
        return moments[self.sun] + self.offset_s if within == local_s else zone.to_utc(within)


def _next(bits, least):
    """The lowest member of a set of bits that is least or more, None when there is none."""
    bits >>= least
    if not bits:
        return None
    while not bits & 1:
        bits >>= 1
        least += 1
    return least


def items(text):
    """Texts of the items of a crontasks value, empty ones left out; [] for `n/a`. An open quote holds no `;`."""
    from .values import cut
    if text.strip() == "n/a":
        return []
    try:
        pieces = text.split(";;") if ";;" in text else cut(text, ";")
    except ValueError:
        pieces = text.split(";")
    return [piece.strip() for piece in pieces if piece.strip()]


def item(text):
    """(Rule, commands as a pipe) of an item. Raises CronError."""
    when, mark, commands = text.partition("!")
    if not mark or not commands.strip():
        raise CronError("an item is when!command, got {}".format(text))
    return rule(when), commands.strip()


def rule(text):
    """The Rule of a `when`. Raises CronError."""
    words = text.split()
    late = words[1:] == ["late"]
    if len(words) != 1 + late:
        raise CronError("when is WD:H:M:S, sunrise or sunset, without blanks, then perhaps late; got {}".format(text))
    found = _sun_rule(words[0]) if "sun" in words[0] else _clock_rule(words[0])
    found.late = late
    return found


def _clock_rule(text):
    fields = text.split(":")
    if len(fields) != len(_FIELDS):
        raise CronError("when is WD:H:M:S, sunrise or sunset, got {}".format(text))
    found = Rule(_bits(fields[0], 0))
    found.hours, found.minutes, found.seconds = [_bits(fields[at], at) for at in (1, 2, 3)]
    return found


def _sun_rule(text):
    weekdays, colon, rest = text.partition(":s")
    found = Rule(_bits(weekdays, 0)) if colon else Rule()
    rest = "s" + rest if colon else text
    for which, name in enumerate(_SUNS):
        if rest.startswith(name):
            found.sun = which
            _shift(found, rest[len(name):])
            return found
    raise CronError("the sun has sunrise and sunset, got {}".format(text))


def _shift(found, text):
    """Read `+30>18:00<22:00` into a Rule."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or text[end] in _AWAY_FROM_SUN:
            mark, value = text[start], text[start + 1:end]
            if mark in "+-":
                found.offset_s = 60 * _number(value, 0, _MOST_MINUTES, "minutes") * (1 if mark == "+" else -1)
            elif mark == ">":
                found.earliest_s = _time_of_day(value)
            elif mark == "<":
                found.latest_s = _time_of_day(value)
            else:
                raise CronError("behind sunrise and sunset stand +minutes, -minutes, >H:M, <H:M; got {}".format(text))
            start = end


def _time_of_day(text):
    hour, _, minute = text.partition(":")
    return 3600 * _number(hour, 0, 24, "hour") + 60 * _number(minute or "0", 0, 59, "minute")


def _bits(text, which):
    """Set of bits of a field. which: index into _FIELDS."""
    name, count = _FIELDS[which]
    bits = 0
    for part in text.split(","):
        span, slash, step = part.partition("/")
        step = _number(step, 1, count, name + " step") if slash else 1
        if span == "*":
            first, last = 0, count - 1
        else:
            low, dash, high = span.partition("-")
            first = _number(low, 0, count - 1, name)
            last = _number(high, 0, count - 1, name) if dash else first
        for number in range(first, last + 1 + (count if last < first else 0), step):
            bits |= 1 << number % count
    return bits


def _number(text, least, most, name):
    if not text or [c for c in text if not "0" <= c <= "9"] or not least <= int(text) <= most:
        raise CronError("{} is {}-{}, got {}".format(name, least, most, text or "nothing"))
    return int(text)
