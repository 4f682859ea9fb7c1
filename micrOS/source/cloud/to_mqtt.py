"""Any MQTT 3.1.1 broker: state, commands, bus, alarms, updates under `micros/<uid>/`, and Home Assistant's discovery.

SPEC.md, "MQTT", has the topics.
"""
import json

from Files import read, write_whole
from pure import things
from pure.lazy import unload
from pure.words import split

_KNOWN = "mqtt.pds"               # which entities Home Assistant was shown: {id: platform}
_MOST_BYTES = 12288               # of what is shown to it
_STATES = {"downloading": True, "installing": True}
_HASHES = ("sha256", "md5")


def settings():
    return (
        ("host", ..., "of the broker"),
        ("port", 1883, "8883 is usual with tls or psk"),
        ("user", "", "empty: nobody asks"),
        ("password", "", ""),
        ("keep_alive", 60, "s, 0: the broker never asks whether the node is there"),
        ("prefix", "micros", "of all topics"),
        ("discovery", "homeassistant", "prefix of Home Assistant's discovery, empty: none"),
    )


def sign_in(here):
    config, base = here.config, _base(here)
    topics = [base + "/+/+/set", base + "/update/+"]
    if config["discovery"]:
        topics.append(config["discovery"] + "/status")
    return {"host": config["host"], "port": config["port"], "id": "micros-" + here.uid,
            "user": config["user"] or None, "password": config["password"] or None,
            "keep_alive_s": config["keep_alive"], "will": (base + "/status", "offline", 1, True), "topics": topics}


def up(here, kind, name, value):
    base = _base(here)
    if kind in ("online", "offline"):
        yield base + "/status", kind, True
        if kind == "online":
            yield base + "/update", _update(here, value, False), True
    elif kind == "state":
        yield "{}/{}/state".format(base, name), "" if value is None else json.dumps(value), True
    elif kind == "announce":
        if here.config["discovery"]:
            yield from _discovery(here, base, value)
    elif kind == "result":
        for is_done, text in value:
            yield name, json.dumps({"ok": is_done, "result": text}), False
    elif kind in ("bus", "event"):
        yield "{}/{}/{}".format(base, kind, name), value if isinstance(value, str) else json.dumps(value), False
    elif kind == "alarm":
        yield base + "/alarm", str(value), False
    elif kind == "update":
        offer, percent, why = value
        yield base + "/update", _update(here, offer, _STATES.get(name, False), name, percent, why), True


def down(here, topic, payload):
    config, base = here.config, _base(here)
    if topic == config["discovery"] + "/status":
        return ("announce",) if payload == b"online" else None
    levels = topic[len(base) + 1:].split("/")
    if levels[0] == "update":
        return _asked_to_update(levels[1], payload)
    if levels[0] == "bus":
        return "bus", levels[1], _value(payload)
    reply = topic[:-3] + "result"
    try:
        return "call", [levels[:2] + _words(payload)], reply
    except ValueError as error:
        return "result", reply, [(False, str(error))]


def _base(here):
    return "{}/{}".format(here.config["prefix"], here.uid)


def _words(payload):
    """Words of a call: of a JSON object or list, or as one types them."""
    text = str(payload, "utf-8").strip()
    if text[:1] in ("{", "["):
        value = _value(payload)
        if not isinstance(value, str):
            return things.written(value)
    return split(text)


def _value(payload):
    text = str(payload, "utf-8")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _asked_to_update(what, payload):
    if what == "install":
        return "install",
    offer = _value(payload)
    if what == "offer" and isinstance(offer, dict) and isinstance(offer.get("url"), str):
        return "offer", offer, False
    return None


def _update(here, offer, is_busy, state="", percent=0, why=""):
    told = {"installed_version": here.version, "latest_version": str((offer or {}).get("version") or here.version),
            "in_progress": is_busy}
    if state:
        told["state"], told["percent"] = state, percent
    if why:
        told["error"] = why
    return json.dumps(told)


def _discovery(here, base, table):
    """The device as it is; before that, once, with those entities emptied that are no more."""
    topic = "{}/device/{}/config".format(here.config["discovery"], here.uid)
    try:
        known = json.loads(read(_KNOWN) or "{}")
    except ValueError:
        known = {}
    head, parts, shown = _parts(here, base, table)
    unload("pure.home_assistant")
    gone = [ident for ident in known if ident not in shown]
    if gone:
        emptied = ["{}: {}".format(json.dumps(ident), json.dumps({"p": known[ident]})) for ident in gone]
        yield topic, head + ", ".join(parts + emptied) + "}}", True
    yield topic, head + ", ".join(parts) + "}}", True
    if known != shown:
        write_whole(_KNOWN, (json.dumps(shown),))


def _parts(here, base, table):
    """(beginning, [`"id": {entity}`], all of it JSON, {id: platform})"""
    from pure import home_assistant
    head = json.dumps(home_assistant.envelope(here.uid, here.name, here.version, here.board, base))[:-1] + ', "cmps": {'
    parts, shown, size = [], {}, 0
    rows = [home_assistant.update(here.uid, base)]
    for module, usages, reading in [(None, None, None)] + table:
        if module:
            rows = home_assistant.entities(here.uid, base, module, usages, reading)
        for ident, entity in rows:
            part = "{}: {}".format(json.dumps(ident), json.dumps(entity))
            size += len(part)
            if size > _MOST_BYTES:
                return head, parts, shown
            parts.append(part)
            shown[ident] = entity["p"]
    return head, parts, shown
