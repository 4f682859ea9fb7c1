"""State in one class that outlives a reboot in `lantern.pds`; PWM, pin names and the six functions each module has."""
from LogicalPins import physical_pin, pinmap_dump
from machine import PWM, Pin


class Data:
    PWM_OBJ = None
    LEVEL = 0
    KEEP = True


def _pwm():
    if Data.PWM_OBJ is None:
        Data.PWM_OBJ = PWM(Pin(physical_pin('dim_1')), freq=20480, duty=0)
    return Data.PWM_OBJ


def load_n_init(cache=True):
    Data.KEEP = cache
    try:
        with open('lantern.pds') as pds:
            Data.LEVEL = int(float(pds.read().strip().split(',')[0]))
    except OSError:
        pass
    _pwm().duty(Data.LEVEL)
    return f"CACHE: {cache}"


def shine(level=500):
    Data.LEVEL = level
    _pwm().duty(level)
    if Data.KEEP:
        with open('lantern.pds', 'w') as pds:
            pds.write(f'{level},{1}')
    return status()


def status(lmf=None):
    return {'X': Data.LEVEL, 'S': int(Data.LEVEL > 0)}


def lmdep():
    return 'genIO'


def pinmap():
    return pinmap_dump(['dim_1'])


def help():
    return 'shine level=<0-1000>', 'load_n_init cache=True', 'status', 'lmdep', 'pinmap'
