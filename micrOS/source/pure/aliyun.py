"""Aliyun IoT by MQTT: signing in with the secret of a device, properties, events, updates.

Sources, all of the public help: "Use the MQTT protocol to connect" (doc-detail/73742) for signing in, "Device
properties, events and services" (document_detail/89301), "OTA update" (doc-detail/89307).
"""
import json

from .hmac import hexdigest

KEEP_ALIVE_S = 300             # 30 to 1200 are taken, and more than 300 is advised
_VERSION = "1.0"


def host(product, region):
    return "{}.iot-as-mqtt.{}.aliyuncs.com".format(product, region)


def sign_in(product, device, secret, client, method="hmacsha256", is_secure=False, timestamp=None):
    """(client id, user, password). method: hmacsha1, hmacsha256, hmacmd5; timestamp: text of ms, or None"""
    signed = "clientId{}deviceName{}productKey{}".format(client, device, product)
    extended = "securemode={},signmethod={}".format(2 if is_secure else 3, method)
    if timestamp:
        signed += "timestamp" + timestamp
        extended += ",timestamp=" + timestamp
    return ("{}|{}|".format(client, extended), "{}&{}".format(device, product),
            hexdigest(secret.encode(), signed.encode(), method[4:]))


def topics(product, device):
    """What a device subscribes."""
    base = "/sys/{}/{}/thing/".format(product, device)
    return (base + "service/property/set", base + "event/+/post_reply", "/ota/device/upgrade/" + _tail(product, device))


def post(product, device, ident, values):
    """(topic, payload) that reports properties."""
    return _asked(product, device, ident, "event.property.post", values)


def event(product, device, ident, name, values):
    return _asked(product, device, ident, "event.{}.post".format(name), values)


def reply(product, device, ident, code, message=""):
    """(topic, payload) that answers a request to set properties. code: 200 done"""
    payload = {"id": ident, "code": code, "data": {}}
    if message:
        payload["message"] = message
    return "/sys/{}/thing/service/property/set_reply".format(_tail(product, device)), json.dumps(payload)


def version(product, device, ident, number):
    """(topic, payload) that tells which firmware runs."""
    return _ota("inform", product, device, ident, {"version": number})


def progress(product, device, ident, step, text):
    """step: 0-100 percent; -1 failed, -2 not downloaded, -3 not as signed, -4 not written"""
    return _ota("progress", product, device, ident, {"step": str(step), "desc": text})


def understood(product, device, topic, payload):
    """("set", id, {property: value}), ("update", {url, version, size, md5}), or None. Raises ValueError."""
    tail = _tail(product, device)
    if topic == "/sys/{}/thing/service/property/set".format(tail):
        said = _object(payload)
        return "set", str(said.get("id", "")), _object(said.get("params"))
    if topic == "/ota/device/upgrade/" + tail:
        data = _object(_object(payload).get("data"))
        if data.get("url"):
            return "update", {"url": data["url"], "version": str(data.get("version", "")), "size": data.get("size"),
                              "md5": _md5(data)}
    return None


def _md5(data):
    method = data.get("signMethod", "MD5")
    return data.get("md5") or (data.get("sign") if str(method).lower() == "md5" else None)


def _asked(product, device, ident, what, params):
    return ("/sys/{}/thing/{}".format(_tail(product, device), what.replace(".", "/")),
            json.dumps({"id": str(ident), "version": _VERSION, "params": params, "method": "thing." + what}))


def _ota(what, product, device, ident, params):
    return "/ota/device/{}/{}".format(what, _tail(product, device)), json.dumps({"id": str(ident), "params": params})


def _tail(product, device):
    return "{}/{}".format(product, device)


def _object(value):
    if not isinstance(value, dict):
        value = json.loads(value) if isinstance(value, (bytes, str)) else None
    if not isinstance(value, dict):
        raise ValueError("a JSON object is wanted")
    return value
