"""Aliyun IoT: load modules as properties `<module>__<key>`, calls as properties that are set, alarms as events, OTA."""
from pure import aliyun, things


def settings():
    return (
        ("product_key", ..., "of the product"),
        ("device_name", ..., "of the device"),
        ("device_secret", ..., "of the device"),
        ("client_id", None, "None: the node's uid"),
        ("region", "cn-shanghai", "where the product lives"),
        ("host", None, "None: made of product_key and region"),
        ("port", 1883, "443 with tls"),
        ("method", "hmacsha256", "hmacsha256, hmacsha1 or hmacmd5"),
        ("properties", {}, "names of your own: {\"Light\": {\"tells\": \"dimmer.S\", \"sets\": \"dimmer toggle\"}}"),
    )


def sign_in(here):
    config = here.config
    ident, user, password = aliyun.sign_in(config["product_key"], config["device_name"], config["device_secret"],
                                           config["client_id"] or here.uid, config["method"], config["tls"])
    return {"host": config["host"] or aliyun.host(config["product_key"], config["region"]), "port": config["port"],
            "id": ident, "user": user, "password": password, "keep_alive_s": aliyun.KEEP_ALIVE_S,
            "topics": aliyun.topics(*_who(here))}


def up(here, kind, name, value):
    """QoS 1; this cloud keeps no retained messages."""
    product, device = _who(here)
    made = None
    if kind == "online":
        made = aliyun.version(product, device, here.ident(), here.version)
    elif kind == "state" and value:
        made = aliyun.post(product, device, here.ident(), things.told(here.config["properties"], name, value))
    elif kind == "result":
        failures = [text for is_done, text in value if not is_done]
        made = aliyun.reply(product, device, name, 500 if failures else 200, "; ".join(failures))
    elif kind in ("alarm", "event"):
        event = things.name_of(name) if name else "alarm"
        made = aliyun.event(product, device, here.ident(), event, value if isinstance(value, dict) else {"text": value})
    elif kind == "update" and name != "available":
        step = {"failed": -1, "done": 100}.get(name, value[1])
        made = aliyun.progress(product, device, here.ident(), step, value[2] or name)
    if made:
        yield made[0], made[1], False


def down(here, topic, payload):
    product, device = _who(here)
    asked = aliyun.understood(product, device, topic, payload)
    if not asked:
        return None
    if asked[0] == "update":
        return "offer", asked[1], True
    return "call", things.calls(here.config["properties"], asked[2]), asked[1]


def _who(here):
    return here.config["product_key"], here.config["device_name"]
