"""The bot in a chat: what a node tells, learns, does and never says. The service is a small one of this test."""
import ast
import itertools
import json
import socket
import threading

import pytest

from tests.device.web import Web, answer
from tests.device.wire import eventually

TOKEN = "123456:AAbb-cc_DD"
MARK = "node01\u2699\ufe0f\n"
SPEAKING = """
def tell(text):
    from Common import notify
    return notify(text)
async def later(text):
    from Notify import tell
    return await tell(text)
def last():
    from Notify import Telegram
    return Telegram().get_msg()
def evaluate():
    from Notify import Telegram
    return Telegram().receive_eval()
def offer():
    from Notify import Telegram
    return Telegram().set_commands()
async def serve():
    from Notify import Telegram
    return await Telegram().serve()
async def slow(word):
    import asyncio
    await asyncio.sleep_ms(50)
    return word
def say(msgobj=None):
    for number in range(3):
        msgobj(number)
    return ""
from Common import socket_stream
say = socket_stream(say)
"""


class Service:
    """The part of Telegram that a bot talks to. Source: https://core.telegram.org/bots/api"""

    def __init__(self, token=TOKEN):
        self.web = Web(self.reply, tls=True)
        self.token = token
        self.sent = []               # bodies of sendMessage
        self.commands = None
        self.polls = []              # queries of getUpdates
        self.update = None
        self.refuses = {}            # {chat or method: (status, description)}
        self._numbers = itertools.count(1000)
        self.looked = threading.Semaphore(0)
        self._lock = threading.Lock()

    def says(self, text, chat=7, sender="Ann", **more):
        """Somebody writes to the bot."""
        number = next(self._numbers)
        self.update = {"update_id": number, "message": {
            "message_id": number - 990, "from": {"id": 1, "first_name": sender}, "date": 0,
            "chat": {"id": chat, "type": "private", "first_name": sender}, "text": text, **more}}
        return number - 990

    def reply(self, asked):
        with self._lock:
            head, _, rest = asked.target.removeprefix("/bot").partition("/")
            method, _, query = rest.partition("?")
            if head != self.token:
                return self.refusal(401, "Unauthorized")
            if method in self.refuses:
                return self.refusal(*self.refuses[method])
            return getattr(self, method)(asked, query)

    @staticmethod
    def refusal(status, text):
        return answer(json.dumps({"ok": False, "error_code": status, "description": text}), f"{status} No")

    @staticmethod
    def result(value):
        return answer(json.dumps({"ok": True, "result": value}))

    def getUpdates(self, _, query):      # noqa: N802
        self.polls.append(query)
        self.looked.release()
        return self.result([self.update] if self.update else [])

    def sendMessage(self, asked, _):     # noqa: N802
        body = asked.json()
        if body["chat_id"] in self.refuses:
            return self.refusal(*self.refuses[body["chat_id"]])
        self.sent.append(body)
        return self.result({"message_id": 1})

    def setMyCommands(self, asked, _):   # noqa: N802
        self.commands = asked.json()["commands"]
        return self.result(True)


@pytest.fixture
def service():
    made = Service()
    with made.web:
        yield made


@pytest.fixture
def bot(make_board, service):
    """Function that starts a node with a bot: settings -> board."""
    def start(chats="7", token=TOKEN, files=(), **options):
        files = {"modules/LM_speak.py": SPEAKING, **dict(files), **({"telegram.pds": chats} if chats else {})}
        board = make_board(config={"telegram": token, "socmax": 8}, files=files, **options)
        board.world["api.telegram.org"] = service.web.place
        return board
    return start


def started(board, service):
    """A node that has looked once: from now on it obeys."""
    board.shell("speak serve")
    return board


# telling

@pytest.mark.parametrize("line", ["telegram send 'hello \u00e9'", "speak tell 'hello \u00e9'",
                                  "speak later 'hello \u00e9'"])
def test_a_message_goes_to_all_chats_with_the_name_of_the_node(bot, service, line):
    told = bot(chats="7,-100").shell(line)
    assert told == ("Sent" if "send" in line else "True")
    assert service.sent == [{"chat_id": chat, "text": MARK + "hello \u00e9"} for chat in (7, -100)]


def test_who_wrote_last_is_told_when_nobody_is_known(bot, service):
    service.says("hi", chat=55)
    board = bot(chats=None)
    assert board.shell("telegram send hello") == "Sent" and service.sent[0]["chat_id"] == 55
    assert (board.dir / "telegram.pds").read_text() == "55"


def test_with_nobody_to_tell_it_says_so(bot, service):
    board = bot(chats=None)
    assert board.shell("telegram send hello", "speak tell hello").split("\n") == [
        "nobody has written to the bot yet", "False"]


def test_a_chat_that_blocked_the_bot_does_not_keep_the_others_from_hearing(bot, service):
    service.refuses[7] = (403, "Forbidden: bot was blocked by the user")
    told = bot(chats="7,8").shell("telegram send hello", "speak tell hello")
    assert told == "chat 7: 403 Forbidden: bot was blocked by the user\nFalse"
    assert [sent["chat_id"] for sent in service.sent] == [8, 8]


def test_a_long_text_is_cut_to_what_the_service_takes(bot, service):
    bot().shell("telegram send '" + "\u00e9" * 900 + "'")
    assert service.sent[0]["text"] == MARK + "\u00e9" * 900


def test_the_commands_are_shown_in_the_chat(bot, service):
    board = bot()
    assert board.shell("telegram load_n_init") == "Custom commands was set"
    assert [row["command"] for row in service.commands] == ["ping", "cmd", "cmd_select"]
    service.commands = None
    assert board.shell("speak offer") == "Custom commands was set" and len(service.commands) == 3


def test_the_last_message_can_be_read(bot, service):
    board = bot(chats=None)
    assert board.shell("telegram receive") == " sender: None"
    number = service.says("good day", chat=-5, sender="Bob")
    expected = {" sender: Bob", " text: good day", f" m_id: {number}", " c_id: -5"}
    assert set(board.shell("telegram receive").split("\n")) == expected == set(board.shell("speak last").split("\n"))
    assert service.polls[-1].startswith("offset=-1&limit=1&timeout=")


# doing

def test_ping_tells_the_loaded_modules(bot, service):
    board = started(bot(), service)
    number = service.says("/ping")
    assert board.shell("system heartbeat", "speak serve") == "<3 heartbeat <3\nspeak, system"
    assert service.sent == [{"chat_id": 7, "text": MARK + "speak, system", "reply_to_message_id": number}]


@pytest.mark.slow
def test_the_loop_moves_a_pin_and_answers_once(bot, service):
    board = bot()
    board.shell("rgb color 1 2 3 smooth=False")
    assert board.shell("telegram receiver_loop") == "Starting"
    watched(service)
    service.says("/cmd rgb color 5 6 7 smooth=False")
    eventually(lambda: board.shell("task show telegram._loop"), lambda text: " R: 5" in text, timeout_s=15)
    assert board.pwm["redgb"].duty == 5 and " R: 5" in service.sent[0]["text"]
    board.shell("rgb color 1 2 3 smooth=False")
    watched(service)
    watched(service)
    assert board.pwm["redgb"].duty == 1 and len(service.sent) == 1


def watched(service):
    """Wait until the node has looked once more."""
    assert service.looked.acquire(timeout=15)


CALLS = (                                   # (message, answer)
    ("/cmd@my_bot speak slow  'a  b'", "a  b"),
    ("/cmd speak say", "0\n1\n2"),
    ("/cmd task list", "---- micrOS  top"),
    ("/cmd_select node speak slow x", "x"),
    ("/cmd_select node01\nspeak slow x", "x"),
    ("/cmd rgb toggle", "only loaded modules and task can be called: speak, task"),
    ("/cmd conf", "only loaded modules and task can be called: "),
    ("/cmd", "only loaded modules and task can be called: "),
    ("/cmd os remove main.py", "only loaded modules and task can be called: "),
    ("/cmd speak slow x >>127.0.0.1", "only loaded modules and task can be called: "),
    ("/cmd speak nosuch", "exec_lm_core LM_speak->nosuch: no function nosuch"),
    ("/cmd speak slow 'x", "a quote stays open"),
    ("/cmd task kill server", "Kill: server|protected"),
)


def test_an_order_is_carried_out_and_answered(bot, service):
    board = started(bot(), service)
    for text, told in CALLS:
        service.says(text)
        assert board.shell("speak serve").startswith(told), text
        assert service.sent[-1]["text"].startswith(MARK + told), text


def test_what_is_no_order_for_this_node_is_not_answered(bot, service):
    board = bot()
    board.shell("speak evaluate")
    for text in ("/cmd_select lamp07 speak slow x", "hello", "/command x", "/cmd_select", "cmd speak say", "/pingpong"):
        service.says(text)
        assert board.shell("speak evaluate") == ""
    assert not service.sent


def test_what_1_20_called_does_the_same(bot, service):
    board = bot()
    assert board.shell("speak evaluate") == ""
    service.says("/cmd speak say")
    assert board.shell("speak evaluate") == "0\n1\n2" and service.sent[0]["text"] == MARK + "0\n1\n2"
    service.says("/cmd speak slow x")
    assert board.shell("speak evaluate") == "this takes time; end the line with &"


def test_a_message_of_before_the_start_is_not_carried_out(bot, service):
    service.says("/cmd speak slow x")
    board = bot()
    assert board.shell("speak slow x", "speak evaluate", "speak evaluate") == "x\n\n"
    assert not service.sent


def test_chats_are_learned_up_to_four_and_others_are_not_obeyed(bot, service):
    board = bot(chats="1,2,3")
    board.shell("speak evaluate")
    service.says("/ping", chat=4)
    assert board.shell("speak evaluate") == "speak"
    assert (board.dir / "telegram.pds").read_text() == "1,2,3,4"
    service.says("/ping", chat=5)
    assert board.shell("speak evaluate") == "" and (board.dir / "telegram.pds").read_text() == "1,2,3,4"
    assert [sent["chat_id"] for sent in service.sent] == [4]
    eventually(board.console, lambda said: "chat 5 is a stranger" in said)


def test_there_is_one_loop(bot, service):
    board = bot()
    assert board.shell("telegram receiver_loop") == "Starting"
    assert board.shell("telegram receiver_loop") == "Already running"
    assert board.shell("task kill telegram._loop") == "Kill: telegram._loop|True"
    assert board.shell("telegram receiver_loop") == "Starting"


def test_nobody_waits_while_the_service_is_slow(bot, service):
    board = bot()
    service.web.hold = True
    board.shell("telegram receiver_loop")
    eventually(lambda: service.web.asked, bool)
    assert board.shell("system heartbeat") == "<3 heartbeat <3"
    service.web.release()
    eventually(lambda: service.polls, bool)


# what goes wrong

def test_without_a_token_it_says_so(bot, service):
    board = bot(token="n/a")
    assert set(board.shell("telegram load_n_init", "telegram send x", "telegram receive").split("\n")) == {
        "Missing telegram bot token"}
    assert board.shell("speak tell x", "speak last", "speak evaluate", "speak offer") == "False\nNone\nNone\nNone"
    board.shell("telegram receiver_loop")
    eventually(lambda: board.shell("task show telegram._loop"), lambda text: text == "Missing telegram bot token")
    assert not service.web.asked


def test_the_token_counts_as_soon_as_it_is_set(bot, service):
    board = bot(token="n/a")
    board.shell("conf", f"telegram {TOKEN}")
    assert board.shell("telegram send x") == "Sent"


@pytest.mark.parametrize("line", ["telegram send x", "telegram load_n_init"])
def test_a_node_with_a_network_of_its_own_says_so(make_board, line):
    board = make_board(config={"nwmd": "AP", "telegram": TOKEN})
    assert board.shell(line) == "Network unavailable."


def test_the_network_is_asked_for_at_each_call_and_not_when_the_module_is_loaded(bot, service):
    board = bot(chats="7")
    board.shell("conf", "boothook telegram load_n_init; telegram receiver_loop")
    board.reset()
    board.wait_ready()
    eventually(lambda: service.commands, bool, timeout_s=15)
    assert board.shell("telegram send x") == "Sent"


def test_when_the_service_is_away_the_loop_waits_longer_and_longer(bot, service):
    board = bot(turn=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        board.world["api.telegram.org"] = taken.getsockname()
    board.shell("telegram receiver_loop")
    eventually(lambda: board.shell("task show telegram._loop"), lambda text: text.endswith("next try in 8 s"))
    for pause_s in (16, 32, 64, 64):
        board.clock.run(pause_s * 0.75)
        assert board.shell("task show telegram._loop").endswith(f"next try in {pause_s} s")
    board.world["api.telegram.org"] = service.web.place
    eventually(lambda: (board.clock.run(10), service.commands and service.polls)[1], bool)
    assert "telegram" not in board.shell("system alarms")


def test_without_a_network_a_message_is_one_line(bot, service):
    board = bot()
    board.network(False)
    assert board.shell("telegram send x") == "api.telegram.org cannot be reached: there is no network"
    assert board.shell("speak tell x") == "False"


def test_another_node_that_asks_at_the_same_time_is_no_failure(bot, service):
    board = bot(turn=True)
    board.shell("telegram receiver_loop")
    watched(service)
    service.refuses["getUpdates"] = (409, "Conflict: terminated by other getUpdates request")
    asked = len(service.web.asked)
    eventually(lambda: board.clock.run(12) or len(service.web.asked) - asked, lambda count: count >= 5)


WRONG = {
    "refused": lambda _: Service.refusal(429, "Too Many Requests: retry after 5"),
    "no json": lambda _: answer("<html>secret</html>", "502 Bad Gateway"),
    "a list": lambda _: answer("[]"),
    "no text": lambda _: answer('{"ok": false}'),
    "no http": lambda _: b"garbage\r\n\r\n",
    "echo": lambda asked: Service.refusal(400, "no such path " + asked.target),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_service_that_makes_no_sense_is_one_line_without_the_token(bot, service, kind):
    board = bot()
    service.web.reply = WRONG[kind]
    said = board.shell("telegram send x", "telegram receive", "telegram load_n_init", "speak tell x", "speak last")
    assert len(said.split("\n")) == 5 and said.split("\n")[3] == "False"
    board.shell("telegram receiver_loop")
    eventually(lambda: board.shell("task show telegram._loop"), lambda text: "next try" in text)
    said += board.shell("task show telegram._loop", "system alarms") + board.console()
    assert TOKEN not in said and TOKEN.partition(":")[2] not in said


@pytest.mark.parametrize("token", ["x", "123456", "123456:AA bb", "123456:A/../b", "abc:def", "123456:", ":AAaa",
                                   "1:a\u00e9"])
def test_a_token_that_is_none_is_not_sent_and_not_told(bot, service, token):
    board = bot(token=token)
    said = board.shell("telegram send hello", "telegram load_n_init", "speak tell hello") + board.console()
    assert said.startswith("the key telegram holds no token of a bot")
    assert len(token) < 4 or token not in said
    assert not service.web.asked


NEWS = (
    None, 5, "text", {}, {"update_id": 5}, {"update_id": "5", "message": {}}, {"update_id": 5, "message": None},
    {"update_id": 5, "message": {"text": "/ping"}},
    {"update_id": 5, "message": {"text": "/ping", "chat": 5, "message_id": 1}},
    {"update_id": 5, "message": {"text": ["/ping"], "chat": {"id": 7}, "message_id": 1}},
    {"update_id": 5, "message": {"text": "/ping", "chat": {"id": "7"}, "message_id": 1}},
    {"update_id": 5, "edited_message": {"text": "/ping", "chat": {"id": 7}, "message_id": 1}},
    {"update_id": 5, "message": {"photo": [], "chat": {"id": 7}, "message_id": 1}},
)


def test_news_of_another_shape_are_no_orders(bot, service):
    board = bot()
    board.shell("speak evaluate")
    for service.update in NEWS:
        assert board.shell("speak evaluate", "telegram receive") == "\n sender: None", service.update
    assert board.shell("system alarms").endswith(" OK alarm: 0") and not service.sent


def test_a_full_flash_does_not_keep_a_chat_from_being_answered(bot, service):
    board = bot(chats=None, files={"telegram.pds/x": ""})          # a folder stands where the file should be
    board.shell("speak evaluate")
    service.says("/ping")
    assert board.shell("speak evaluate") == "speak"
    assert "[ERR] telegram.pds: the flash says" in board.shell("system alarms")


def test_nothing_of_it_is_in_memory_before_it_is_used(bot):
    board = bot(files={"modules/LM_mods.py": "import sys\ndef f():\n    return sorted(sys.modules)\n"})
    loaded = ast.literal_eval(board.shell("mods f"))
    assert not {"Notify", "Http", "pure.http", "pure.telegram", "urequests"} & set(loaded)
