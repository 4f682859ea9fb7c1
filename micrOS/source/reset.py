"""`import reset` at the REPL restarts the board, as it did in micrOS 1.20: there the import is the command."""
from machine import reset

reset()
