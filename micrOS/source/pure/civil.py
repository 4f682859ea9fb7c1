"""Dates as numbers: days and seconds since 2000-01-01 of the Gregorian calendar, small integers until 2034."""

DAY_S = 86400
_MARCH_0 = 730425              # days from 0000-03-01 to 2000-01-01: years that begin in March end with the leap day
_SATURDAY = 5                  # 2000-01-01; Monday is 0


def days(year, month, day):
    """Days since 2000-01-01."""
    year -= month < 3
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - _MARCH_0


def date(days):
    """(year, month, day) of a number of days since 2000-01-01."""
    era, day = divmod(days + _MARCH_0, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    return year + 400 * era + (month > 9), (month + 2) % 12 + 1, day + 1


def weekday(days):
    """0 Monday to 6 Sunday."""
    return (days + _SATURDAY) % 7


def seconds(year, month, day, hour=0, minute=0, second=0):
    """Seconds since 2000-01-01 00:00:00; takes the first six fields of time.localtime()."""
    return days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second


def fields(seconds):
    """(year, month, day, hour, minute, second)."""
    day, second = divmod(seconds, DAY_S)
    return date(day) + (second // 3600, second // 60 % 60, second % 60)
