"""The cloud's side of TR50: requests taken apart, samples in one form whatever the thing sent, replies and mail."""
from . import tr50
from .tr50 import Tr50Error

# command: the params it cannot do without
COMMANDS = {
    "property.batch": ("thingKey", "data"), "property.publish": ("thingKey", "key", "value"),
    "attribute.batch": ("thingKey", "data"), "attribute.publish": ("thingKey", "key", "value"),
    "alarm.batch": ("thingKey", "data"), "alarm.publish": ("thingKey", "key", "state"),
    "location.batch": ("thingKey", "data"), "location.publish": ("thingKey", "lat", "lng"),
    "log.publish": ("thingKey", "msg"),
    "mailbox.check": (), "mailbox.ack": ("id", "errorCode"), "mailbox.update": ("id", "msg"),
    "file.put": ("thingKey", "fileName"), "file.get": ("thingKey", "fileName"),
    "property.current": ("thingKey", "key"), "attribute.current": ("thingKey", "key"),
    "diag.ping": (), "diag.time": (), "diag.echo": (), "thing.update": ("key",), "thing.find": ("key",),
}
_NEEDED = {"property": ("key", "value"), "attribute": ("key", "value"), "alarm": ("key", "state"),
           "location": ("lat", "lng"), "log": ("msg",)}
BAD_COMMAND, BAD_PARAMS = -90001, -90002         # our own errorCodes; the thing maps all but NO_SUCH_THING to 19


def requests(payload):
    """list of (id, command, params) by number; params a dict. Raises Tr50Error.

    The id is a text; what is no command at all has the name "".
    """
    found = []
    for ident, entry in tr50.loaded(payload).items():
        entry = entry if isinstance(entry, dict) else {}
        name, params = entry.get("command"), entry.get("params")
        found.append((ident, name if isinstance(name, str) else "", params if isinstance(params, dict) else {}))
    found.sort(key=_by_number)
    return found


def _by_number(row):
    return (0, int(row[0]), "") if tr50.is_number(row[0]) and len(row[0]) < 10 else (1, 0, row[0])


def fault(command, params):
    """None, or failure() for a command that is unknown or lacks something."""
    if command not in COMMANDS:
        return failure(BAD_COMMAND, "no such command: {}".format(command[:40]))
    missing = [name for name in COMMANDS[command] if params.get(name) is None]
    return failure(BAD_PARAMS, "{} needs {}".format(command, " ".join(missing))) if missing else None


def samples(command, params):
    """(kind, list of dicts) of a command that publishes, in batch or single form; (None, []) of any other.

    kind: property attribute alarm location log. What an item leaves out it has of the batch; corrid is corrId here.
    The list ends before the first item that lacks its own key, value, state or place.
    """
    kind, _, form = command.partition(".")
    if kind not in _NEEDED or form not in ("batch", "publish"):
        return None, []
    if form == "publish":
        return kind, [_plain(params, {})]
    shared = {"ts": params.get("ts"), "corrId": params.get("corrId")}
    found = []
    for item in params["data"] if isinstance(params.get("data"), list) else ():
        if not isinstance(item, dict) or any(item.get(name) is None for name in _NEEDED[kind]):
            break
        found.append(_plain(item, shared))
    return kind, found


def _plain(item, shared):
    """The item without nulls and with what all share; one spelling of corrId."""
    plain = {name: value for name, value in shared.items() if value is not None and name != "corrId"}
    plain.update({name: value for name, value in item.items() if value is not None and name != "corrid"})
    corr_id = item.get("corrid") if item.get("corrId") is None else item.get("corrId")
    corr_id = shared.get("corrId") if corr_id is None else corr_id
    if corr_id is not None:
        plain["corrId"] = corr_id
    return plain


def success(params=None):
    return {"success": True} if params is None else {"success": True, "params": params}


def failure(code, message):
    return {"success": False, "errorCodes": [code], "errorMessages": [message]}


def not_found(message):
    return failure(tr50.NO_SUCH_THING, message)


def reply(entries):
    """Payload of a reply. entries: list of (id, success() or failure())"""
    return tr50.numbered(entries)


def reply_topic(topic):
    """Topic of the reply to a request on topic, None when it is none: `api/` and a number of 4-10 digits."""
    number = topic[4:]
    return "reply/" + number if topic[:4] == "api/" and tr50.is_number(number) and 4 <= len(number) <= 10 else None


def mail(ident, thing, method, params=None):
    """A message for the params of a reply to mailbox.check: {"messages": [mail, ...]}."""
    call = {"method": method}
    if params is not None:
        call["params"] = params
    return {"id": ident, "thingKey": thing, "command": "method.exec", "params": call}


def notification(session, thing):
    """(topic, payload) that tells a thing of mail; always JSON, since anything else kills the public agent."""
    return tr50.MAILBOX, tr50.dumped({"sessionId": session, "thingKey": thing}).encode()


def ack_code(params):
    """Status in a mailbox.ack: an int, or its text, as the public agent sends it after an update. Raises Tr50Error."""
    code = params.get("errorCode")
    try:
        return int(code)
    except (ValueError, TypeError):
        raise Tr50Error("an errorCode is a number, got {!r}".format(str(code)[:20]))
