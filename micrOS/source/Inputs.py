"""A pin that something is measured at: who fails there is named in one line, and stands in `alarms` once."""
from Debug import errlog_add
from LogicalPins import physical_pin


class InputError(Exception):
    """Raised when an input gives nothing that can be believed; names its pin."""


class Input:
    """One pin. name: logical, or a number. Raises PinError when there is none or it is taken."""

    def __init__(self, name):
        self.name = name
        self.number = physical_pin(name)
        self._alarm = None               # text of the fault that lasts

    def error(self, why):
        """InputError to raise for what may well be: nothing is in reach."""
        return InputError("{} (pin {}): {}".format(self.name, self.number, why))

    def failure(self, why):
        """InputError to raise for a part that fails; an alarm, unless it failed so the last time."""
        error = self.error(why)
        if str(error) != self._alarm:
            self._alarm = str(error)
            errlog_add("[ERR] " + self._alarm)
        return error

    def works(self):
        """What failed is over."""
        self._alarm = None
