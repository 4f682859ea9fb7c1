"""What a node publishes by itself: the value of a module call, every so many seconds, or when it has changed."""
import asyncio
import json

from micropython import const

from Debug import errlog_add
from Files import read, write_whole
from TaskManager import finished, manager

_PATH = const("cloud_rules.json")
_MOST = const(16)
_LOOK_MS = const(200)             # so often is looked what is due


class Rule:
    """Publish what a call gives: every so many seconds, or with is_change only when it differs."""

    def __init__(self, name, call, every_s, is_change, key):
        self.name, self.call, self.every_s, self.is_change, self.key = name, call, every_s, is_change, key
        self.left_ms = 0
        self.last = None

    def row(self):
        return [self.name, self.call, self.every_s, self.is_change, self.key]

    async def value(self):
        """What to publish. Raises ValueError when the call gives nothing of the kind, CallError."""
        said = await finished(manager().execute(self.call + " >json", _nobody))
        try:
            value = json.loads(said)
        except ValueError:
            value = said.strip()
        if isinstance(value, dict):
            if self.key not in value:
                raise ValueError("`{}` gives {}; name one with key=".format(self.call, ", ".join(sorted(value))))
            value = value[self.key]
        return value


class Rules:
    """rows: list of Rule, kept in a file"""

    def __init__(self):
        self.rows = [Rule(*row) for row in json.loads(read(_PATH) or "[]")]

    def put(self, rule):
        """Raises ValueError when there are too many."""
        others = [other for other in self.rows if other.name != rule.name]
        if len(others) >= _MOST:
            raise ValueError("{} rules are there, and no more fit".format(_MOST))
        self._keep(others + [rule])

    def drop(self, name):
        self._keep([rule for rule in self.rows if rule.name != name])

    def _keep(self, rows):
        self.rows = rows
        write_whole(_PATH, (json.dumps([rule.row() for rule in rows]),))

    def lines(self):
        return ["{}: `{}` every {} s{}".format(
            rule.name, rule.call, rule.every_s, ", on change" if rule.is_change else "") for rule in self.rows]

    async def run(self, publish):
        """publish(name, value): gives a status"""
        while True:
            for rule in self.rows:
                rule.left_ms -= _LOOK_MS
                if rule.left_ms <= 0:
                    rule.left_ms = int(1000 * rule.every_s)
                    await _follow(rule, publish)
            await asyncio.sleep_ms(_LOOK_MS)


async def _follow(rule, publish):
    try:
        value = await rule.value()
        if rule.is_change and value == rule.last:
            return
        rule.last = value
        if publish(rule.name, value):
            raise ValueError("`{}` gives {}, which is no number, text or truth".format(rule.call, type(value)))
    except Exception as error:       # outer wall: one rule must not end the others
        errlog_add("[ERR] cloud rule {}: {}".format(rule.name, error))


def _nobody(line):
    pass
