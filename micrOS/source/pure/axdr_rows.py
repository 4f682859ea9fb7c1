"""The rows of an array that comes in blocks, one by one: a load profile of months is never held whole."""
from .axdr import MOST_VALUES, AxdrError, Reader, ShortError


class Rows:
    """Takes the rows of an array, plain or compact, as their octets come; keeps at most one that is not whole.

    most_octets: of one row
    """

    def __init__(self, most_octets=2048):
        self._rest = b""
        self._most = most_octets
        self._kind = None          # description of a compact array's rows
        self._left = -1            # rows of an array to come, octets of a compact one; -1: not known yet

    def feed(self, octets):
        """Rows that are whole by now, as a generator. Raises AxdrError."""
        reader = Reader(self._rest + octets if self._rest else octets)
        if self._left < 0 and not self._begin(reader):
            return
        while self._left:
            before = reader.at
            try:
                row = self._next(reader)
            except ShortError:
                reader.at = before
                break
            yield row
        self._keep(reader)

    def finish(self):
        """Raises AxdrError when rows are missing, or something followed them."""
        if self._left or self._rest:
            raise AxdrError("the rows end with {} to come and {} octets over".format(self._left, len(self._rest)))

    def _begin(self, reader):
        """False while the head is not whole."""
        try:
            tag = reader.octet()
            if tag == 19:
                from .axdr_compact import description
                self._kind = description(reader)
            elif tag != 1:
                raise AxdrError("rows come as an array, not as type {}".format(tag))
            self._left = reader.length()
        except ShortError:
            reader.at = 0
            self._keep(reader)
        return self._left >= 0

    def _next(self, reader):
        before = reader.at
        reader.left = MOST_VALUES
        if self._kind is None:
            row = reader.value()
            self._left -= 1
            return row
        from .axdr_compact import row as compact_row
        row = compact_row(reader, self._kind)
        self._left -= reader.at - before
        if self._left < 0:
            raise AxdrError("a row goes beyond its compact array")
        return row

    def _keep(self, reader):
        self._rest = bytes(reader.data[reader.at:])
        if len(self._rest) > self._most:
            raise AxdrError("a row of more than {} octets".format(self._most))
