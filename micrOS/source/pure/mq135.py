"""MQ135 gas sensor: from its resistance, the temperature and the humidity to parts per million of CO2.

Source: datasheet of the MQ-135 (Hanwei), fig. 3 (sensitivity) and fig. 4 (temperature and humidity). The numbers are
the curves laid through those figures that micrOS 1.20 used, so that a node tells what it told before.
"""
LOAD_KOHM = 10.0                         # of the usual board, from the sensor's output to ground
CLEAN_KOHM = 76.63                       # R0; every sensor has another one
_FACTOR, _EXPONENT = 116.6020682, -2.769034857
_VERDICTS = ((1000, "PERFECT"), (2000, "POOR"), (4000, "WARNING"))       # ppm below which it is so


def resistance_kohm(share):
    """Of the sensor, which makes a divider with the load. share: of the full voltage at the load, above 0, to 1"""
    return (1 / share - 1) * LOAD_KOHM


def climate_factor(temperature, humidity):
    """How much more resistance the climate gives; 1 at 20 degrees and 33 %. temperature: degrees, humidity: percent"""
    if temperature < 20:
        cold = 0.00035 * temperature * temperature - 0.02718 * temperature + 1.39538
        return cold - 0.0018 * (humidity - 33)
    return 1.130128205 - temperature / 300 - humidity / 520


def co2_ppm(resistance, temperature, humidity):
    """resistance: kOhm, above 0"""
    return _FACTOR * (resistance / climate_factor(temperature, humidity) / CLEAN_KOHM) ** _EXPONENT


def verdict(ppm):
    for limit, word in _VERDICTS:
        if ppm < limit:
            return word
    return "CRITICAL"
