"""TR50, what a thing and its cloud say to each other over MQTT: requests, replies and times; the thing's side.

Topic api/NNNN: {"1": {"command": name, "params": {...}}, "2": ...}; answered on reply/NNNN by
{"1": {"success": true, "params": {...}}} or {"1": {"success": false, "errorCodes": [...], "errorMessages": [...]}}.
A command is a tuple (name, params), or (name,) when it has no params. A time is (seconds since 2000 UTC, microseconds).
The cloud's side is tr50_cloud.py. Source: the agent device-cloud 18.6.19, as observed; docs.devicewise.com.
"""
import json
import math

from . import civil

MAILBOX = "notify/mailbox_activity"
SUCCESS, INVOKED, BAD_PARAMETER, IO_ERROR, NO_MEMORY, NOT_FOUND = 0, 1, 2, 8, 9, 12     # status; all: tr50_status.py
TIMED_OUT, NOT_SUPPORTED, FAILURE = 16, 18, 19
KEY_CHARS = 64                 # of a thing key, at most
WAITING = 64                   # requests whose replies are waited for
NO_SUCH_THING = -90008         # errorCode

# items of a kind go in one command: its name, and what stands where a single sample has its own
_BATCHES = {
    "property": ("property.batch", {"key": "property_batch", "value": "Property Batch"}),
    "attribute": ("attribute.batch", {"key": "attribute_batch", "value": "Attribute Batch"}),
    "alarm": ("alarm.batch", {"key": "alarm_batch", "state": 0, "republish": False}),
    "location": ("location.batch", {"lat": "location_batch", "lng": "Location Batch"}),
}


class Tr50Error(ValueError):
    """Raised for what is no request or reply."""


# -- items and commands

def is_value(value):
    """True for what a property or attribute may be: a text, a truth, a number that has an end."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, (str, bool, int))


def sample(key, value, ts, corr_id=None):
    """Item of "property". ts: text of stamp()"""
    return {"key": key, "value": value, "ts": ts, "corrid": corr_id}


def attribute(key, value, ts):
    return {"key": key, "value": value, "ts": ts, "republish": None}


def alarm(key, state, ts, message=None, republish=False):
    return {"key": key, "state": state, "ts": ts, "msg": message, "republish": republish}


def batch(kind, thing, ts, items):
    """The command that takes these items. kind: property attribute alarm location; thing: its key"""
    name, head = _BATCHES[kind]
    params = {"thingKey": thing, "ts": ts, "data": items}
    params.update(head)
    if kind == "property":
        params["corrId"] = ts
    return name, params


def event(thing, message, ts):
    return "log.publish", {"thingKey": thing, "msg": message, "ts": ts}


def mailbox_check():
    return "mailbox.check", {"autoComplete": False}


def mailbox_ack(ident, code, message=None, params=None):
    """The end of an action. code: status 0-19"""
    said = {"id": ident, "errorCode": code}
    if message is not None:
        said["errorMessage"] = message
    if params:
        said["params"] = params
    return "mailbox.ack", said


def mailbox_update(ident, message):
    return "mailbox.update", {"id": ident, "msg": message}


# -- bytes

def dumped(value):
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"))


def loaded(payload):
    """The object that this JSON is. Raises Tr50Error for anything else."""
    try:
        value = json.loads(payload)
    # TypeError: {[]: 1} on MicroPython; the two last: a hundred thousand brackets
    except (ValueError, TypeError, RuntimeError, MemoryError):
        value = None
    if not isinstance(value, dict):
        raise Tr50Error("a message is a JSON object, got {} bytes of something else".format(len(payload)))
    return value


def numbered(entries):
    """Bytes of {"1": first, "2": ...}. entries: list of (id, object), written in their order"""
    return "{{{}}}".format(",".join(['"{}":{}'.format(ident, dumped(entry)) for ident, entry in entries])).encode()


def request(commands):
    """Payload of a request. commands: list of tuples"""
    entries = []
    for at, command in enumerate(commands):
        entry = {"command": command[0]}
        if len(command) > 1:
            entry["params"] = command[1]
        entries.append((at + 1, entry))
    return numbered(entries)


def api_topic(number):
    return "api/{:04d}".format(number)


def replies(payload):
    """list of (id, is_success, params, codes, messages); params a dict or None. Raises Tr50Error."""
    found = []
    for ident, entry in loaded(payload).items():
        entry = entry if isinstance(entry, dict) else {}
        found.append((ident, entry.get("success") is True, entry.get("params"), entry.get("errorCodes") or [],
                      entry.get("errorMessages") or []))
    return found


def status_of(codes):
    """Status that these errorCodes of a reply mean."""
    return NOT_FOUND if NO_SUCH_THING in codes else FAILURE


class Requests:
    """The requests of a thing that wait for replies. dropped: how many were forgotten unanswered, for want of room

    strange: replies for nothing, such as the second one to the same request
    """

    def __init__(self, most=WAITING):
        self._most = most
        self._number = 0
        self._waiting = []               # [topic of the reply, ids, tag], oldest first
        self.dropped = self.strange = 0

    def ask(self, commands, tag=None):
        """(topic, payload) of a request that is now waited for. tag: comes back with its replies"""
        self._number += 1
        if len(self._waiting) >= self._most:
            self._waiting.pop(0)
            self.dropped += 1
        self._waiting.append(["reply/{:04d}".format(self._number), [str(at + 1) for at in range(len(commands))], tag])
        return api_topic(self._number), request(commands)

    def answered(self, topic, payload):
        """list of (tag, index of the command, status, params, reply) for the entries that were waited for.

        status: 0, NOT_FOUND or FAILURE; params: dict or None; reply: as replies() has it; payload None (too large for
        us): NO_MEMORY for all. Raises Tr50Error; then those commands wait on.
        """
        row = self._row(topic)
        if row is None:
            self.strange += 1
            return []
        if payload is None:
            self._waiting.remove(row)
            return [(row[2], int(ident) - 1, NO_MEMORY, None, None) for ident in row[1]]
        answers = []
        for reply in replies(payload):
            if reply[0] not in row[1]:
                self.strange += 1
                continue
            row[1].remove(reply[0])
            params = reply[2] if isinstance(reply[2], dict) else None
            answers.append((row[2], int(reply[0]) - 1, SUCCESS if reply[1] else status_of(reply[3]), params, reply))
        if not row[1]:
            self._waiting.remove(row)
        return answers

    def waiting(self):
        return len(self._waiting)

    def forget(self, tag):
        """Whoever asked does not wait any longer."""
        self._waiting = [row for row in self._waiting if row[2] is not tag]

    def _row(self, topic):
        for row in self._waiting:
            if row[0] == topic:
                return row
        return None


def mails(params):
    """list of (id, method, params) of the actions that a reply to mailbox.check brings; others are left out."""
    messages = (params or {}).get("messages")
    found = []
    for mail in messages if isinstance(messages, list) else ():
        if isinstance(mail, dict) and mail.get("command") == "method.exec" and isinstance(mail.get("params"), dict):
            found.append((mail.get("id"), mail["params"].get("method"), mail["params"].get("params")))
    return found


# -- times and texts

def stamp(seconds, us=0):
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`"""
    return "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}.{:06d}Z".format(*(civil.fields(seconds) + (us,)))


def is_number(text):
    """True for ASCII digits only: isdigit() of CPython takes more than int() does."""
    return bool(text) and all("0" <= sign <= "9" for sign in text)


def is_status(code):
    """True for an outcome, 0-19."""
    return isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= FAILURE


def __getattr__(name):
    """location file_put file_get current diag_ping diag_time thing_update DETAILS moment: tr50_more.py, when wanted."""
    from . import tr50_more
    if name[:1] == "_" or not hasattr(tr50_more, name):
        raise AttributeError(name)
    return getattr(tr50_more, name)
