"""machine.Signal, the built-in one."""
# ruff: noqa: F401 - the name is found here by machine
from umachine import Signal
