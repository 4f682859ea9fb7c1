"""Runs commands at their time: sleeps until the next slot, and looks again when clock, zone or rules have changed.

Loaded when `cron` is on, or a zone with summer time wants the clock changed.
"""
import asyncio
import time

from micropython import const

from ConfigHandler import cfgget
from Debug import errlog_add
from Files import read, write_whole
from pure.cron import CronError, item, items
from pure.lazy import once, publish, unload
from Time import clock
from Zone import zone

_GRACE_S = const(300)        # a clock put right by less, or a loop held up for less, has missed no slot
_NAP_S = const(60)           # someone may turn the RTC without telling us
_LATE_MS = const(5)          # so that a slot's second has begun when the sleep ends
_DAY_S = const(86400)
_SET_S = const(757382400)    # 2024-01-01: an RTC that shows less was never set
_MARK = "cron.pds"           # the moment up to which the `late` rules are done: it outlives power


class Job:
    """A rule, its commands, and the slot that comes next; None: it has none within a week, or the clock is not set."""

    def __init__(self, tag, rule, commands):
        self.tag = tag
        self.rule = rule
        self.commands = commands
        self.slot_s = None


class Scheduler:
    """All moments are seconds since 2000-01-01 UTC, so summer time is no jump."""

    def __init__(self):
        self._changed = asyncio.Event()
        self._jobs = []
        self._zone = None
        self._mark_s = None          # as _MARK when the rules were read
        self._seen_s = 0             # up to here slots have been seen to
        self._daily_s = 0

    def wake(self):
        """The clock was set: look again."""
        self._changed.set()

    def renew(self):
        """Rules, zone or place have changed: what they said before is not made up."""
        _keep_mark(clock().utc())
        if not self._jobs:
            self._daily_s = -_DAY_S          # cron has just been switched on: learn the place now
        self._load()
        self.wake()

    async def run(self, start, daily):
        """Until cancelled. start(tag, commands) -> False when that job still runs; daily() is called once a day."""
        self._start, self._daily = start, daily
        self._seen_s = clock().utc() - 1
        self._load()
        while True:
            wait_ms = 1000 * self._turn() - time.time_ns() // 1000000 % 1000 + _LATE_MS
            try:
                await asyncio.wait_for_ms(self._changed.wait(), wait_ms)
                self._changed.clear()
            except asyncio.TimeoutError:
                pass

    def _load(self):
        self._zone = zone()
        self._mark_s = _mark()
        if self._mark_s is None:
            _keep_mark(self._seen_s)
        self._jobs = []
        if cfgget("cron"):
            for number, text in enumerate(items(cfgget("crontasks")), 1):
                try:
                    self._jobs.append(Job("cron.{}".format(number), *item(text)))
                except CronError as error:
                    errlog_add("[ERR] cron {}: {}".format(text, error))

    def _turn(self):
        """Start what is due. Returns seconds to sleep, at least one."""
        now_s = clock().utc()
        if self._zone.offset(now_s) != clock().offset_s:         # summer begins or ends
            import Clockwork
            unload("Clockwork")
            Clockwork.set_utc(now_s)
        self._notice_new_time(now_s)
        for job in self._jobs:
            self._see_to(job, now_s)
        self._seen_s = max(self._seen_s, now_s)
        if now_s - self._daily_s >= _DAY_S:
            self._daily_s = now_s
            self._daily()
        return self._rest_s(now_s)

    def _notice_new_time(self, now_s):
        """Forget the slots of a clock that was far ahead, or not set at all: those of the new time come anew."""
        was_ahead = now_s < self._seen_s - _GRACE_S
        if was_ahead or self._seen_s < _SET_S <= now_s:
            self._seen_s = now_s - 1
            if was_ahead:
                self._mark_s = None
            elif self._mark_s is None:
                _keep_mark(now_s)
            for job in self._jobs:
                job.slot_s = None

    def _see_to(self, job, now_s):
        if job.slot_s is None:
            job.slot_s = self._next(job, self._first_s(job, now_s))
        if job.slot_s is not None and job.slot_s <= now_s:
            if job.rule.late or now_s - job.slot_s <= _GRACE_S:
                self._fire(job)
            if job.rule.late:
                _keep_mark(now_s)
            job.slot_s = self._next(job, now_s + 1)

    def _first_s(self, job, now_s):
        """From when on slots count for a job that has none yet."""
        if job.rule.late and self._mark_s is not None and now_s >= _SET_S:
            return self._mark_s + 1
        return max(now_s, self._seen_s + 1)

    def _next(self, job, from_s):
        wait_s = job.rule.wait(from_s, self._zone, _sun)
        return None if wait_s is None else from_s + wait_s

    def _fire(self, job):
        publish("cron", "{} {}".format(job.tag, job.commands))
        if not self._start(job.tag, job.commands):
            errlog_add("[ERR] {} {}: still runs, this turn is left out".format(job.tag, job.commands))

    def _rest_s(self, now_s):
        ahead = [job.slot_s - now_s for job in self._jobs if job.slot_s is not None]
        return max(1, min(ahead + [self._zone.span(now_s)[3] - now_s, _NAP_S]))


def _sun(day):
    import Sun
    moments = Sun.moments(day)
    unload("Sun")
    return moments


def _mark():
    """None before the first one."""
    try:
        return int(read(_MARK))
    except (TypeError, ValueError):
        return None


def _keep_mark(now_s):
    if now_s >= _SET_S:
        try:
            write_whole(_MARK, (str(now_s),))
        except OSError as error:
            errlog_add("[ERR] {}: the flash says {}".format(_MARK, error))


@once
def scheduler():
    """The node's one Scheduler."""
    return Scheduler()
