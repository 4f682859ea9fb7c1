"""From what a gas sensor gives to parts per million; runs on CPython and on MicroPython."""
from micrOS.source.pure.mq135 import CLEAN_KOHM, climate_factor, co2_ppm, resistance_kohm, verdict

TOLD_BY_1207 = (                              # temperature, humidity, ppm at 420 of 1023: spec/load_modules.md
    (23, 41, 11214.75),
    (23.4, 41.2, 11160.09),
    (0, 0, 34001.81),
)
FIGURE_3 = ((10, 2.43), (100, 1.057), (200, 0.823))       # ppm, Rs/R0 of CO2, MQ-135 datasheet
VERDICTS = ((0, "PERFECT"), (999.99, "PERFECT"), (1000, "POOR"), (1999.99, "POOR"), (2000, "WARNING"),
            (3999.99, "WARNING"), (4000, "CRITICAL"), (99999, "CRITICAL"))


def is_near(value, expected, share):
    return abs(value - expected) <= share * abs(expected)


def test_a_divider_gives_the_resistance():
    assert is_near(resistance_kohm(0.5), 10, 1e-6)        # as much as the load
    assert is_near(resistance_kohm(0.1), 90, 1e-6)
    assert resistance_kohm(1) == 0


def test_the_same_as_1207_told():
    resistance = resistance_kohm(420 / 1023)
    assert is_near(resistance, 14.357142857142854, 1e-6)
    for temperature, humidity, ppm in TOLD_BY_1207:
        assert is_near(co2_ppm(resistance, temperature, humidity), ppm, 2e-5), (temperature, humidity)


def test_the_curve_is_that_of_the_datasheet():
    for ppm, ratio in FIGURE_3:
        assert is_near(co2_ppm(ratio * CLEAN_KOHM, 20, 33), ppm, 0.01)


def test_more_gas_less_resistance():
    told = [co2_ppm(resistance, 21, 40) for resistance in (100, 50, 20, 10, 5)]
    assert told == sorted(told)


def test_the_climate_counts_little_at_20_degrees_and_33_percent():
    assert is_near(climate_factor(20, 33), 1, 1e-6)
    assert is_near(climate_factor(19.99, 33), 1, 0.01)    # where the two curves meet
    assert climate_factor(-10, 33) > climate_factor(5, 33) > climate_factor(30, 33) > climate_factor(50, 33) > 0.8
    assert climate_factor(30, 85) < climate_factor(30, 33) and climate_factor(10, 85) < climate_factor(10, 33)


def test_words_for_what_it_means():
    for ppm, word in VERDICTS:
        assert verdict(ppm) == word, ppm
