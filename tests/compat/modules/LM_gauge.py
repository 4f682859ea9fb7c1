"""An analogue input by its logical name or its number, one object a pin."""
from Common import SmartADC


def by_name():
    return SmartADC('ph').get()


def by_number(pin):
    return SmartADC.get_singleton(pin).get()


def same(pin):
    return SmartADC.get_singleton(pin) is SmartADC.get_singleton(pin)
