"""machine.Timer: the host counts, the callback runs scheduled."""
from _vboard import ask, tell, listen, handlers


class Timer:
    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings):
        self._id = ask("timer %d\n" % id)
        if settings:
            self.init(**settings)

    def init(self, *, mode=1, period=-1, callback=None, freq=-1, hard=False):
        us = 1000000 / freq if freq != -1 else period * 1000
        if us <= 0:
            raise ValueError("period or freq is missing")
        listen(256 + self._id, callback or _nothing, self)
        tell("tick %d %d %d\n" % (self._id, us, mode))

    def deinit(self):
        handlers.pop(256 + self._id, None)
        tell("untick %d\n" % self._id)

    def __repr__(self):
        return "Timer(%d)" % self._id


def _nothing(timer):
    pass
