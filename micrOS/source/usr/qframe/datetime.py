"""QFrame's dates: DateTime, TimeDelta, TimeZone of whole hours. A week begins with Sunday, 0."""
import time

from micropython import const

from pure import civil

_DAY_S = const(86400)
_EPOCH_S = const(946684800)      # 2000-01-01, in seconds since 1970
_MOST_HOURS = const(12)


class TimeZone:
    """offset: -12 to 12 whole hours"""

    def __init__(self, offset, name=None):
        if not isinstance(offset, int) or not -_MOST_HOURS <= offset <= _MOST_HOURS:
            raise ValueError("a time zone is -12 to 12 whole hours, got {}".format(offset))
        self.offset = offset
        self.name = name or "UTC{:+d}:00".format(offset)

    def __str__(self):
        return self.name


UTC = TimeZone(0, "UTC")


class TimeDelta:
    def __init__(self, days=0, seconds=0, hours=0, minutes=0, weeks=0):
        self._seconds = int(((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds)
        self.days, self.seconds = divmod(self._seconds, _DAY_S)

    def total_seconds(self):
        return self._seconds

    def __str__(self):
        return "{} days, {} seconds".format(self.days, self.seconds)

    def __add__(self, other):
        return other + self if isinstance(other, DateTime) else TimeDelta(seconds=self._seconds + other._seconds)

    def __sub__(self, other):
        return TimeDelta(seconds=self._seconds - other._seconds)

    def __neg__(self):
        return TimeDelta(seconds=-self._seconds)

    def __eq__(self, other):
        return isinstance(other, TimeDelta) and self._seconds == other._seconds

    def __lt__(self, other):
        return self._seconds < other._seconds

    def __le__(self, other):
        return self._seconds <= other._seconds

    def __gt__(self, other):
        return self._seconds > other._seconds

    def __ge__(self, other):
        return self._seconds >= other._seconds

    def __hash__(self):
        return self._seconds


class DateTime:
    """tz None: local time of nowhere in particular, counted as UTC. Raises ValueError for a date that there is not."""

    def __init__(self, year, month=1, day=1, hour=0, minute=0, second=0, tz=None):
        fields = (year, month, day, hour, minute, second)
        self._local_s = civil.seconds(*fields)
        if not 1 <= month <= 12 or civil.fields(self._local_s) != fields:
            raise ValueError("there is no {}-{}-{} {}:{}:{}".format(*fields))
        self.year, self.month, self.day, self.hour, self.minute, self.second = fields
        self.tz = tz

    @classmethod
    def now(cls, tz=None):
        """The node's local time, or that of tz."""
        return cls(*time.localtime()[:6]) if tz is None else cls.utcnow().replace(tz=UTC).astimezone(tz)

    @classmethod
    def utcnow(cls):
        from Time import clock
        return _at(clock().utc(), None)

    @classmethod
    def fromtimestamp(cls, timestamp, tz=None):
        """timestamp: seconds since 1970, UTC"""
        seconds = int(timestamp) - _EPOCH_S
        return _at(seconds + (3600 * tz.offset if tz else 0), tz)

    def replace(self, year=None, month=None, day=None, hour=None, minute=None, second=None, tz=None):
        asked = (year, month, day, hour, minute, second)
        own = self.timetuple()[:6]
        return DateTime(*[mine if new is None else new for new, mine in zip(asked, own)], tz=tz or self.tz)

    def astimezone(self, tz):
        return _at(self._utc_s() + 3600 * tz.offset, tz)

    def timestamp(self):
        """Seconds since 1970, UTC."""
        return self._utc_s() + _EPOCH_S

    def timetuple(self):
        """(year, month, day, hour, minute, second, weekday, yearday)"""
        return (self.year, self.month, self.day, self.hour, self.minute, self.second, self.weekday, self.yearday)

    @property
    def weekday(self):
        """0 Sunday to 6 Saturday"""
        return (civil.weekday(self._local_s // _DAY_S) + 1) % 7

    @property
    def yearday(self):
        """1 to 366"""
        return self._local_s // _DAY_S - civil.days(self.year, 1, 1) + 1

    def _utc_s(self):
        return self._local_s - (3600 * self.tz.offset if self.tz else 0)

    def __str__(self):
        text = "{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}".format(*self.timetuple()[:6])
        return "{} {}".format(text, self.tz) if self.tz else text

    def __add__(self, delta):
        return _at(self._local_s + delta.total_seconds(), self.tz)

    def __sub__(self, other):
        if isinstance(other, TimeDelta):
            return _at(self._local_s - other.total_seconds(), self.tz)
        return TimeDelta(seconds=self._utc_s() - other._utc_s())

    def __eq__(self, other):
        return isinstance(other, DateTime) and self._utc_s() == other._utc_s()

    def __lt__(self, other):
        return self._utc_s() < other._utc_s()

    def __le__(self, other):
        return self._utc_s() <= other._utc_s()

    def __gt__(self, other):
        return self._utc_s() > other._utc_s()

    def __ge__(self, other):
        return self._utc_s() >= other._utc_s()

    def __hash__(self):
        return self._utc_s()


def _at(local_s, tz):
    return DateTime(*civil.fields(local_s), tz=tz)
