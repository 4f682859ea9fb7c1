"""What could not be sent yet, in order: in memory, on flash while there is no link; bounded, and it tells its losses.

On flash: <folder>/<number of the first row>.q with a row of JSON in a line, [number, row]; a torn last line is a loss.
"""
import json
import os

SEGMENT_BYTES = 4096           # of a file at least; the oldest is dropped as a whole
_SEGMENTS = 16
_ENDING = ".q"


class Store:
    """put() rows, take() them in order, say done() when they are delivered.

    folder: made when it is needed; None: memory only. most_rows: in memory, most_bytes: on flash
    drops: list of [first, last] of the numbers that were lost, for who reports them; dropped: how many in all
    """

    def __init__(self, folder, most_rows=64, most_bytes=65536):
        self._folder, self._most_rows, self._most_bytes = folder, most_rows, most_bytes
        self._segment_bytes = max(SEGMENT_BYTES, most_bytes // _SEGMENTS)
        self._rows = []                  # [number, row], the newest ones
        self._segments = []              # [first number, bytes], oldest first
        self._place = (0, 0)             # number of a segment and offset from where reading goes on
        self.drops = []
        self.dropped = 0
        self._taken = self._done = 0     # numbers of the last row that was taken, and delivered
        self._last = self._found()       # number of the last row

    def waiting(self):
        """How many are not delivered."""
        return self._last - self._done

    def put(self, row):
        """Number of the row. row: what JSON can carry"""
        self._last += 1
        while len(self._rows) >= self._most_rows and not self.spill():
            if self._segments:
                self._lost_segment()
            else:
                self._lost(self._rows[0][0], self._rows.pop(0)[0])
        self._rows.append([self._last, row])
        return self._last

    def take(self, most_rows, most_bytes):
        """list of (number, row) that follow what was taken before; at least one if there is any."""
        taken = self._take_from_flash(most_rows, most_bytes)
        if not taken:
            for number, row in self._rows:
                if number > self._taken and len(taken) < most_rows:
                    most_bytes -= _size(row)
                    if taken and most_bytes < 0:
                        break
                    taken.append((number, row))
        if taken:
            self._taken = taken[-1][0]
        return taken

    def rewind(self, number):
        """What was taken beyond this row is to be taken again."""
        self._taken, self._place = min(self._taken, number), (0, 0)

    def is_empty(self):
        """True when all has been taken."""
        return self._taken >= self._last

    def done(self, number):
        """All rows up to this one are delivered."""
        self._done = max(self._done, number)
        self._rows = [row for row in self._rows if row[0] > number]
        while self._segments and self._end(0) <= number:
            self._drop_segment()

    def spill(self):
        """Put what is in memory onto flash. False when that cannot be done."""
        if not self._rows:
            return True
        if not self._folder:
            return False
        try:
            self._write()
        except OSError:                  # full, or worn out: what is in memory stays there
            return False
        return True

    def reported(self):
        """[[first, last]] of losses; they are forgotten here."""
        drops, self.drops = self.drops, []
        return drops

    # -- flash

    def _write(self):
        """All rows, each file opened once: flash wears."""
        while self._rows:
            fresh = not self._segments or self._segments[-1][1] >= self._segment_bytes
            if fresh:
                self._make_room()
            segment = [self._rows[0][0], 0] if fresh else self._segments[-1]
            count = self._filled(segment, "wb" if fresh else "ab")
            if fresh:
                self._segments.append(segment)
            self._rows = self._rows[count:]

    def _make_room(self):
        while self._segments and sum([row[1] for row in self._segments]) + self._segment_bytes > self._most_bytes:
            self._lost_segment()
        try:
            os.mkdir(self._folder)
        except OSError:                  # it is there, or open() will tell
            pass

    def _filled(self, segment, mode):
        """How many rows went into the file."""
        count = 0
        try:
            with open(self._path(segment[0]), mode) as file:
                while count < len(self._rows) and segment[1] < self._segment_bytes:
                    line = (json.dumps(self._rows[count]) + "\n").encode()
                    file.write(line)
                    segment[1] += len(line)
                    count += 1
        except OSError:
            segment[1] = self._segment_bytes     # behind a torn line nothing can be written
            raise
        return count

    def _take_from_flash(self, most_rows, most_bytes):
        taken = []
        for at in range(len(self._segments)):
            first = self._segments[at][0]
            if self._end(at) <= self._taken:
                continue
            offset = self._place[1] if self._place[0] == first else 0
            try:
                offset = self._read(first, offset, taken, most_rows, most_bytes)
            except OSError:              # the flash does not give it back
                offset = 0
            self._place = (first, offset)
            if taken:
                return taken
            self._taken = self._end(at)  # nothing was left there but torn lines
        return taken

    def _read(self, first, offset, taken, most_rows, most_bytes):
        """Put rows of a segment into the list. Returns the offset of the next one."""
        with open(self._path(first), "rb") as file:
            file.seek(offset)
            for line in file:
                number, row = _parsed(line)
                if number > self._taken:
                    if taken and (len(taken) >= most_rows or most_bytes < len(line)):
                        break
                    taken.append((number, row))
                    most_bytes -= len(line)
                offset += len(line)
        return offset

    def _end(self, at):
        """Number of the last row of a segment."""
        if at + 1 < len(self._segments):
            return self._segments[at + 1][0] - 1
        return self._rows[0][0] - 1 if self._rows else self._last

    def _lost_segment(self):
        first, end = self._segments[0][0], self._end(0)
        if end > self._done:
            self._lost(max(first, self._done + 1), end)
        self._drop_segment()

    def _drop_segment(self):
        first, _ = self._segments.pop(0)
        try:
            os.remove(self._path(first))
        except OSError:
            pass

    def _lost(self, first, last):
        self.dropped += last - first + 1
        self._taken, self._done = max(self._taken, last), max(self._done, last)
        if self.drops and self.drops[-1][1] == first - 1:
            self.drops[-1][1] = last
        else:
            self.drops.append([first, last])

    def _path(self, first):
        return "{}/{:010d}{}".format(self._folder, first, _ENDING)       # so that names sort as numbers

    def _found(self):
        """What a boot before has left: fills _segments. Returns the number of the last row."""
        last = 0
        for name in sorted(_names(self._folder)):
            if name[-len(_ENDING):] == _ENDING and name[:-len(_ENDING)].isdigit():
                first = int(name[:-len(_ENDING)])
                path = self._path(first)
                self._segments.append([first, os.stat(path)[6]])
                last = max(last, first)
        if self._segments:
            self._taken = self._done = self._segments[0][0] - 1
            with open(self._path(self._segments[-1][0]), "rb") as file:
                for line in file:
                    last = max(last, _parsed(line)[0])
            # behind a torn line nothing can be written: the next row begins a file
            self._segments[-1][1] = self._segment_bytes
        return last


def _size(row):
    """About the bytes that a row takes on its way."""
    return 64 + sum([len(value) for value in row if isinstance(value, str)])


def _parsed(line):
    """(number, row) of a line; number 0 when it is torn."""
    try:
        number, row = json.loads(line)
        return (number, row) if isinstance(number, int) and isinstance(row, list) else (0, None)
    except (ValueError, TypeError):
        return 0, None


def _names(folder):
    try:
        return os.listdir(folder) if folder else []
    except OSError:
        return []
