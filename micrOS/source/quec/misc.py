"""QuecPython's misc: power of the node."""
from quec.door import machine

from pure.lazy import unload

# machine.reset_cause() -> 1 key or supply, 2 reset, 8 watchdog, 9 wake-up; 0: not known
_REASONS = {machine.PWRON_RESET: 1, machine.HARD_RESET: 2, machine.SOFT_RESET: 2, machine.WDT_RESET: 8,
            machine.DEEPSLEEP_RESET: 9}


class Power:
    def powerRestart():
        _wanted()
        machine.reset()

    def powerDown():
        """A board has no switch: it sleeps until its reset button."""
        _wanted()
        machine.deepsleep()

    def powerOnReason():
        return _REASONS.get(machine.reset_cause(), 0)

    def getVbatt():
        """0: the node does not measure its supply."""
        return 0


def _wanted():
    """What the program does to itself is no failed boot."""
    import Boot
    Boot.lasted()
    unload("Boot")
