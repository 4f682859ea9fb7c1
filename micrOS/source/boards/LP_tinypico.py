"""TinyPICO. Numbers: micrOS 1.20 pin table (spec/micros_core.md 8.1); pixel: 8.1, last line.

Several names share a pin: whoever books it first owns it.
"""
from micropython import const

builtin = const(2)       # data of the APA102; its clock is 12, its power 13
builtin_kind = "APA102"

redgb = const(25)
rgreenb = const(26)
rgbue = const(27)
wwhite = const(15)
cwhite = const(14)
neop = const(23)
dim_1 = const(4)

servo_1 = const(14)
servo_2 = const(4)
switch_1 = const(18)
switch_2 = const(19)
l298speed = const(5)
l298dir_1 = const(18)
l298dir_2 = const(19)
l9110dir_1 = const(18)
l9110dir_2 = const(19)
buzzer = const(18)

i2c_sda = const(21)
i2c_scl = const(22)

irq1 = const(5)
irq2 = const(18)
irq3 = const(19)
irq4 = const(23)
oleduibttn = const(32)
touch_0 = const(32)
hcsrtrig = const(25)
hcsrecho = const(26)
dhtpin = const(32)
co2 = const(33)
temp6000 = const(32)
ph = const(32)
ds18 = const(19)
genadc = const(33)
bat_volt = const(35)
bat_stat = const(34)
