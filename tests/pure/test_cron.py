"""Schedules by rows: what is read, what is refused, when 1.20's own examples are due; on both interpreters.

tests/fuzz/test_cron.py goes through whole years beside a clock read minute by minute.
"""
from micrOS.source.pure.civil import DAY_S, date, days, fields, seconds, weekday
from micrOS.source.pure.cron import CronError, item, items, rule
from micrOS.source.pure.zone import ZoneError, fixed, parse

UTC = fixed(0)
BUDAPEST = parse("CET-1CEST,M3.5.0,M10.5.0/3")


def at(text, now, zone=UTC, sun=None):
    """`Y.M.D h:m:s` of the first slot, local; now: fields of the local time."""
    now_s = zone.to_utc(seconds(*now))
    wait_s = rule(text).wait(now_s, zone, sun)
    if wait_s is None:
        return None
    slot_s = now_s + wait_s
    return "{}.{}.{} {:02}:{:02}:{:02}".format(*fields(slot_s + zone.offset(slot_s)))


def refusal(function, text):
    try:
        function(text)
    except (CronError, ZoneError) as error:
        return str(error)
    raise AssertionError(f"{text} was taken")


# A Wednesday, as in the recorded transcript: shared/transcripts/v1207_cron_golden.txt
NOON = (2026, 8, 19, 12, 0, 0)
MORNING = (2026, 8, 19, 7, 59, 30)
MIDNIGHT = (2026, 8, 19, 0, 0, 0)

GOLDEN = (                        # 1.20 fired up to 3 s early; here each slot is due on its second
    ("*:8:0:0", MORNING, "2026.8.19 08:00:00"),
    ("2:8:0:0", MORNING, "2026.8.19 08:00:00"),
    ("3:8:0:0", MORNING, "2026.8.20 08:00:00"),       # 1.20 in one day: none
    ("0-6:8:0:0", MORNING, "2026.8.19 08:00:00"),     # ranges: 1.20 has none
    ("*:*:*:0", MIDNIGHT, "2026.8.19 00:00:00"),
    ("*:*:*:0", (2026, 8, 19, 0, 0, 1), "2026.8.19 00:01:00"),
    ("*:*:*:*", (2026, 8, 19, 0, 0, 1), "2026.8.19 00:00:01"),      # each second, where 1.20 fired each 3 s
    ("*:*:0:0", (2026, 8, 19, 0, 0, 1), "2026.8.19 01:00:00"),
    ("*:*:*:30", MIDNIGHT, "2026.8.19 00:00:30"),
    ("*:8:*:*", MORNING, "2026.8.19 08:00:00"),
    ("*:8:*:0", (2026, 8, 19, 8, 0, 1), "2026.8.19 08:01:00"),
    ("*:0-3:0:0", NOON, "2026.8.20 00:00:00"),
    ("*:0:0:0", (2026, 8, 19, 23, 59, 59), "2026.8.20 00:00:00"),   # over midnight
    ("*:23:59:59", MIDNIGHT, "2026.8.19 23:59:59"),
)


def test_the_examples_of_1_20_are_due_on_their_second():
    for text, now, expected in GOLDEN:
        assert at(text, now) == expected, (text, at(text, now))


FIELDS = (
    ("*:*/6:0:0", NOON, "2026.8.19 12:00:00"),
    ("*:1-23/6:0:0", NOON, "2026.8.19 13:00:00"),
    ("*:22-6:0:0", NOON, "2026.8.19 22:00:00"),       # over the end
    ("5-1:12:0:0", NOON, "2026.8.22 12:00:00"),
    ("0,4:12:0:0", NOON, "2026.8.21 12:00:00"),
    ("*:12:0,30:1", NOON, "2026.8.19 12:00:01"),
    ("2:11:0:0", NOON, "2026.8.26 11:00:00"),         # the same weekday, a week on
    ("1:0:0:0", (2028, 2, 28, 12, 0, 0), "2028.2.29 00:00:00"),
    ("*:0:0:0", (2026, 12, 31, 12, 0, 0), "2027.1.1 00:00:00"),
    ("*:8:0:0 late", MORNING, "2026.8.19 08:00:00"),
)


def test_fields_take_lists_ranges_and_steps():
    for text, now, expected in FIELDS:
        assert at(text, now) == expected, (text, at(text, now))


SUMMER = (                        # Budapest: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00
    ("*:2:30:0", (2026, 3, 29, 1, 0, 0), "2026.3.29 03:00:00"),
    ("*:2:30:0", (2026, 3, 29, 3, 0, 1), "2026.3.30 02:30:00"),
    ("*:*:30:0", (2026, 3, 29, 1, 31, 0), "2026.3.29 03:30:00"),
    ("*:2:30:0", (2026, 10, 25, 1, 0, 0), "2026.10.25 02:30:00"),
)


def test_a_skipped_slot_is_due_at_the_change():
    for text, now, expected in SUMMER:
        assert at(text, now, BUDAPEST) == expected, (text, at(text, now, BUDAPEST))


def test_a_named_hour_is_due_once_where_the_hour_comes_twice():
    first_s = BUDAPEST.to_utc(seconds(2026, 10, 25, 2, 30))
    assert rule("*:2:30:0").wait(first_s + 1, BUDAPEST) == DAY_S + 3600 - 1
    assert rule("*:*:30:0").wait(first_s + 1, BUDAPEST) == 3600 - 1


def sun(day):
    """Rises at 5:00, sets at 19:02 UTC."""
    return day * DAY_S + 5 * 3600, day * DAY_S + 19 * 3600 + 120


SUN = (
    ("sunset", NOON, "2026.8.19 19:02:00"),
    ("sunrise", NOON, "2026.8.20 05:00:00"),
    ("sunrise+30", NOON, "2026.8.20 05:30:00"),
    ("sunset-15", NOON, "2026.8.19 18:47:00"),
    ("sunset>20:00", NOON, "2026.8.19 20:00:00"),
    ("sunset+60>18:00<19:30", NOON, "2026.8.19 19:30:00"),
    ("sunset<24:00", NOON, "2026.8.19 19:02:00"),
    ("5,6:sunset", NOON, "2026.8.22 19:02:00"),
    ("sunset+300", (2026, 8, 19, 0, 1, 0), "2026.8.19 00:02:00"),      # yesterday's
    ("sunset-15 late", NOON, "2026.8.19 18:47:00"),
)


def test_the_sun_comes_with_offset_and_bounds():
    for text, now, expected in SUN:
        assert at(text, now, sun=sun) == expected, (text, at(text, now, sun=sun))


def test_without_a_sunset_there_is_no_slot():
    assert at("sunset", NOON, sun=lambda day: "the sun does not set") is None


REFUSED = (
    ("", "an item is when!command"),
    ("*:8:0:0", "an item is when!command"),
    ("*:8:0:0!", "an item is when!command"),
    ("!a b", "when is WD:H:M:S"),
    ("*:8:0!a b", "when is WD:H:M:S"),
    ("*: 8:0:0!a b", "without blanks"),
    ("*:8:0:0 often!a b", "then perhaps late"),
    ("7:8:0:0!a b", "weekday is 0-6, got 7"),
    ("*:24:0:0!a b", "hour is 0-23, got 24"),
    ("*:8:60:0!a b", "minute is 0-59, got 60"),
    ("*:8:0:60!a b", "second is 0-59, got 60"),
    ("*:8:0:x!a b", "second is 0-59, got x"),
    ("*:8::0!a b", "minute is 0-59, got nothing"),
    ("*:8:0:0-!a b", "second is 0-59, got nothing"),
    ("*:*/0:0:0!a b", "hour step is 1-24, got 0"),
    ("*:-1:0:0!a b", "hour is 0-23, got nothing"),
    ("*:١:0:0!a b", "hour is 0-23"),
    ("sunsets!a b", "behind sunrise and sunset stand"),
    ("sunset+!a b", "minutes is 0-720, got nothing"),
    ("sunset+721!a b", "minutes is 0-720, got 721"),
    ("sunset>25:00!a b", "hour is 0-24, got 25"),
    ("8:sunset!a b", "weekday is 0-6, got 8"),
    ("sunday!a b", "the sun has sunrise and sunset"),
    ("*:8:0:sunset!a b", "weekday is 0-6"),
)


def test_a_wrong_item_says_what_was_expected():
    for text, expected in REFUSED:
        assert expected in refusal(item, text), refusal(item, text)


ITEMS = (
    ("n/a", []),
    ("", []),
    ("*:8:0:0!a b; *:9:0:0!c d;", ["*:8:0:0!a b", "*:9:0:0!c d"]),
    ("*:8:0:0!a b; c d;;*:9:0:0!e f", ["*:8:0:0!a b; c d", "*:9:0:0!e f"]),
    ("*:8:0:0!oled text 'a;b'", ["*:8:0:0!oled text 'a;b'"]),
    ("*:8:0:0!oled text 'a;b", ["*:8:0:0!oled text 'a", "b"]),
)


def test_items_are_parted_as_in_1_20_and_later():
    for text, expected in ITEMS:
        assert items(text) == expected, (text, items(text))


def test_a_command_may_hold_an_exclamation_mark():
    assert item("*:8:0:0! oled text 'hi!'")[1] == "oled text 'hi!'"


ZONES = (
    ("UTC0", 0, 0),
    ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200),
    ("EST5EDT", -18000, -14400),
    ("EST+5EDT,M3.2.0,M11.1.0", -18000, -14400),
    ("IST-5:30", 19800, 19800),
    ("<+0545>-5:45", 20700, 20700),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", 39600, 36000),
    ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, 3600),          # Dublin, whose winter is the exception
    ("XYZ-1ABC,J60/0,J300/0", 3600, 7200),
    ("XYZ-1ABC,59,299/0", 3600, 7200),
)


def test_zones_in_january_and_july():
    for text, winter_s, summer_s in ZONES:
        zone = parse(text)
        assert (zone.offset(seconds(2026, 1, 15)), zone.offset(seconds(2026, 7, 15))) == (winter_s, summer_s), text


def test_a_julian_day_counts_no_leap_day():
    for year in (2027, 2028):
        assert parse("XYZ0ABC,J60/0,J300/0").span(seconds(year, 7, 1))[0] == seconds(year, 3, 1)
    assert parse("XYZ0ABC,59/0,300/0").span(seconds(2028, 7, 1))[0] == seconds(2028, 2, 29)


def test_what_is_no_zone_says_so():
    for text in ("", "CET", "C-1", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
                 "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J365", "CET-1CEST,366,0", "CET-200", "CET-1:60", "<CET-1",
                 "Europe/Budapest", "CET-1CEST,M3.5.0/2x,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0,M1.1.1", "CET--1"):
        assert "a time zone is like" in refusal(parse, text)


def test_dates_count_from_2000_and_know_leap_days():
    assert days(2000, 1, 1) == 0 and weekday(0) == 5
    for day in range(-400, 37000, 11):
        assert days(*date(day)) == day
    assert date(days(2028, 2, 28) + 1) == (2028, 2, 29) and date(days(2100, 2, 28) + 1) == (2100, 3, 1)
    assert fields(seconds(2026, 11, 21, 12, 34, 56)) == (2026, 11, 21, 12, 34, 56)
