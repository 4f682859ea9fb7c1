"""What the firmware of a TinyPICO has for its battery and its pixel; other boards have no such module."""
from os import uname
from machine import Pin
from _vboard import ask

if "TinyPICO" not in uname()[4]:
    raise ImportError("no module named 'tinypico'")

# https://www.tinypico.com, pinout
BAT_CHARGE, BAT_VOLTAGE = 34, 35
DOTSTAR_CLK, DOTSTAR_DATA, DOTSTAR_PWR = 12, 2, 13
SPI_MOSI, SPI_CLK, SPI_MISO = 23, 18, 19
I2C_SDA, I2C_SCL = 21, 22
DAC1, DAC2 = 25, 26


def get_battery_voltage():
    return ask("sensor battery_mv\n") / 1000


def get_battery_charging():
    return not Pin(BAT_CHARGE, Pin.IN).value()


def set_dotstar_power(state):
    # a P-channel transistor: low is on
    Pin(DOTSTAR_PWR, Pin.OUT, value=not state)


def dotstar_color_wheel(wheel_pos):
    third, into = divmod(wheel_pos % 255, 85)
    up, down = into * 3, 255 - into * 3
    return ((down, up, 0), (0, down, up), (up, 0, down))[third]
