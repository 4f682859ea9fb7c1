"""Tencent IoT Explorer by MQTT: signing in with the key of a device, properties, events, actions, updates.

Sources, all of the public documents: "MQTT-Based Device Connection over TCP" (document/product/1105/41824) for signing
in, "Thing model protocol" (document/product/1081/138037), "Firmware update" (document/product/1105/41507).
"""
import json
from binascii import a2b_base64

from .hmac import hexdigest

KEEP_ALIVE_S = 240             # 0 to 900 are taken
_SDK = "12010126"              # the document's, the same for everybody
FOR_EVER = "9223372036854775807"       # expiry of a device whose clock may be wrong, as the public example has it


def host(product):
    return product + ".iotcloud.tencentdevices.com"


def sign_in(product, device, key, connection, expiry=FOR_EVER, method="hmacsha256"):
    """(client id, user, password). key: text in base64; connection: text by chance; method: hmacsha256, hmacsha1"""
    client = product + device
    user = "{};{};{};{}".format(client, _SDK, connection, expiry)
    return client, user, "{};{}".format(hexdigest(a2b_base64(key), user.encode(), method[4:]), method)


def topics(product, device):
    """What a device subscribes."""
    tail = "{}/{}".format(product, device)
    return "$thing/down/property/" + tail, "$thing/down/action/" + tail, "$ota/update/" + tail


def report(product, device, ident, values):
    """(topic, payload) that reports properties."""
    return _up("property", product, device, {"method": "report", "clientToken": str(ident), "params": values})


def event(product, device, ident, name, values, kind="info"):
    """kind: "info" "alert" "fault", as the model of the product has it"""
    return _up("event", product, device, {"method": "event_post", "clientToken": str(ident), "version": "1.0",
                                          "eventId": name, "type": kind, "params": values})


def reply(product, device, asked, code, text, values=None):
    """(topic, payload) that answers what understood() gave. asked: ("control" or "action", token); code: 0 done"""
    method, token = asked
    payload = {"method": method + "_reply", "clientToken": token, "code": code, "status": text}
    if method == "action":
        payload["response"] = values or {}
    return _up("action" if method == "action" else "property", product, device, payload)


def version(product, device, number):
    """(topic, payload) that tells which firmware runs."""
    return _ota(product, device, "version", {"version": number})


def progress(product, device, number, state, percent=None, failure=None):
    """state: "downloading" "burning" "done" "fail"; number: the new version"""
    told = {"state": state, "result_code": "-1" if failure else "0", "result_msg": failure or ""}
    if percent is not None:
        told["percent"] = str(percent)
    return _ota(product, device, "progress", {"progress": told, "version": number})


def understood(product, device, topic, payload):
    """("control", token, {property: value}), ("action", token, {id: input}), ("update", {...}), or None.

    Raises ValueError.
    """
    said = json.loads(payload)
    if not isinstance(said, dict):
        raise ValueError("a JSON object is wanted")
    method = said.get("method")
    if topic == "$ota/update/{}/{}".format(product, device):
        if said.get("type") == "update_firmware" and said.get("url"):
            return "update", {"url": said["url"], "version": str(said.get("version", "")),
                              "size": said.get("file_size"), "md5": said.get("md5sum")}
        return None
    if method not in ("control", "action"):
        return None
    params = said.get("params") or {}
    if method == "action":
        params = {str(said.get("actionId")): params}
    if not isinstance(params, dict):
        raise ValueError("params is to be a JSON object")
    return method, str(said.get("clientToken", "")), params


def _up(what, product, device, payload):
    return "$thing/up/{}/{}/{}".format(what, product, device), json.dumps(payload)


def _ota(product, device, what, told):
    return "$ota/report/{}/{}".format(product, device), json.dumps({"type": "report_" + what, "report": told})
