"""Any pin, by number or logical name: digital out and in, PWM, analogue in."""
from machine import PWM, Pin

from Common import once
from LogicalPins import physical_pin


class Ports:
    """The pins in use: {pin: (tag, object)}; a pin changes its role when asked for another."""

    def __init__(self):
        self.used = {}

    def get(self, pin, tag, make):
        """The object that serves pin in the role tag, made when it is not there yet."""
        known, thing = self.used.get(pin, (None, None))
        if known != tag:
            number = physical_pin(pin)
            if hasattr(thing, "deinit"):
                thing.deinit()
            self.used.pop(pin, None)
            thing = _made(pin, tag, make, number)
            self.used[pin] = (tag, thing)
        return thing


def _made(pin, tag, make, number):
    try:
        return make(number)
    except (ValueError, RuntimeError) as error:
        raise ValueError("pin {} as {}: {}".format(pin, tag, error))


@once
def _ports():
    return Ports()


def set_pwm(pin, duty=500, freq=20480):
    """PWM on a pin. duty: 0-1000, freq: Hz. Returns {"pin", "freq", "duty"}."""
    if not isinstance(duty, (int, float)) or not 0 <= duty <= 1000:
        raise ValueError("duty is 0-1000, got {}".format(duty))
    port = _ports().get(pin, "pwm{}".format(freq), lambda number: PWM(Pin(number), freq=freq, duty_u16=0))
    port.duty_u16(int(duty) << 6)        # what duty() counts on an ESP32; rp2 has no duty()
    return {"pin": pin, "freq": freq, "duty": duty}


def set_random_pwm(pin, min_duty, max_duty, freq=20480):
    """PWM with a duty by chance between the two. Returns as set_pwm."""
    from random import randint
    if not 0 <= min_duty <= max_duty <= 1000:
        raise ValueError("0 <= min_duty <= max_duty <= 1000, got {} and {}".format(min_duty, max_duty))
    return set_pwm(pin, randint(min_duty, max_duty), freq)


def set_out(pin, state=None):
    """Digital output; without state it is inverted. Returns {"pin", "state"}."""
    port = _ports().get(pin, "out", lambda number: Pin(number, Pin.OUT))
    port.value(1 - port.value() if state is None else 1 if state else 0)
    return {"pin": pin, "state": bool(port.value())}


def get_adc(pin, key=None):
    """Analogue input: {"raw": 0-65535, "percent", "volt", "pin"}, or the one value that key names."""
    from Common import SmartADC
    values = SmartADC.get_singleton(pin).get()
    values["pin"] = pin
    if key is not None and key not in values:
        raise ValueError("key is raw, percent or volt, got {}".format(key))
    return values if key is None else values[key]


def get_in(pin):
    """Digital input with pull-up. Returns {"pin", "state": 0 or 1}."""
    port = _ports().get(pin, "in", lambda number: Pin(number, Pin.IN, Pin.PULL_UP))
    return {"pin": pin, "state": port.value()}


def genio_pins():
    """The pins in use: {pin: (tag, object)}."""
    return _ports().used


def help():
    return ("set_pwm pin=<number or name> duty=<0-1000> freq=20480",
            "set_random_pwm pin min_duty max_duty freq=20480", "set_out pin state=<True,False>",
            "get_adc pin key=<raw,percent,volt>", "get_in pin", "genio_pins")
