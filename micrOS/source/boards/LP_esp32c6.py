"""ESP32-C6 (XIAO and its likes). Numbers: pin table of newer micrOS (spec/micros_core.md 8.2)."""
from micropython import const

builtin = const(-15)     # lit when the pin is low

neop = const(18)

i2c_sda = const(22)
i2c_scl = const(23)

irq1 = const(21)
irq2 = const(2)
irq3 = const(1)
irq4 = const(0)
