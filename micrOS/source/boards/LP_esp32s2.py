"""ESP32-S2 (LOLIN S2 mini and its likes). Numbers: micrOS 1.20 pin table (spec/micros_core.md 8.1).

Several names share a pin: whoever books it first owns it.
"""
from micropython import const

builtin = const(15)      # blue LED of the LOLIN S2 mini

redgb = const(7)
rgreenb = const(5)
rgbue = const(3)
wwhite = const(12)
cwhite = const(11)
neop = const(18)
dim_1 = const(16)

servo_1 = const(12)
servo_2 = const(11)
switch_1 = const(40)
switch_2 = const(38)
switch_3 = const(36)
switch_4 = const(34)
l298speed = const(6)
l298dir_1 = const(4)
l298dir_2 = const(2)
l9110dir_1 = const(6)
l9110dir_2 = const(4)
stppr_1 = const(1)
stppr_2 = const(2)
stppr_3 = const(4)
stppr_4 = const(6)
buzzer = const(10)

i2c_sda = const(18)
i2c_scl = const(16)

irq1 = const(39)
irq2 = const(37)
irq3 = const(35)
irq4 = const(33)
oleduibttn = const(34)
rot_dt = const(33)
rot_clk = const(35)
hcsrtrig = const(34)
hcsrecho = const(36)
dhtpin = const(17)
co2 = const(13)
temp6000 = const(10)
ph = const(1)
ds18 = const(21)
mic = const(14)
