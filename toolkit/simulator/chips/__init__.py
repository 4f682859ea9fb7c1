"""Chips on I2C, register by register as their datasheets have it."""
from toolkit.simulator.chips.bme280 import Bme280
from toolkit.simulator.chips.oled import Sh1106, Ssd1306
from toolkit.simulator.chips.vl53l0x import Vl53l0x
from toolkit.simulator.i2c import ChipModel

MODELS: dict[str, type[ChipModel]] = {model.model: model for model in (Bme280, Ssd1306, Sh1106, Vl53l0x)}
