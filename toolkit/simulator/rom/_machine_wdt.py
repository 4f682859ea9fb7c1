"""machine.WDT: once started it bites, unless it is fed."""
from _vboard import ask, tell


class WDT:
    def __init__(self, id=0, timeout=5000):
        if id:
            raise ValueError("WDT(%d) doesn't exist" % id)
        ask("wdt %d\n" % timeout)

    def feed(self):
        tell("feed\n")
