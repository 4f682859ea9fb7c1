"""ESP32 DevKitC and its likes. Numbers: micrOS 1.20 pin table (spec/micros_core.md 8.1).

Several names share a pin: whoever books it first owns it.
"""
from micropython import const

builtin = const(2)       # blue LED of most boards

redgb = const(14)
rgreenb = const(12)
rgbue = const(15)
wwhite = const(27)
cwhite = const(26)
neop = const(15)
dim_1 = const(33)

servo_1 = const(27)
servo_2 = const(12)
switch_1 = const(26)
switch_2 = const(14)
switch_3 = const(27)
switch_4 = const(25)
l298speed = const(32)
l298dir_1 = const(33)
l298dir_2 = const(25)
l9110dir_1 = const(33)
l9110dir_2 = const(25)
stppr_1 = const(33)
stppr_2 = const(25)
stppr_3 = const(26)
stppr_4 = const(27)
buzzer = const(33)

i2c_sda = const(21)
i2c_scl = const(22)

irq1 = const(4)
irq2 = const(18)
irq3 = const(5)
irq4 = const(13)
oleduibttn = const(34)   # 34-39 are inputs without pull resistors
rot_dt = const(18)       # not of that table: 1.20 had none, newer ones take servo_2 and irq4
rot_clk = const(19)
touch_0 = const(13)
hcsrtrig = const(32)
hcsrecho = const(35)
dhtpin = const(32)
co2 = const(35)
temp6000 = const(36)
ph = const(39)
ds18 = const(19)
mic = const(39)
