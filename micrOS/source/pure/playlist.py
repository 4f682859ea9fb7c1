"""Which of several sounds is heard: those of higher priority first, and who may be cut short.

Source: QuecPython wiki, API of audio and TTS, `play(priority, breakin, ...)`.
"""

PLAYING, QUEUED, FULL = 0, 1, -2
HIGHEST = 4
WAITING = 10                     # of one priority


class Playlist:
    """current: what is heard, (priority, may be cut short, item), or None."""

    def __init__(self):
        self.current = None
        self._groups = [[] for _ in range(HIGHEST + 1)]

    def add(self, priority, may_be_cut, item):
        """PLAYING: it is current now, in the place of another perhaps; QUEUED; FULL. priority: 0-4

        Of a group only the last may be one that may be cut short: the next of its priority takes its place.
        """
        new = (priority, bool(may_be_cut), item)
        if self.current is None or self.current[1] and priority >= self.current[0]:
            self.current = new
            return PLAYING
        group = self._groups[priority]
        if group and group[-1][1]:
            group[-1] = new
        elif len(group) >= WAITING:
            return FULL
        else:
            group.append(new)
        return QUEUED

    def next(self):
        """The current one has ended: what is heard now, or None."""
        self.current = None
        for group in reversed(self._groups):
            if group:
                self.current = group.pop(0)
                break
        return self.current

    def clear(self):
        self.current = None
        for group in self._groups:
            group.clear()
