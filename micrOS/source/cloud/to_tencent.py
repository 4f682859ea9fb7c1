"""Tencent IoT Explorer: load modules as properties `<module>__<key>`, calls as properties set and actions, OTA."""
import os
from binascii import hexlify

from pure import tencent, things


def settings():
    return (
        ("product_id", ..., "of the product"),
        ("device_name", ..., "of the device"),
        ("device_key", ..., "of the device, in base64 as the console shows it"),
        ("host", None, "None: made of product_id"),
        ("port", 1883, "8883 with tls"),
        ("method", "hmacsha256", "hmacsha256 or hmacsha1"),
        ("connection", None, "text that tells this connection from others; None: by chance"),
        ("properties", {}, "names of your own: {\"Light\": {\"tells\": \"dimmer.S\", \"sets\": \"dimmer toggle\"}}"),
    )


def sign_in(here):
    config = here.config
    connection = config["connection"] or str(hexlify(os.urandom(3)), "ascii")[:5]
    ident, user, password = tencent.sign_in(config["product_id"], config["device_name"], config["device_key"],
                                            connection, tencent.FOR_EVER, config["method"])
    return {"host": config["host"] or tencent.host(config["product_id"]), "port": config["port"], "id": ident,
            "user": user, "password": password, "keep_alive_s": tencent.KEEP_ALIVE_S,
            "topics": tencent.topics(*_who(here))}


def up(here, kind, name, value):
    """QoS 1; this cloud keeps no retained messages."""
    product, device = _who(here)
    made = None
    if kind == "online":
        made = tencent.version(product, device, here.version)
    elif kind == "state" and value:
        made = tencent.report(product, device, here.ident(), things.told(here.config["properties"], name, value))
    elif kind == "result":
        failures = [text for is_done, text in value if not is_done]
        answers = {"result": value[0][1]} if value and not failures else {}
        made = tencent.reply(product, device, name, -1 if failures else 0, "; ".join(failures), answers)
    elif kind in ("alarm", "event"):
        event = things.name_of(name) if name else "alarm"
        values = value if isinstance(value, dict) else {"text": value}
        made = tencent.event(product, device, here.ident(), event, values, "alert" if kind == "alarm" else "info")
    elif kind == "update" and name != "available":
        state = {"installing": "burning", "failed": "fail"}.get(name, name)
        made = tencent.progress(product, device, value[0]["version"], state, value[1], value[2])
    if made:
        yield made[0], made[1], False


def down(here, topic, payload):
    product, device = _who(here)
    asked = tencent.understood(product, device, topic, payload)
    if not asked:
        return None
    if asked[0] == "update":
        return "offer", asked[1], True
    return "call", things.calls(here.config["properties"], asked[2]), asked[:2]


def _who(here):
    return here.config["product_id"], here.config["device_name"]
