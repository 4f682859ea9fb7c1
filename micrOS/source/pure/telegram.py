"""What a Telegram bot says and hears: paths and bodies of its requests, the news in an answer, the order in a message.

Source: https://core.telegram.org/bots/api (making requests, getUpdates, sendMessage, setMyCommands).
"""
import json

_TEXT_CHARS = 4000             # of a message; the service takes 4096, the node's name stands before it
_ORDERS = (                    # (command, what it does, as the service shows it)
    ("ping", "the modules that are loaded"),
    ("cmd", "run: module function arguments"),
    ("cmd_select", "the same on one device: name module function arguments"),
)


class BotError(ValueError):
    """Raised when the service refuses, or says nothing that makes sense. status: of HTTP, 0 when there is none"""

    status = 0


def path(token, method):
    """`/bot<token>/<method>`. Raises BotError when that is no token; does not tell it."""
    number, colon, secret = token.partition(":")
    if not colon or not number.isdigit() or not secret or not all(_is_plain(sign) for sign in secret):
        raise BotError("the key telegram holds no token of a bot, which is number:letters")
    return "/bot{}/{}".format(token, method)


def _is_plain(sign):
    return "a" <= sign <= "z" or "A" <= sign <= "Z" or "0" <= sign <= "9" or sign in "_-"


def message(device, text, chat, reply_to=None):
    """Body of sendMessage. chat, reply_to: numbers of a chat and of a message in it"""
    body = {"chat_id": chat, "text": "{}\u2699\ufe0f\n{}".format(device, text[:_TEXT_CHARS])}
    if reply_to is not None:
        body["reply_to_message_id"] = reply_to
    return json.dumps(body).encode()


def commands():
    """Body of setMyCommands."""
    return json.dumps({"commands": [{"command": name, "description": does} for name, does in _ORDERS]}).encode()


def result(status, body):
    """What an answer brings. Raises BotError with what the service says of it."""
    try:
        told = json.loads(body)
        if told["ok"] is True:
            return told["result"]
        text = "{} {}".format(status, told["description"])
    except (ValueError, KeyError, TypeError):
        text = "{}, and no answer of the service".format(status)
    error = BotError(text[:100])
    error.status = status
    raise error


def news(updates):
    """(number, message) of the last update: message is None, or {"sender", "text", "m_id", "c_id"} of one with a text.

    number is None when there is none. updates: result of getUpdates
    """
    if not isinstance(updates, list) or not updates or not isinstance(updates[-1], dict):
        return None, None
    number = updates[-1].get("update_id")
    if not isinstance(number, int):
        return None, None
    try:
        told = updates[-1]["message"]
        chat = told["chat"]
        heard = {"sender": _name(told.get("from"), chat), "text": told["text"], "m_id": told["message_id"],
                 "c_id": chat["id"]}
    except (KeyError, TypeError, AttributeError):
        return number, None
    is_sound = isinstance(heard["text"], str) and isinstance(heard["m_id"], int) and isinstance(heard["c_id"], int)
    return number, heard if is_sound else None


def _name(sender, chat):
    """Who wrote: a person, or the title of a channel."""
    return (sender or {}).get("first_name") or chat.get("title") or "somebody"


def order(text, device):
    """("ping", ""), ("cmd", line) as a message asks of this device; (None, "") when it asks for nothing."""
    name, _, line = text.replace("\n", " ").strip().partition(" ")
    name, line = name.partition("@")[0], line.strip()       # a group calls it /cmd@name_of_the_bot
    if name == "/cmd_select":
        wanted, _, line = line.partition(" ")
        return ("cmd", line.strip()) if wanted and wanted in device else (None, "")
    return (name[1:], line) if name in ("/ping", "/cmd") else (None, "")


def chats(text, most):
    """Numbers of a comma list, at most so many; what is none is left out."""
    found = []
    for part in text.split(","):
        part = part.strip()
        if part.lstrip("-").isdigit() and part.count("-") == (part[:1] == "-") and len(found) < most:
            found.append(int(part))
    return found
