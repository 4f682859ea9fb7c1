"""Never comes back."""
from machine import Pin


def poll():
    pin = Pin(4, Pin.IN)
    while True:    # <- blocking
        for _ in range(3):
            if pin.value():
                break


def help():
    return ("poll",)
