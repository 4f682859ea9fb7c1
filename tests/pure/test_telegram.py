"""Requests, news and orders of a Telegram bot; runs on CPython and on MicroPython."""
import json

from micrOS.source.pure.telegram import BotError, chats, commands, message, news, order, path, result

PATHS = (("1:a", "/bot1:a/getUpdates"), ("123456:AA-bb_CC09", "/bot123456:AA-bb_CC09/getUpdates"))
NO_TOKENS = ("", ":", "1", "1:", ":a", "a:b", "1:a b", "1:a/b", "1:a?b", "1:\u00e9", "1:a\n", "n/a", "1:a:b", "-1:a")

ORDERS = (                       # (message, (command, line)) for the device lamp01
    ("/ping", ("ping", "")),
    (" /ping  now", ("ping", "now")),
    ("/ping@my_bot", ("ping", "")),
    ("/cmd rgb toggle", ("cmd", "rgb toggle")),
    ("/cmd@my_bot  rgb color 'a  b' ", ("cmd", "rgb color 'a  b'")),
    ("/cmd\nrgb\ntoggle", ("cmd", "rgb toggle")),
    ("/cmd", ("cmd", "")),
    ("/cmd_select lamp rgb toggle", ("cmd", "rgb toggle")),
    ("/cmd_select lamp01", ("cmd", "")),
    ("/cmd_select lamp02 rgb toggle", (None, "")),
    ("/cmd_select", (None, "")),
    ("/Cmd rgb toggle", (None, "")),
    ("/cmdrgb toggle", (None, "")),
    ("cmd rgb toggle", (None, "")),
    ("ping", (None, "")),
    ("", (None, "")),
)
CHATS = (("", []), ("7", [7]), ("7,-100,8", [7, -100, 8]), (" 7 , 8 ", [7, 8]), ("1,2,3,4,5", [1, 2, 3, 4]),
         ("x,7,1-2,--3,-", [7]))
HEARD = {"sender": "Ann", "text": "hi", "m_id": 3, "c_id": -7}
MESSAGE = {"message_id": 3, "from": {"first_name": "Ann"}, "chat": {"id": -7}, "text": "hi"}


def changed(**parts):
    told = dict(MESSAGE)
    told.update(parts)
    return [{"update_id": 9, "message": told}]


NEWS = (
    ([], (None, None)),
    (changed(), (9, HEARD)),
    ([{"update_id": 8}] + changed(), (9, HEARD)),
    ([{"update_id": 8}], (8, None)),
    (changed(text=None), (9, None)),
    (changed(text=5), (9, None)),
    (changed(chat=None), (9, None)),
    (changed(chat={}), (9, None)),
    (changed(chat={"id": "7"}), (9, None)),
    (changed(message_id="3"), (9, None)),
    ([{"update_id": "9", "message": MESSAGE}], (None, None)),
    ([None], (None, None)), (["x"], (None, None)), (None, (None, None)), (True, (None, None)),
    ({"update_id": 9}, (None, None)),
)


def refusal(work, *args):
    try:
        work(*args)
    except BotError as error:
        return error
    raise AssertionError("accepted")


def test_the_path_holds_the_token_and_nothing_that_is_none():
    for token, expected in PATHS:
        assert path(token, "getUpdates") == expected
    for token in NO_TOKENS:
        told = str(refusal(path, token, "getUpdates"))
        assert len(token) < 4 or token not in told, token


def test_a_message_asks_a_device_for_one_thing():
    for text, expected in ORDERS:
        assert order(text, "lamp01") == expected, text


def test_the_last_update_is_the_news():
    for updates, expected in NEWS:
        assert news(updates) == expected, updates
    assert news(changed(**{"from": None, "chat": {"id": 1, "title": "Home"}}))[1]["sender"] == "Home"
    assert news(changed(**{"from": None, "chat": {"id": 1}}))[1]["sender"] == "somebody"


def test_a_result_is_what_the_service_says_is_ok():
    assert result(200, b'{"ok": true, "result": [1]}') == [1]
    for status, body, told in ((401, b'{"ok": false, "description": "Unauthorized"}', "401 Unauthorized"),
                               (502, b"<html>", "502, and no answer of the service"), (200, b"", "200, and no answer"),
                               (200, b"[]", "200, and"), (200, b'{"ok": true}', "200, and"), (200, b"null", "200, and"),
                               (200, b'{"ok": 1, "description": "odd"}', "200 odd")):
        error = refusal(result, status, body)
        assert str(error).startswith(told) and error.status == status, body


def test_a_message_begins_with_the_name_of_the_device():
    assert json.loads(message("lamp", "on", 7)) == {"chat_id": 7, "text": "lamp\u2699\ufe0f\non"}
    assert json.loads(message("lamp", "on", 7, 3))["reply_to_message_id"] == 3
    assert len(json.loads(message("lamp", "x" * 5000, 7))["text"]) <= 4096
    assert [row["command"] for row in json.loads(commands())["commands"]] == ["ping", "cmd", "cmd_select"]


def test_chats_are_read_from_a_comma_list():
    for text, expected in CHATS:
        assert chats(text, 4) == expected, text
