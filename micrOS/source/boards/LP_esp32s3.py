"""ESP32-S3 DevKitC-1. Numbers: micrOS 1.20 pin table (spec/micros_core.md 8.1); analogue inputs: 8.2.

Several names share a pin: whoever books it first owns it. Of the 1.20 table co2, temp6000 and ph are left out: the
converters reach GPIO 1-20 only (ESP32-S3 datasheet, 2.3.3). 26-32 serve the flash, 33-37 octal PSRAM where there is
any, 43 and 44 the console.
"""
from micropython import const

builtin = const(38)      # DevKitC-1 v1.1; v1.0 has it at 48: cstmpmap builtin:48
builtin_kind = "WS2812"

redgb = const(18)
rgreenb = const(17)
rgbue = const(16)
wwhite = const(15)
cwhite = const(14)
neop = const(6)
dim_1 = const(7)

servo_1 = const(13)
servo_2 = const(12)
switch_1 = const(11)
switch_2 = const(10)
switch_3 = const(9)
switch_4 = const(8)
l298speed = const(46)
l298dir_1 = const(45)
l298dir_2 = const(44)
l9110dir_1 = const(37)
l9110dir_2 = const(36)
stppr_1 = const(35)
stppr_2 = const(34)
stppr_3 = const(33)
stppr_4 = const(26)
buzzer = const(43)

i2c_sda = const(48)
i2c_scl = const(47)

irq1 = const(0)
irq2 = const(1)
irq3 = const(2)
irq4 = const(3)
oleduibttn = const(4)
touch_0 = const(5)
hcsrtrig = const(42)
hcsrecho = const(41)
dhtpin = const(46)
co2 = const(14)
temp6000 = const(13)
ph = const(12)
ds18 = const(36)
mic = const(5)
