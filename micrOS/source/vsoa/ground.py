"""Sockets, time and threads below the package: those of a board, or those of a host."""
import sys

if sys.implementation.name == "micropython":
    from pure import vsoa as wire      # noqa: F401
    from .ground_board import *              # noqa: F403
else:
    from ..pure import vsoa as wire      # noqa: F401
    from .ground_host import *               # noqa: F403
