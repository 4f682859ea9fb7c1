"""The node's Telegram bot: it tells what happened, and does what is asked of it in a chat. Key `telegram` is its token.

A conversation is a generator that yields what it needs: (url, body) to ask the service, or a line to run. So the same
one can hold up the node, as in 1.20, or nobody.
"""
import sys

from micropython import const

from ConfigHandler import cfgget
from Debug import console_write, errlog_add
from Files import read, write_whole
from Http import fetch
from Modules import PREFIX, CallError
from pure import telegram
from pure.lazy import once, unload
from pure.suffixes import remote
from pure.words import WordError, split
from TaskManager import finished, manager

_HOST = const("https://api.telegram.org")
_CHATS = const("telegram.pds")
_MOST_CHATS = const(4)
_MOST_LINES = const(50)                          # that a command may stream
_LAST = const("?offset=-1&limit=1&timeout=")     # several nodes may share a bot, so nobody takes the news away
_HEARING_S = const(2)
_JSON = const((("Content-Type", "application/json"),))
_SENT = const("Sent")


class NotifyError(OSError):
    """Raised when the service refused, or was not reached: then status, which is HTTP's, is 0. Tells no secret."""

    status = 0


class Bot:
    """Without a token all its methods return None. Those without `async` hold up the node until the service answers.

    chats: numbers of the first four that wrote to it: it tells them all, and does what they ask
    """

    def __init__(self):
        self.chats = telegram.chats(read(_CHATS) or "", _MOST_CHATS)
        self._heard = None           # number of the last update; None: not asked yet

    def send_msg(self, text, reply_to=None):
        """`Sent` when all chats have it, else why not."""
        return _now(self._tell(text, reply_to))

    async def tell(self, text, reply_to=None):
        return await _soon(self._tell(text, reply_to))

    def get_msg(self):
        """The last message: {"sender", "text", "m_id", "c_id"}, or {"sender": None}. Raises NotifyError."""
        return _now(self._last())

    async def last(self):
        return await _soon(self._last())

    def set_commands(self):
        """Tell the service what a person may ask for. Returns `Custom commands was set`. Raises NotifyError."""
        return _now(self._offer())

    async def offer(self):
        return await _soon(self._offer())

    def receive_eval(self):
        """Do what a new message asks for, and answer it. Returns what was said, "" for no news. Raises NotifyError.

        The first call only notes which message is the last: it may be of yesterday, and done.
        """
        return _now(self._serve(0))

    async def serve(self):
        return await _soon(self._serve(_HEARING_S))

    def _tell(self, text, reply_to=None, chats=None):
        failures = []
        try:
            if not self.chats:
                yield from self._hear(0)
            for chat in self.chats if chats is None else chats:
                message = telegram.message(cfgget("devfid"), str(text), chat, reply_to)
                failures += yield from self._posted(chat, message)
        except NotifyError as error:
            return str(error)
        if not self.chats:
            return "nobody has written to the bot yet"
        return ", ".join(failures) or _SENT

    def _posted(self, chat, message):
        """[], or [why the service refused]: a person may have blocked the bot, and the others want to know."""
        try:
            yield from _ask("sendMessage", "", message)
            return []
        except NotifyError as error:
            if not error.status:
                raise
            return ["chat {}: {}".format(chat, error)]

    def _last(self):
        _, heard = yield from self._hear(0)
        return heard or {"sender": None}

    def _offer(self):
        yield from _ask("setMyCommands", "", telegram.commands())
        return "Custom commands was set"

    def _serve(self, seconds):
        before = self._heard
        number, heard = yield from self._hear(seconds)
        self._heard = number or 0
        if before is None or number in (None, before) or not heard or heard["c_id"] not in self.chats:
            return ""
        order, line = telegram.order(heard["text"], cfgget("devfid"))
        if not order:
            return ""
        answer = (yield line) if order == "cmd" else ", ".join(_loaded()) or "no module is loaded"
        sent = yield from self._tell(answer, heard["m_id"], (heard["c_id"],))
        return answer if sent == _SENT else sent

    def _hear(self, seconds):
        """(number of the last update, its message or None); who wrote is learned."""
        number, heard = telegram.news((yield from _ask("getUpdates", _LAST + str(seconds), b"")))
        if heard and heard["c_id"] not in self.chats:
            self._learn(heard["c_id"])
        return number, heard

    def _learn(self, chat):
        if len(self.chats) >= _MOST_CHATS:
            console_write("[telegram] chat {} is a stranger; {} are known".format(chat, _MOST_CHATS))
            return
        self.chats.append(chat)
        try:
            write_whole(_CHATS, (",".join([str(chat) for chat in self.chats]),))
        except OSError as error:
            errlog_add("[ERR] {}: the flash says {}".format(_CHATS, error))


@once
def Telegram():      # noqa: N802 - its name in 1.20, where it was a class
    """The node's one Bot."""
    return Bot()


def notify(text):
    """Tell all chats; True when they have it. Holds up the node until then; `await tell(text)` does not."""
    return Telegram().send_msg(text) == _SENT


async def tell(text):
    """Tell all chats; True when they have it."""
    return await Telegram().tell(text) == _SENT


def _ask(method, query, body):
    """Part of a conversation: the result of one request. Raises NotifyError."""
    try:
        url = _HOST + telegram.path(cfgget("telegram"), method) + query
        return telegram.result(*(yield url, body))
    except telegram.BotError as error:
        raise _failure(error, error.status)


def _failure(error, status=0):
    """NotifyError without the token, whoever put it into the text."""
    token = cfgget("telegram")
    failure = NotifyError(str(error).replace(token, "***").replace(token.partition(":")[2] or token, "***"))
    failure.status = status
    return failure


def _next(steps, got):
    return steps.throw(got) if isinstance(got, NotifyError) else steps.send(got)


async def _soon(steps):
    """Lead a conversation while the node goes on."""
    got = None
    try:
        while cfgget("telegram") != "n/a":
            wanted = _next(steps, got)
            got = await (_run if isinstance(wanted, str) else _fetch)(wanted)
    except StopIteration as done:
        return done.value


async def _run(line):
    say, lines = _kept()
    try:
        say(await finished(_call(line, say)))
    except CallError as error:
        say(error)
    return "\n".join(lines).rstrip()


async def _fetch(question):
    try:
        return await fetch(*_parts(*question))
    except OSError as error:
        return _failure(error)


def _now(steps):
    """Lead a conversation and hold up the node."""
    got = None
    try:
        while cfgget("telegram") != "n/a":
            wanted = _next(steps, got)
            got = (_run_now if isinstance(wanted, str) else _fetch_now)(wanted)
    except StopIteration as done:
        return done.value


def _run_now(line):
    say, lines = _kept()
    try:
        answer = _call(line, say)
        if not isinstance(answer, str):
            answer.close()
            answer = "this takes time; end the line with &"
        say(answer)
    except CallError as error:
        say(error)
    return "\n".join(lines).rstrip()


def _fetch_now(question):
    import urequests
    unload("urequests")
    try:
        return urequests.ask(*_parts(*question))
    except OSError as error:
        return _failure(error)


def _parts(url, body):
    return (url, "POST", _JSON, body) if body else (url,)


def _kept():
    """(function that keeps a line, the lines)."""
    lines = []
    return lambda text: lines.append(str(text)) if len(lines) < _MOST_LINES else None, lines


def _call(line, say):
    """Text of a call, or a coroutine that gives it. Only what is loaded can be called, and `task`. Raises CallError."""
    try:
        words, host = remote(split(line))
    except WordError as error:
        raise CallError(str(error))
    if host or not words or words[0] != "task" and words[0] not in _loaded():
        raise CallError("only loaded modules and task can be called: {}".format(", ".join(_loaded() + ["task"])))
    return manager().execute(line, say)


def _loaded():
    return sorted([name[len(PREFIX):] for name in sys.modules if name.startswith(PREFIX)])
