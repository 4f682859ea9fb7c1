"""ESP32-C3 DevKitM-1 and its likes. Numbers: pin table of newer micrOS (spec/micros_core.md 8.2).

Several names share a pin: whoever books it first owns it; the LED gives way.
"""
from micropython import const

builtin = const(-8)      # lit when the pin is low

redgb = const(4)
rgreenb = const(3)
rgbue = const(2)
wwhite = const(1)
cwhite = const(0)
neop = const(7)
dim_1 = const(21)

servo_1 = const(6)
servo_2 = const(7)
switch_1 = const(8)
switch_2 = const(9)
switch_3 = const(10)
switch_4 = const(20)
buzzer = const(0)

i2c_sda = const(8)
i2c_scl = const(9)

irq1 = const(5)
irq2 = const(6)
irq3 = const(7)
irq4 = const(8)
dhtpin = const(2)
ds18 = const(10)
