"""Where Helios has these; the plain name, as the Chinese papers import it, is the module itself."""
from ql_interrupter import BusExIntInterrupter, BusInterrupter, ExIntInterrupter, ExIntProcess  # noqa: F401
from ql_interrupter import PinInterrupter, TimerInterrupter, WatchDog  # noqa: F401
