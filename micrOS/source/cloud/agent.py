"""A thing of the Device Cloud: what it tells goes through a store, what it is asked comes from its mailbox.

Runs on boards and hosts alike; what differs is handed in. Statuses are those of pure/tr50_status.py.
"""
import asyncio

from . import ground
from .ground import tr50
from .mqtt_client import turn

ANSWER_S = 15                  # for a reply
LEAST_LOOP_S = 0.02
ASKS = 32                      # commands of our own that wait to be sent; twice as many with outcomes of actions
NAME_CHARS = 128
_CLOCK = (1 << 30) - 1         # a board's clock of milliseconds turns over
_GROUPS = 5                    # messages that one drain may need: a kind each
_KNOWN_S = 631152000           # 2020-01-01: a clock that shows less has not been set
_ORDER = ("event", "alarm", "attribute", "location", "property")     # in which the public agent says them


class Agent:
    """thing: its key; link: a MqttClient; store: a Store; actions: an Actions, see there

    loop_s: seconds between two drains; qos: 0 or 1; on_error(codes, commands, messages): a request failed, or None
    """

    def __init__(self, thing, link, store, actions, loop_s=1, qos=1):
        self.thing, self.link, self.store, self.actions = thing, link, store, actions
        self.loop_s, self.qos = max(LEAST_LOOP_S, loop_s), qos
        self.on_error = None
        self.requests = tr50.Requests()
        self.strange = 0                 # messages that were none of ours
        self.refused = 0                 # samples that the cloud does not take
        self.wake = asyncio.Event()
        self._asks = []                  # (commands, Waiter or None)
        self._is_urgent = False          # drain now
        self._is_held = False            # samples wait for room
        self._groups = []                # [number of the last row, messages that are not acknowledged]
        self._kept = []                  # rows of each of the last messages, emptied by its reply
        self._again = []                 # lists of (0, row) that were refused as a whole
        self._last = (0, 0)              # time of the sample before
        self._behind_s = None            # what a clock that was never set lacks, as the cloud told
        self._check = Then(self._mail_came)
        self._checked_ms = None          # when the mailbox.check went out that waits for its reply
        self._timed_ms = None            # and the question what time it is
        self._is_more = False            # meanwhile there was another word of mail
        self.keep_alive_s = 0            # without a link for so long it gives up; 0: never
        self.on_link = None              # function(error): None: the link is up
        self._down_ms = ground.now_ms()  # since when there is no link
        self._was_up = 0                 # how often it was up before
        link.on_message, link.on_up, link.on_down, link.on_room = self._heard, self._up, self._down, self._roomy

    # -- what it tells

    def put(self, kind, moment, *fields):
        """Keep a sample until it is sent. Status: 0, or 2 for what is_sound() refuses.

        kind: one of _ORDER; moment: (seconds since 2000 UTC, microseconds), None: now
        fields: name, value, corr_id of a property; name, value of an attribute; name, state, message, republish of an
        alarm; message of an event; latitude, longitude, ... of a location, as tr50.location() has them
        """
        if not is_sound(kind, fields):
            return tr50.BAD_PARAMETER
        seconds, us = moment or self._now()
        self.store.put([kind, seconds, us] + list(fields))
        if kind == "alarm":
            self._hurry()                # it does not wait
        return tr50.SUCCESS

    def _hurry(self):
        self._is_urgent = True
        self.wake.set()

    def _now(self):
        """A time that no sample before has: name and time tell twins."""
        seconds, us = ground.utc()
        if (seconds, us) <= self._last and seconds >= self._last[0] - 1:
            seconds, us = self._last[0], self._last[1] + 1
            if us == 1000000:
                seconds, us = seconds + 1, 0
        self._last = (seconds, us)
        return seconds, us

    # -- what it asks

    async def ask(self, command, timeout_s=ANSWER_S):
        """(status, params) of the reply; FULL or TIMED_OUT when there is none. timeout_s: 0: for ever"""
        waiter = Waiter(command)
        if not self.say([command], waiter):
            return 7, None
        if await waiter.came(timeout_s):
            return waiter.status, waiter.params
        self.requests.forget(waiter)
        self._asks = [row for row in self._asks if row[1] is not waiter]
        return tr50.TIMED_OUT, None

    def say(self, commands, waiter=None, is_owed=False):
        """Send commands before all samples. False when too many wait. is_owed: there is room beyond that of others"""
        if len(self._asks) >= ASKS << is_owed:
            return False
        self._asks.append((commands, waiter))
        self.wake.set()
        return True

    # -- its life

    def reopen(self):
        """Before the first run(), and before each further one."""
        self.wake = asyncio.Event()
        self._down_ms = ground.now_ms()
        self.link.reopen()

    async def run(self):
        """Drain again and again, until the link is closed. The link has a task of its own."""
        begun_ms = ground.now_ms()
        while self.link.state != "closed":
            left_ms = int(1000 * self.loop_s) - (ground.now_ms() - begun_ms & _CLOCK)
            is_early = left_ms > 0 and not self._is_urgent
            if is_early:
                await turn(self.wake, left_ms)
            else:
                begun_ms = ground.now_ms()
                await asyncio.sleep(0)
            try:
                self._send_asks() if is_early else self.drain()
            except Exception as error:       # outer wall: no memory now is no reason to be silent for ever
                ground.blame("drain", error)
            self._give_up()
        self.store.spill()

    def _give_up(self):
        down_ms = ground.now_ms() - self._down_ms & _CLOCK
        if self.keep_alive_s and not self.link.is_up() and down_ms > 1000 * self.keep_alive_s:
            self.link.close()

    def is_busy(self):
        """True while something waits to be sent, or is under way."""
        return bool(self._asks or self._again or self.store.waiting() or self.link.session.in_flight)

    def drain(self):
        """Send what there is room for; without a link keep it on flash."""
        self._is_urgent = False
        if not self.link.is_up():
            self.store.spill()
            return
        self._send_asks()
        if self._behind_s is None and ground.utc()[0] < _KNOWN_S:
            self._ask_time()             # first learn it, then tell times
            return
        self._tell_drops()
        while self.link.room() >= _GROUPS:
            rows = self._again.pop(0) if self._again else self.store.take(ground.ITEMS, ground.ITEMS_BYTES)
            if not rows:
                return
            group = [rows[-1][0], 0]
            try:
                self._send_rows(rows, group)
            except Exception:            # no memory: what is not sent is taken again, a twin has the same time
                self._groups = [other for other in self._groups if other is not group]
                if rows[0][0]:
                    self.store.rewind(rows[0][0] - 1)
                else:
                    self._again.insert(0, rows)
                raise
        self._is_held = True             # there is more, as soon as there is room

    def _send_asks(self):
        while self._asks and self.link.is_up() and self.link.room() > 0:
            self._send(*self._asks.pop(0))

    def _roomy(self):
        if self._is_held and self.link.room() >= _GROUPS:
            self._is_held, self._is_urgent = False, True
        self.wake.set()

    def _tell_drops(self):
        for first, last in self.store.reported():
            self.put("event", None, "dropped {} samples for want of room: {}-{}".format(last - first + 1, first, last))

    def _send_rows(self, rows, group):
        kinds = {}
        for _, row in rows:
            kinds.setdefault(row[0], []).append(row)
        self._groups.append(group)
        # of events each has a reply of its own: none is refused for another
        messages = [(self._commands(kind, kinds[kind]), kind != "event" and kinds[kind])
                    for kind in _ORDER if kind in kinds]
        group[1] = len(messages)
        for commands, told in messages:
            if told:
                self._keep(told)
            self._send(commands, told, lambda: self._delivered(group))
        if not messages:                 # of a kind that we do not know: flash of another version
            self._delivered(group)

    def _keep(self, told):
        """These rows are in memory until the reply comes; of too many the oldest are let go."""
        self._kept.append(told)
        if len(self._kept) > ground.WINDOW:
            del self._kept.pop(0)[:]

    def _commands(self, kind, rows):
        if kind == "event":
            return [tr50.event(self.thing, row[3], self._stamp(row)) for row in rows]
        make = _ITEMS[kind]
        items = [make(self._stamp(row), row[3:]) for row in rows]
        return [tr50.batch(kind, self.thing, self._stamp((kind,) + self._now()), items)]

    def _stamp(self, row):
        seconds, us = row[1], row[2]
        if seconds < _KNOWN_S:
            # of this boot: by the cloud's clock; of one before: nobody knows, the batch has a time
            if self._behind_s is None or seconds > ground.utc()[0]:
                return None
            seconds += self._behind_s
        return tr50.stamp(seconds, us)

    def _delivered(self, group):
        group[1] -= 1
        while self._groups and self._groups[0][1] <= 0:
            self.store.done(self._groups.pop(0)[0])

    def _send(self, commands, tag, done=None):
        """tag: rows, or who waits for the reply"""
        topic, payload = self.requests.ask(commands, tag or (Waiter(commands) if self.on_error else None))
        self.link.offer(topic, payload, self.qos, False, done)

    # -- what comes

    def _up(self, is_present):
        """After each connect, whatever was told before: there may be mail."""
        if self.on_link:
            self.on_link(None)
        self._checked_ms = None
        self._timed_ms = None
        self.wake.set()
        self.check_mail()

    def _down(self, error):
        if self.link.ups and self._was_up != self.link.ups:
            self._was_up, self._down_ms = self.link.ups, ground.now_ms()
        if self.on_link:
            self.on_link(error)

    def _ask_time(self):
        if not _is_fresh(self._timed_ms):
            self._timed_ms = ground.now_ms()
            self.say([tr50.diag_time()], Then(self._time_told), True)

    def _time_told(self, status, params):
        found = (params or {}).get("time")
        if status == tr50.SUCCESS and isinstance(found, int):
            self._behind_s = found // 1000 - 946684800 - ground.utc()[0]
        elif self.link.is_up():
            self._behind_s = 0
        self._hurry()

    def check_mail(self):
        self._is_more = _is_fresh(self._checked_ms)
        if not self._is_more and self._check not in [row[1] for row in self._asks]:
            self._checked_ms = ground.now_ms()
            self._asks.append(([tr50.mailbox_check()], self._check))     # there is one at most: it always has room
            self.wake.set()

    def _heard(self, topic, payload):
        try:
            if topic == tr50.MAILBOX:    # what it says is none of our business: it shall be JSON, and often is not
                self.check_mail()
                return
            answers = self.requests.answered(topic, payload)
            for tag, at, status, params, reply in answers:
                self._answered(tag, at, status, params, reply)
        except tr50.Tr50Error as error:
            self.strange += 1
            ground.blame("message on " + topic[:40], error)

    def _answered(self, tag, at, status, params, reply):
        is_sample = isinstance(tag, list)
        if is_sample and self._is_halved(tag, status):
            return
        if status and self.on_error:
            said = self._commands(tag[0][0], tag) if is_sample and tag else getattr(tag, "said", None)
            self.on_error(reply[3] if reply else [], said, reply[4] if reply else [])
        if is_sample:
            self._judged(tag, status)
        elif tag:
            tag.answered(status, params)

    def _is_halved(self, told, status):
        """True for refused rows, of which each half is said again: what is behind a bad one is refused with it."""
        if status != tr50.FAILURE or len(told) < 2:
            return False
        half = len(told) // 2
        self._again += [[(0, row) for row in part] for part in (told[:half], told[half:])]
        del told[:]
        self._hurry()
        return True

    def _judged(self, told, status):
        if status == tr50.FAILURE:
            self.refused += 1
            if self.refused == 1 and told:       # one tells enough: what a board blames wears its flash
                ground.blame("{} {}".format(told[0][0], told[0][3]), OSError("the cloud refuses it"))
        del told[:]

    def _mail_came(self, status, params):
        self._checked_ms = None
        if status:
            ground.blame("mailbox", OSError("status {}".format(status)))
        for ident, method, words in tr50.mails(params):
            self.actions.mail(self, ident, method, words)
        if self._is_more:
            self.check_mail()


class Waiter:
    """One who waits for the reply to one command."""

    def __init__(self, said):
        self.said = said
        self.status = self.params = None
        self._came = asyncio.Event()

    def answered(self, status, params):
        self.status, self.params = status, params
        self._came.set()

    async def came(self, timeout_s):
        """False when the time was over first."""
        try:
            await asyncio.wait_for(self._came.wait(), timeout_s or None)
        except asyncio.TimeoutError:
            return False
        return True


class Then:
    """Calls a function(status, params) with the reply."""

    def __init__(self, then):
        self.answered = then


def _is_fresh(then_ms):
    """True while a reply may come to what was asked then. None: nothing was."""
    return then_ms is not None and (ground.now_ms() - then_ms & _CLOCK) < 1000 * ANSWER_S


def is_sound(kind, fields):
    """False for a sample that a cloud refuses, and with it all that is behind it in its message."""
    if kind in ("property", "attribute", "alarm"):
        name, value = fields[:2]
        if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARS or value is None:
            return False
        if kind == "alarm" and (isinstance(value, bool) or not isinstance(value, int)):
            return False
    return all(_fits(field) for field in fields)


def _fits(field):
    if isinstance(field, str):
        return len(field) <= ground.TEXT_CHARS
    return field is None or tr50.is_value(field) and not (isinstance(field, int) and abs(field) >> 128)


_ITEMS = {
    "property": lambda ts, row: tr50.sample(row[0], row[1], ts, row[2]),
    "attribute": lambda ts, row: tr50.attribute(row[0], row[1], ts),
    "alarm": lambda ts, row: tr50.alarm(row[0], row[1], ts, row[2], row[3]),
    "location": lambda ts, row: tr50.location(row[0], row[1], ts, *row[2:]),
}
