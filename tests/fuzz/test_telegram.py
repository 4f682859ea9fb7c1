"""Anything that a service may answer, and anybody may write: news and orders, or nothing, but never another error."""
import json

from hypothesis import given
from hypothesis import strategies as st

from micrOS.source.pure.telegram import BotError, chats, message, news, order, path, result
from tests.fuzz.effort import hard

KEYS = st.sampled_from(("ok", "result", "description", "update_id", "message", "chat", "id", "text", "message_id",
                        "from", "first_name", "title"))
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20)


@hard
@given(JSON)
def test_any_news_are_a_number_and_a_sound_message_or_none(told):
    for updates in (told, [told], [{"update_id": 5, "message": told}],
                    [{"update_id": 5, "message": {"text": "x", "chat": told}}]):
        number, heard = news(updates)
        assert number is None or isinstance(number, int)
        if heard:
            assert isinstance(heard["text"], str) and isinstance(heard["c_id"], int) and isinstance(heard["m_id"], int)


@hard
@given(JSON.map(lambda told: json.dumps(told).encode()) | st.binary(max_size=40), st.integers(100, 599))
def test_any_answer_is_a_result_or_a_bot_error(body, status):
    try:
        result(status, body)
    except BotError as error:
        assert error.status == status and len(str(error)) <= 100


@hard
@given(st.text(max_size=40) | st.text(max_size=20).map("/cmd".__add__), st.text(max_size=6))
def test_any_text_is_an_order_or_none(text, device):
    name, line = order(text, device)
    assert name in (None, "ping", "cmd") and "\n" not in line
    assert json.loads(message(device, text, 1))["text"].endswith(text)


@hard
@given(st.text(max_size=20), st.text(st.sampled_from("0123456789-, x"), max_size=30))
def test_any_text_is_a_token_or_not_and_a_list_or_shorter(token, text):
    assert all(isinstance(chat, int) for chat in chats(text, 4)) and len(chats(text, 4)) <= 4
    try:
        assert path(token, "m").isascii() and " " not in path(token, "m")
    except BotError as error:
        assert len(token) < 4 or token not in str(error)
