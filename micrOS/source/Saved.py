"""State of a module that outlives a reboot: a few values in `<name>.pds`, as micrOS 1.20 wrote them."""
from collections import OrderedDict

from Debug import errlog_add
from Files import read, write_whole


class Saved:
    """Values by name, kept in one line `1,2,3` in the order of the fields.

    fields: pairs (name, default); the type of the default is the type of the value. A text holds no comma.
    """

    def __init__(self, name, *fields):
        self._path = name + ".pds"
        self._fields = fields
        self.data = OrderedDict(fields)      # so that it prints as written
        self._read()

    def keep(self, **changes):
        """Change values; the file is written when one differs. A full flash is an alarm, the values hold."""
        before = self.data.copy()
        self.data.update(changes)
        if self.data != before:
            try:
                write_whole(self._path, (",".join([str(_number(self.data[name])) for name, _ in self._fields]),))
            except OSError as error:
                errlog_add("[ERR] {}: the flash says {}".format(self._path, error))

    def _read(self):
        values = (read(self._path) or "").split(",")
        if len(values) != len(self._fields):
            return
        try:
            for (name, default), value in zip(self._fields, values):
                self.data[name] = value if isinstance(default, str) else type(default)(float(value))
        except (ValueError, OverflowError):
            self.data = OrderedDict(self._fields)


def _number(value):
    return int(value) if isinstance(value, bool) else value
