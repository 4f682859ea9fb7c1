"""machine.SoftI2C, which machine looks for under this name."""
# ruff: noqa: F401 - the name is found here by machine
from _machine_i2c import SoftI2C
