"""Schedules over whole years, by the side of a clock that is read minute by minute: each slot once, never early."""
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrOS.source.pure import civil, cron
from micrOS.source.pure.zone import ZoneError, parse
from tests.fuzz.clocks import EPOCH, ZONES, changes, due, minute_of, shown, zone
from tests.fuzz.effort import dice, hard, times

YEARS = (2024, 2026)                       # with and without a leap day
MOST_SLOTS = 1000                          # are compared of one rule
SIZES = (7, 24, 60, 60)


def field(random, size):
    """(text, set) of one field."""
    kind = random.randrange(6)
    low, high = random.randrange(size), random.randrange(size)
    span = {*range(low, high + 1)} if low <= high else {*range(low, size), *range(high + 1)}
    if kind == 0:
        return "*", {*range(size)}
    if kind == 1:
        return str(low), {low}
    if kind == 2:
        return f"{low}-{high}", span
    if kind == 3:
        return f"{low},{high}", {low, high}
    step = random.randrange(1, size)
    if kind == 4:
        return f"*/{step}", {*range(0, size, step)}
    ordered = list(range(low, high + 1 if low <= high else high + 1 + size))
    return f"{low}-{high}/{step}", {number % size for number in ordered[::step]}


def slots(rule, where, start_s, count):
    """The first slots at or after a moment."""
    found, now_s = [], start_s
    for _ in range(count):
        now_s += rule.wait(now_s, where)
        found.append(now_s)
        now_s += 1
    return found


def assert_same(place, year, text, fields, begin=0):
    """The rule and the clock that is read minute by minute agree from that minute of the year on."""
    expected = due(ZONES[place], year, fields, MOST_SLOTS, begin)
    start_s = 60 * (minute_of(year) + begin)
    assert slots(cron.rule(text), parse(ZONES[place]), start_s, len(expected)) == expected, (text, year)


@pytest.mark.parametrize("place", ZONES)
def test_each_slot_of_a_year_comes_once_and_never_early(place):
    random = dice(place)
    for year in YEARS:
        begins = [0] + [at - 1440 for at in changes(ZONES[place], year)]
        for _ in range(times(6)):
            parts = [field(random, size) for size in SIZES]
            assert_same(place, year, ":".join(part for part, _ in parts), tuple(members for _, members in parts),
                        random.choice(begins))


NIGHTS = {                               # rules whose slots lie in hours that are skipped, or come twice
    "*:2:30:0": (range(7), (2,), (30,), (0,)),
    "*:1-3:*/10:0": (range(7), (1, 2, 3), range(0, 60, 10), (0,)),
    "*:*:30:0": (range(7), range(24), (30,), (0,)),
    "6:*:59:59": ((6,), range(24), (59,), (59,)),
    "*:0:0:0": (range(7), (0,), (0,), (0,)),
    "*:23:59:59": (range(7), (23,), (59,), (59,)),
    "*:*:*:*/20": (range(7), range(24), range(60), (0, 20, 40)),
}


@pytest.mark.parametrize("place", ZONES)
@pytest.mark.parametrize("text", NIGHTS)
def test_the_days_on_which_the_clock_is_changed(place, text):
    fields = tuple(set(members) for members in NIGHTS[text])
    for at in changes(ZONES[place], 2026) or [0]:
        assert_same(place, 2026, text, fields, max(0, at - 60))


@pytest.mark.parametrize("place", ZONES)
def test_a_zone_tells_what_zoneinfo_tells(place):
    where, start = parse(ZONES[place]), minute_of(2024) - 3 * 1440
    for at, reading in enumerate(shown(ZONES[place], 2024)):
        if at % 7 == 0:
            assert where.offset(60 * (start + at)) == 60 * (reading - start - at)


@pytest.mark.parametrize("place", ZONES)
def test_a_wall_clock_reading_is_a_moment(place):
    where, theirs = parse(ZONES[place]), zone(ZONES[place])
    for local_s in range(civil.seconds(2026, 1, 1), civil.seconds(2027, 1, 1), 1200):
        naive = datetime.datetime(*civil.fields(local_s), tzinfo=theirs)
        moment = (naive - naive.utcoffset()).replace(tzinfo=datetime.UTC)
        assert where.to_utc(local_s) == (moment - EPOCH).total_seconds()


TEXTS = st.text(st.sampled_from("0123456789:*,-/+<>!; latesunriset\x00é"), max_size=60)


@hard
@given(TEXTS)
def test_any_text_is_a_rule_or_a_cron_error(text):
    for piece in cron.items(text):
        try:
            rule, commands = cron.item(piece)
        except cron.CronError:
            continue
        assert commands
        rule.wait(civil.seconds(2026, 3, 28), parse("CET-1CEST"), lambda day: (day * 86400, day * 86400 + 9))


@hard
@given(st.text(st.sampled_from("AZ<>+-0123456789:,MJ./ é"), max_size=40))
def test_any_text_is_a_zone_or_a_zone_error(text):
    try:
        where = parse(text)
    except ZoneError:
        return
    since, _, _, until = where.span(civil.seconds(2026, 6, 1))
    assert since <= civil.seconds(2026, 6, 1) < until
