"""Keyed hashes, the sign-in strings of Aliyun and Tencent, and properties: the examples of the public documents."""
import json
from binascii import hexlify

from micrOS.source.pure import aliyun, hmac, tencent, things

RFC_VECTORS = (                # key, message, HMAC; RFC 2202 (MD5, SHA-1) 2 and 3, RFC 4231 (SHA-256) 4
    (b"\x0b" * 16, b"Hi There", "md5", "9294727a3638bb1c13f48ef8158bfc9d"),
    (b"Jefe", b"what do ya want for nothing?", "md5", "750c783e6ab0b503eaa86e310a5db738"),
    (b"\x0b" * 20, b"Hi There", "sha1", "b617318655057264e28bc0b6fb378c8ef146be00"),
    (b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First", "sha1",
     "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
    (b"\x0b" * 20, b"Hi There", "sha256", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "sha256",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First", "sha256",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
)


def test_keyed_hashes_are_those_of_the_rfcs():
    for key, message, kind, expected in RFC_VECTORS:
        assert hmac.hexdigest(key, message, kind) == expected, kind
    try:
        hmac.digest(b"", b"", "sha512")
    except ValueError:
        return
    raise AssertionError("sha512 was taken")


def test_aliyun_signs_as_its_document_does():
    """Both examples of help.aliyun.com, "MQTT-TCP connection": the one of the text, and that of the tool."""
    assert aliyun.sign_in("pk", "device", "secret", "12345", "hmacsha1", False, "789") == (
        "12345|securemode=3,signmethod=hmacsha1,timestamp=789|", "device&pk",
        "FAFD82A3D602B37FB0FA8B7892F24A477F851A14".lower())
    ident, user, password = aliyun.sign_in("a14Xib5kdYd", "light1983432", "oLyaKqVxtRvjH284LdhqVgVUx1UPy6zq",
                                           "SN1928339", "hmacsha1", True, "1539421321846")
    assert ident == "SN1928339|securemode=2,signmethod=hmacsha1,timestamp=1539421321846|"
    assert user == "light1983432&a14Xib5kdYd" and password == "b2488041f64f425016b467ee1c94959ebd592ad1"


def test_tencent_signs_as_its_document_says():
    """The document (1105/41824) has the recipe, and no example with a whole key: the token is HMAC(base64 decoded key,
    user name), as its Python listing computes it. The values here are of CPython's own hmac.
    """
    assert tencent.sign_in("U1BZWHF7F9", "dev_01", "MDEyMzQ1Njc4OWFiY2RlZg==", "O3I57", "1611533066") == (
        "U1BZWHF7F9dev_01", "U1BZWHF7F9dev_01;12010126;O3I57;1611533066", TENCENT_SHA256 + ";hmacsha256")
    assert tencent.sign_in("U1BZWHF7F9", "dev_01", "MDEyMzQ1Njc4OWFiY2RlZg==", "O3I57", "1611533066",
                           "hmacsha1")[2] == TENCENT_SHA1 + ";hmacsha1"


TENCENT_SHA256 = "9b7a233949d0f22339bb33af35c4f9084da724594c8c00f80b8a14d5e44d36b4"
TENCENT_SHA1 = "08a19184c7a81d0f00530e4fab09611c6733afa8"


def test_aliyun_topics_and_payloads_are_those_of_its_documents():
    assert aliyun.host("pk", "cn-shanghai") == "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com"
    topic, payload = aliyun.post("pk", "dn", 123, {"Power": "on"})
    assert topic == "/sys/pk/dn/thing/event/property/post"
    assert json.loads(payload) == {"id": "123", "version": "1.0", "params": {"Power": "on"},
                                   "method": "thing.event.property.post"}
    topic, payload = aliyun.event("pk", "dn", 1, "alarm", {"text": "hot"})
    assert topic == "/sys/pk/dn/thing/event/alarm/post" and json.loads(payload)["method"] == "thing.event.alarm.post"
    topic, payload = aliyun.version("pk", "dn", 123, "1.0.1")
    assert topic == "/ota/device/inform/pk/dn" and json.loads(payload) == {"id": "123", "params": {"version": "1.0.1"}}
    topic, payload = aliyun.reply("pk", "dn", "7", 200)
    assert topic == "/sys/pk/dn/thing/service/property/set_reply"
    assert json.loads(payload) == {"id": "7", "code": 200, "data": {}}


def test_aliyun_asks_to_set_properties_and_offers_updates():
    told = aliyun.understood("pk", "dn", "/sys/pk/dn/thing/service/property/set",
                             b'{"id": "7", "version": "1.0", "params": {"a__b": 1}, "method": "x"}')
    assert told == ("set", "7", {"a__b": 1})
    offer = {"code": "1000", "data": {"size": 432945, "version": "2.0.0", "url": "https://a/b", "sign": "ab",
                                      "signMethod": "MD5", "md5": "ab"}, "id": 1, "message": "success"}
    assert aliyun.understood("pk", "dn", "/ota/device/upgrade/pk/dn", json.dumps(offer).encode()) == (
        "update", {"url": "https://a/b", "version": "2.0.0", "size": 432945, "md5": "ab"})
    assert aliyun.understood("pk", "dn", "/sys/pk/dn/thing/event/property/post_reply", b"{}") is None
    for wrong in (b"", b"[]", b"{", b'{"params": 1}'):
        try:
            aliyun.understood("pk", "dn", "/sys/pk/dn/thing/service/property/set", wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


def test_tencent_topics_and_payloads_are_those_of_its_documents():
    topic, payload = tencent.report("p", "d", 1, {"power": 1})
    assert topic == "$thing/up/property/p/d"
    assert json.loads(payload) == {"method": "report", "clientToken": "1", "params": {"power": 1}}
    topic, payload = tencent.version("p", "d", "0.1")
    assert topic == "$ota/report/p/d"
    assert json.loads(payload) == {"type": "report_version", "report": {"version": "0.1"}}
    topic, payload = tencent.progress("p", "d", "0.2", "downloading", 10)
    assert json.loads(payload) == {"type": "report_progress", "report": {"progress": {
        "state": "downloading", "percent": "10", "result_code": "0", "result_msg": ""}, "version": "0.2"}}
    topic, payload = tencent.reply("p", "d", ("action", "t"), 0, "", {"result": "x"})
    assert topic == "$thing/up/action/p/d" and json.loads(payload)["response"] == {"result": "x"}


def test_tencent_asks_to_set_properties_to_act_and_offers_updates():
    assert tencent.understood("p", "d", "$thing/down/property/p/d",
                              b'{"method": "control", "clientToken": "t", "params": {"a": 1}}') == (
        "control", "t", {"a": 1})
    assert tencent.understood("p", "d", "$thing/down/property/p/d", b'{"method": "report_reply", "code": 0}') is None
    assert tencent.understood("p", "d", "$thing/down/action/p/d", json.dumps(
        {"method": "action", "actionId": "open", "clientToken": "t", "params": {"s": 1}}).encode()) == (
        "action", "t", {"open": {"s": 1}})
    offer = {"file_size": 708482, "md5sum": "36eb", "type": "update_firmware", "url": "https://a", "version": "0.2"}
    assert tencent.understood("p", "d", "$ota/update/p/d", json.dumps(offer).encode()) == (
        "update", {"url": "https://a", "version": "0.2", "size": 708482, "md5": "36eb"})


def test_properties_are_named_by_module_and_key_unless_the_user_names_them():
    table = {"Light": {"tells": "dimmer.S", "sets": "dimmer toggle"}}
    assert things.told(table, "dimmer", {"S": 1, "X": 500}) == {"Light": 1, "dimmer__X": 500}
    assert things.told({}, "dht22", {"temp [ºC]": 21.5, "list": [1]}) == {"dht22__temp": 21.5}
    assert things.words(table, "Light", 1) == ["dimmer", "toggle", "1"]
    assert things.words({}, "dimmer__set_value", 500) == ["dimmer", "set_value", "500"]
    assert things.words({}, "light_sensor__measure", None) == ["light_sensor", "measure"]
    assert things.words({}, "rgb__color", {"r": 5}) == ["rgb", "color", "r=5"]
    assert things.words({}, "a__b", [True, None, "x y"]) == ["a", "b", "True", "None", '"x y"']
    assert things.calls({}, {"a__b": 1, "c": 2}) in ([["a", "b", "1"], ["c"]], [["c"], ["a", "b", "1"]])
    assert things.words({}, "nothing", 1) is None and things.words({}, "__x", 1) is None


def test_hex_is_of_the_bytes():
    assert hmac.hexdigest(b"k", b"m") == str(hexlify(hmac.digest(b"k", b"m")), "ascii")
