"""The functions of machine that a program seldom calls."""
from _vboard import ask, tell, dead
from utime import sleep_ms

SLEEP, DEEPSLEEP = 2, 4
PIN_WAKE, EXT0_WAKE, EXT1_WAKE, TIMER_WAKE, TOUCHPAD_WAKE, ULP_WAKE = 2, 2, 3, 4, 5, 6
_masked = bytearray(1)
# what `from machine import *` brings; mem8..mem32 of the built-in module would open the host's /dev/mem
ALL = ("Pin", "PWM", "ADC", "TouchPad", "I2C", "SoftI2C", "Signal", "RTC", "Timer", "WDT", "freq", "idle",
       "wake_reason", "lightsleep", "deepsleep", "sleep", "disable_irq", "enable_irq", "time_pulse_us", "bitstream",
       "reset",
       "reset_cause", "soft_reset", "unique_id", "SLEEP", "DEEPSLEEP", "PIN_WAKE",
       "TIMER_WAKE", "PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET")


def idle():
    sleep_ms(1)


def wake_reason():
    return TIMER_WAKE if ask("get cause\n") == 4 else 0


def lightsleep(ms=None):
    sleep_ms(9 if ms is None else ms)


def deepsleep(ms=0):
    tell("sleep %d\n" % ms)
    dead()


sleep = lightsleep


def disable_irq():
    before = _masked[0]
    _masked[0] = 1
    tell("mask 1\n")
    return before


def enable_irq(masked=0):
    _masked[0] = masked
    tell("mask 1\n" if masked else "mask 0\n")      # allocates nothing: inside an interrupt, too


def time_pulse_us(pin, level, timeout_us=1000000):
    return ask("pulse %d %d\n" % (pin.id, timeout_us))


def bitstream(pin, encoding, timing, data):
    tell("pixels %d 3 %s\n" % (pin.id, data.hex()))
