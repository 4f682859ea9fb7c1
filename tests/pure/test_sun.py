"""Sunrise and sunset against the almanac; runs on CPython and on MicroPython."""
import sys

from micrOS.source.pure.sun import POLAR_DAY, POLAR_NIGHT, day

# (place, latitude_deg, longitude_deg, zone_h, date, rise, set), both by a clock set to UTC + zone_h that counts from
# 00:00 of the date; "" = not in the table, which goes by UTC dates. Source: "Rise and Set for the Sun" of the
# U.S. Naval Observatory, Astronomical Applications Department: 2019 as kept in generate/riseset/ of
# github.com/cosinekitty/astronomy, 2020 in usno_reference_testdata.csv of github.com/klausbrunner/solarpositioning.
PUBLISHED = (
    ("60 N", 60, 0, 0, (2019, 1, 1), "09:02", "15:05"),
    ("60 N", 60, 0, 0, (2019, 2, 10), "07:52", "16:37"),
    ("60 N", 60, 0, 0, (2019, 3, 20), "06:03", "18:14"),
    ("60 N", 60, 0, 0, (2019, 4, 25), "04:16", "19:42"),
    ("60 N", 60, 0, 0, (2019, 5, 15), "03:23", "20:31"),
    ("60 N", 60, 0, 0, (2019, 6, 21), "02:36", "21:28"),
    ("60 N", 60, 0, 0, (2019, 7, 21), "03:15", "20:56"),
    ("60 N", 60, 0, 0, (2019, 8, 20), "04:25", "19:40"),
    ("60 N", 60, 0, 0, (2019, 9, 23), "05:46", "17:58"),
    ("60 N", 60, 0, 0, (2019, 10, 30), "07:16", "16:10"),
    ("60 N", 60, 0, 0, (2019, 11, 15), "07:57", "15:31"),
    ("60 N", 60, 0, 0, (2019, 12, 21), "09:02", "14:54"),
    ("60 N", 60, 0, 0, (2019, 12, 31), "09:03", "15:03"),
    ("60 S", -60, -150, -10, (2019, 1, 1), "02:43", "21:23"),
    ("60 S", -60, -150, -10, (2019, 3, 20), "06:00", "18:13"),
    ("60 S", -60, -150, -10, (2019, 5, 5), "07:51", "16:02"),
    ("60 S", -60, -150, -10, (2019, 6, 21), "09:06", "14:58"),
    ("60 S", -60, -150, -10, (2019, 9, 23), "05:45", "18:01"),
    ("60 S", -60, -150, -10, (2019, 12, 21), "02:32", "21:24"),
    ("60 S", -60, -150, -10, (2019, 12, 30), "02:40", "21:24"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 1, 4), "", "15:57"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 1, 5), "10:11", ""),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 2, 24), "", "18:10"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 2, 25), "08:13", ""),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 3, 24), "", "19:27"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 3, 25), "06:43", ""),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 6, 14), "", "22:40"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 6, 15), "03:21", ""),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 6, 24), "", "22:42"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 6, 25), "03:22", ""),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 9, 24), "", "18:51"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 9, 25), "06:53", ""),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 12, 24), "", "15:44"),
    ("Anchorage", 61.216667, -149.866667, -9, (2020, 12, 25), "10:15", ""),
    ("Auckland", -36.833333, 174.8, 12, (2020, 1, 5), "", "19:44"),
    ("Auckland", -36.833333, 174.8, 12, (2020, 1, 6), "05:09", ""),
    ("Auckland", -36.833333, 174.8, 12, (2020, 2, 25), "", "19:06"),
    ("Auckland", -36.833333, 174.8, 12, (2020, 2, 26), "06:02", ""),
    ("Auckland", -36.833333, 174.8, 12, (2020, 3, 25), "", "18:25"),
    ("Auckland", -36.833333, 174.8, 12, (2020, 3, 26), "06:29", ""),
    ("Auckland", -36.833333, 174.8, 12, (2020, 6, 25), "", "17:13"),
    ("Auckland", -36.833333, 174.8, 12, (2020, 6, 26), "07:34", ""),
    ("Auckland", -36.833333, 174.8, 12, (2020, 9, 25), "", "18:20"),
    ("Auckland", -36.833333, 174.8, 12, (2020, 9, 26), "06:04", ""),
    ("Auckland", -36.833333, 174.8, 12, (2020, 12, 25), "", "19:41"),
    ("Auckland", -36.833333, 174.8, 12, (2020, 12, 26), "05:01", ""),
    ("Brasilia", -15.8, -47.85, -3, (2020, 1, 5), "05:46", "18:48"),
    ("Brasilia", -15.8, -47.85, -3, (2020, 6, 25), "06:38", "17:50"),
    ("Brasilia", -15.8, -47.85, -3, (2020, 10, 15), "05:44", "18:11"),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 1, 5), "", "19:11"),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 1, 6), "07:09", ""),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 2, 25), "", "19:20"),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 2, 26), "07:15", ""),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 6, 25), "", "19:13"),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 6, 26), "07:02", ""),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 11, 5), "", "18:50"),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 11, 6), "06:46", ""),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 12, 25), "", "19:06"),
    ("Singapore", 1.283333, 103.833333, 8, (2020, 12, 26), "07:04", ""),
)

# The same to the second, from PyPI ephem 4.2.1 (which has an ephemeris of its own): Sun, centre at Observer.horizon
# "-0:50" (use_center=True), pressure 0, elevation 0. It adds the sun's parallax, 9": some 6 s in a June at 65 N.
COMPUTED = (
    ("Budapest", 47.50, 19.04, 1, (2000, 1, 1), "07:31:42", "16:02:40"),
    ("Budapest", 47.50, 19.04, 1, (2024, 2, 29), "06:25:34", "17:27:42"),
    ("Budapest", 47.50, 19.04, 1, (2026, 6, 21), "03:46:30", "19:44:47"),
    ("Budapest", 47.50, 19.04, 1, (2059, 12, 31), "07:31:31", "16:02:02"),
    ("London", 51.51, -0.13, 0, (2012, 12, 21), "08:04:00", "15:53:38"),
    ("London", 51.51, -0.13, 0, (2040, 3, 20), "06:02:02", "18:14:33"),
    ("New York", 40.71, -74.01, -5, (2026, 6, 21), "04:25:03", "19:30:45"),
    ("New York", 40.71, -74.01, -5, (2031, 12, 31), "07:19:52", "16:38:15"),
    ("Sydney", -33.87, 151.21, 10, (2024, 12, 21), "04:40:51", "19:05:38"),
    ("Sydney", -33.87, 151.21, 10, (2050, 6, 21), "07:00:02", "16:53:56"),
    ("Nairobi", -1.29, 36.82, 3, (2026, 3, 20), "06:36:55", "18:43:26"),
    ("Nairobi", -1.29, 36.82, 3, (2060, 2, 29), "06:41:01", "18:49:01"),
    ("Reykjavik", 64.15, -21.94, 0, (2024, 6, 20), "02:55:02", "24:03:58"),       # sets after midnight
    ("Reykjavik", 64.15, -21.94, 0, (2024, 12, 21), "11:22:40", "15:29:30"),
    ("Reykjavik", 64.15, -21.94, 0, (2044, 9, 22), "07:12:29", "19:26:20"),
    ("Ushuaia", -54.80, -68.30, -3, (2025, 6, 21), "09:58:53", "17:11:20"),
    ("Ushuaia", -54.80, -68.30, -3, (2025, 12, 21), "04:51:32", "22:11:25"),
    ("Tokyo", 35.68, 139.69, 9, (2026, 9, 23), "05:29:35", "17:37:21"),
    ("Tokyo", 35.68, 139.69, 9, (2036, 2, 29), "06:12:21", "17:35:31"),
    ("Anchorage", 61.22, -149.90, -9, (2027, 6, 21), "03:20:13", "22:42:40"),
    ("Anchorage", 61.22, -149.90, -9, (2055, 12, 22), "10:14:41", "15:41:55"),
    ("Honolulu", 21.31, -157.86, -10, (2000, 12, 31), "07:08:59", "18:00:44"),
    ("Honolulu", 21.31, -157.86, -10, (2048, 6, 20), "05:50:24", "19:16:17"),
    ("Suva", -18.14, 178.44, 12, (2026, 12, 22), "05:27:54", "18:41:12"),
    ("Suva", -18.14, 178.44, 12, (2028, 2, 29), "06:04:46", "18:32:26"),
    ("Apia", -13.83, -171.76, 13, (2026, 6, 21), "06:49:27", "18:08:02"),         # its clock is a day ahead of its sun
    ("Apia", -13.83, -171.76, 13, (2026, 12, 31), "06:01:44", "18:57:44"),
    ("65 N", 65.00, 25.50, 2, (2058, 3, 20), "06:18:15", "18:34:12"),
    ("65 N", 65.00, 25.50, 2, (2059, 6, 21), "01:18:59", "23:20:48"),
    ("65 N", 65.00, 25.50, 2, (2000, 12, 21), "10:28:50", "14:03:36"),
    ("65 N", 65.00, 25.50, 2, (2016, 10, 28), "07:54:00", "16:08:20"),
    ("65 S", -65.00, -64.00, -4, (2059, 9, 23), "05:59:09", "18:19:11"),
    ("65 S", -65.00, -64.00, -4, (2006, 2, 14), "04:21:50", "20:36:02"),
    ("65 S", -65.00, -64.00, -4, (2033, 12, 21), "01:13:15", "23:15:15"),
)

# (latitude_deg, longitude_deg, a date with a rise and a set, the one next to it without, what day() calls that)
# 80 N and S: U.S. Naval Observatory, as above, 2019. 70 N: ephem, as above, 2024.
ENDS = (
    (80, 0, (2019, 4, 12), (2019, 4, 13), POLAR_DAY),           # rises on the 13th, does not set
    (80, 0, (2019, 8, 31), (2019, 8, 30), POLAR_DAY),           # sets on the 30th, did not rise
    (80, 0, (2019, 10, 21), (2019, 10, 22), POLAR_NIGHT),
    (80, 0, (2019, 2, 21), (2019, 2, 20), POLAR_NIGHT),
    (-80, -150, (2019, 2, 25), (2019, 2, 24), POLAR_DAY),
    (-80, -150, (2019, 4, 17), (2019, 4, 18), POLAR_NIGHT),
    (-80, -150, (2019, 8, 25), (2019, 8, 24), POLAR_NIGHT),
    (-80, -150, (2019, 10, 15), (2019, 10, 16), POLAR_DAY),
    (70, 25, (2024, 1, 17), (2024, 1, 16), POLAR_NIGHT),
    (70, 25, (2024, 5, 15), (2024, 5, 16), POLAR_DAY),
    (70, 25, (2024, 7, 27), (2024, 7, 26), POLAR_DAY),
    (70, 25, (2024, 11, 24), (2024, 11, 25), POLAR_NIGHT),
)


def days_of(date):
    """Whole days from 2000-01-01 to (year, month, day)."""
    year, month, day = date
    if month < 3:                                   # count years from March: the leap day is their last
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 730426


def seconds_of(text):
    """Seconds of hh:mm or hh:mm:ss."""
    hours, minutes, seconds = [int(part) for part in (text + ":00").split(":")[:3]]
    return hours * 3600 + minutes * 60 + seconds


def errors_s(row, compute=day):
    """Seconds by which rise and set are later than what the row has of them."""
    _, latitude_deg, longitude_deg, zone_h, date, rise, set_ = row
    midnight_s = days_of(date) * 86400 - zone_h * 3600                  # of the clock, in UTC
    days = int((midnight_s + 43200 + longitude_deg * 240) // 86400)     # date by the sun when the clock says 12
    found = compute(latitude_deg, longitude_deg, days)
    return [found[i] - midnight_s - seconds_of(text) for i, text in ((0, rise), (1, set_)) if text]


def refusal(latitude_deg, longitude_deg):
    try:
        day(latitude_deg, longitude_deg, 0)
    except ValueError as error:
        return str(error)
    return None


def test_days_count_from_2000():
    assert [days_of(date) for date in ((1999, 12, 31), (2000, 1, 1), (2000, 3, 1), (2024, 2, 29))] == [-1, 0, 60, 8825]


def test_the_almanac_of_the_naval_observatory_is_met_to_its_minute():
    for row in PUBLISHED:
        for error_s in errors_s(row):
            assert abs(error_s) <= 40, (row, error_s)           # 30 of them are the table's rounding


def test_an_independent_ephemeris_is_met_within_3_seconds_and_9_near_the_polar_circle():
    for row in COMPUTED:
        for error_s in errors_s(row):
            assert abs(error_s) <= (3 if abs(row[1]) < 64 else 9), (row, error_s)


def test_times_are_whole_seconds_and_may_lie_in_the_neighbouring_utc_date():
    rise_s, set_s = day(-36.85, 174.76, 9000)
    assert isinstance(rise_s, int) and isinstance(set_s, int)
    assert rise_s // 86400 == 8999 and set_s // 86400 == 9000
    rise_s, set_s = day(21.31, -157.86, 9000)
    assert rise_s // 86400 == 9000 and set_s // 86400 == 9001


def test_the_ends_of_polar_day_and_night_are_those_of_the_almanac():
    for latitude_deg, longitude_deg, with_both, without, word in ENDS:
        assert isinstance(day(latitude_deg, longitude_deg, days_of(with_both)), tuple), with_both
        assert day(latitude_deg, longitude_deg, days_of(without)) == word, without


def test_a_day_of_half_an_hour_and_a_night_of_one_are_found():
    rise_s, set_s = day(70, 25, days_of((2024, 1, 17)))
    assert 1200 < set_s - rise_s < 2400
    evening, morning = days_of((2024, 5, 14)), days_of((2024, 5, 15))
    assert 3600 < day(70, 25, morning)[0] - day(70, 25, evening)[1] < 7200


def test_a_pole_has_one_rise_and_one_set_in_a_year():
    """U.S. Naval Observatory, 2022: rise 03-18 13:02, set 09-25 04:13; south: set 03-22 18:07, rise 09-20 21:52."""
    start = days_of((2022, 1, 1))
    for latitude_deg, changes in ((90, ((2022, 3, 19), (2022, 9, 25))), (-90, ((2022, 3, 23), (2022, 9, 21)))):
        words = [day(latitude_deg, 0, start + i) for i in range(365)]
        assert set(words) == {POLAR_DAY, POLAR_NIGHT}
        assert [start + i for i in range(1, 365) if words[i] != words[i - 1]] == [days_of(date) for date in changes]


def test_the_two_sides_of_the_date_line_are_one_place_a_date_apart():
    for latitude_deg in (-60, 0, 45):
        assert day(latitude_deg, 180, 9601) == day(latitude_deg, -180, 9600)


def test_north_and_south_swap_seasons():
    june, december = days_of((2026, 6, 21)), days_of((2026, 12, 21))
    for latitude_deg in (30, 60):
        assert length_s(latitude_deg, june) > 13 * 3600 and length_s(latitude_deg, december) < 11 * 3600
        assert length_s(-latitude_deg, december) > 13 * 3600 and length_s(-latitude_deg, june) < 11 * 3600


def length_s(latitude_deg, days):
    rise_s, set_s = day(latitude_deg, 0, days)
    return set_s - rise_s


def test_a_place_that_is_not_on_earth_is_refused_in_one_line():
    assert refusal(90.5, 0) == "latitude is -90..90 degrees, got 90.5"
    assert refusal(-91, 0) == "latitude is -90..90 degrees, got -91"
    assert refusal(0, 180.5) == "longitude is -180..180 degrees, got 180.5"
    assert refusal(0, -181) == "longitude is -180..180 degrees, got -181"
    assert refusal(float("nan"), 0) and refusal(0, float("nan")) and refusal(0, float("inf"))
    assert refusal(90, 180) is None and refusal(-90, -180) is None


if sys.implementation.name == "cpython":             # the board's arithmetic, made on the host; vectors/sun_single.py
    from tests.vectors.sun_single import day_of

    def test_single_precision_meets_the_same_tables():
        for bits in (24, 22):
            single = day_of(bits)
            for row in PUBLISHED:
                assert max(abs(error_s) for error_s in errors_s(row, single)) <= 40, (bits, row)
            for row in COMPUTED:
                assert max(abs(error_s) for error_s in errors_s(row, single)) <= 9, (bits, row)

    def test_single_precision_moves_no_event_by_more_than_2_seconds():
        for bits in (24, 22):
            single = day_of(bits)
            for days in range(0, 22000, 977):                  # 2000 to 2060
                for latitude_deg, longitude_deg in ((65, -179.9), (47.5, 19.04), (0, 0), (-33.87, 151.21), (-65, 180)):
                    exact = day(latitude_deg, longitude_deg, days)
                    rounded = single(latitude_deg, longitude_deg, days)
                    assert max(abs(exact[i] - rounded[i]) for i in (0, 1)) <= 2, (bits, latitude_deg, days)

    def test_single_precision_finds_the_same_polar_days():
        for bits in (24, 22):
            for latitude_deg, longitude_deg, with_both, without, word in ENDS:
                assert isinstance(day_of(bits)(latitude_deg, longitude_deg, days_of(with_both)), tuple)
                assert day_of(bits)(latitude_deg, longitude_deg, days_of(without)) == word

    def test_the_rounding_is_felt():
        assert abs(day_of(10)(65, 19.04, 21900)[0] - day(65, 19.04, 21900)[0]) > 60
