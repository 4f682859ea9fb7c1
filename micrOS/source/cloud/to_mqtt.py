"""Any MQTT 3.1.1 broker: state, commands, bus, alarms, updates under `micros/<uid>/`, and Home Assistant's discovery.

SPEC.md, "MQTT", has the topics.
"""
import json

from pure import things
from pure.lazy import unload
from pure.words import split

_BUSY = ("downloading", "installing")


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
    topics = [base + "/+/+/set", base + "/update/offer", base + "/update/install"]
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
            yield base + "/update", _update(here, value), True
    elif kind == "state":
        yield "{}/{}/state".format(base, name), "" if value is None else json.dumps(value), True
    elif kind == "announce":
        if here.config["discovery"]:
            from . import announced
            yield from announced.messages(here, base, value)
            unload("cloud.announced")
    elif kind == "result":
        for is_done, text in value:
            yield name, json.dumps({"ok": is_done, "result": text}), False
    elif kind in ("bus", "event"):
        yield "{}/{}/{}".format(base, kind, name), value if isinstance(value, str) else json.dumps(value), False
    elif kind == "alarm":
        yield base + "/alarm", str(value), False
    elif kind == "update":
        offer, percent, why = value
        yield base + "/update", _update(here, offer, percent if name in _BUSY else None), True
        yield base + "/update/state", json.dumps({"state": name, "percent": percent, "error": why}), False


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


def _update(here, offer, percent=None):
    """For Home Assistant, which drops a message with a key that it does not know. percent: while it is under way"""
    return json.dumps({"installed_version": here.version,
                       "latest_version": str((offer or {}).get("version") or here.version),
                       "in_progress": percent is not None, "update_percentage": percent})
