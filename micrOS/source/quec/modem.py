"""QuecPython's modem: who this device is."""
import os

from quec.door import machine
from InterpreterShell import VERSION


def getDevImei():
    """15 digits out of the chip's number: 00 (test, 3GPP TS 23.003), 12 digits of its own, and Luhn's."""
    number = int.from_bytes(machine.unique_id(), "big") % 1000000000000
    digits = "00{:012d}".format(number)
    total = 0
    for at, digit in enumerate(digits):
        value = int(digit) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def getDevFwVersion():
    return "micrOS_{}".format(VERSION)


def getDevModel():
    return os.uname()[4]


def getDevSN():
    return "".join(["{:02x}".format(byte) for byte in machine.unique_id()])


def getDevProductId():
    return "micrOS"
