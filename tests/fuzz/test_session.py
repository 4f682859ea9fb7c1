"""A long conversation with clients that keep to no rule: the node stays up, well mannered and as small as before."""
import contextlib
import json
import re
import socket
from types import SimpleNamespace

import pytest

from tests.device.wire import Wire, eventually
from tests.fuzz.effort import IS_LONG, dice, times
from tests.fuzz.grammar import typed
from toolkit.simulator.errors import SimulatorError

STEPS = 600                          # of all clients together, in the suite
CLIENTS = 4
ANSWER_S = 20.0
# measured: over 10,000 steps it wanders by -1 to +5.5 KB and does not grow; a leak of one byte a step still shows
HEAP_SLACK_BYTES = 8192 if IS_LONG else 4096
FLUSH = ("heartbeat", "clock", "gclean", "rssi")      # as many as the default of `aioqueue`
PROMPT = re.compile(rb"(?:^|\n)(?:\[configure\] )?node01 \$ $")

VALID = ("hello", "version", "help", "help lm", "webrepl", "task list", "task list >json", "task show idle",
         "system info",
         "system heartbeat", "system clock", "system help >json", "system gclean", "demo hello é",
         "demo calculator 4 5 op=*",
         "demo dice_cube", "rgb load_n_init", "rgb help", "rgb color r=1 g=2 b=3", "genIO help", "system alarms",
         "task kill system.heartbeat", "task show server")
BACKGROUND = ("system heartbeat &", "system heartbeat &&20", "demo hello &&50 >json", "system gclean &30",
              "task kill system.*", "task kill demo.*", "task show system.*", "task show demo.hello")
HOSTILE = ("nosuch module", "system nosuch", "system _percent 1 2", "system __init__", "system machine",
           "Common once", "task",
           "task kill idle", "task kill server", "task kill files", "task show nosuch", "system info >json >json",
           "demo hello [",
           "demo hello '", "demo hello [[[[[[[[[1]]]]]]]]]", "demo calculator 1 0 op=/", "demo calculator",
           "system setclock 1",
           "demo hello " + "x" * 1900, "../LM_system info", "system/../demo hello", "LM_system info", "webrepl now",
           "é é",
           "\0", "=", "& &", "&& && &&", ">json", ">json >json >json", "help me", "1 2 3", "hello hello", "-1 -1",
           "\x1b[A", "n/a n/a",
           "demo hello nosuch=1", "demo hello name=1 2", "demo calculator " + "9" * 800 + " 1 op=*",
           "demo hello 'a;b' ; system info")
CONFIGURE = ("conf", "noconf", "conf", "dump", "dump irq", "nosuchkey", "nosuchkey 1", "soctout 99", "soctout abc",
             "utc -300",
             "utc 1e999", "irq_prell_ms 250", "guimeta {\"a\": 1}", "guimeta", "telegram secret", "telegram",
             "telegram n/a",
             "crontasks " + "x;" * 400, "crontasks n/a", "dbg maybe", "timirqseq 0", "irq1_trig both",
             "irq1_trig n/a",
             "boothook ...", "staessid a\"b\\c", "staessid n/a", "appwd", "system heartbeat")
RAW = (b"\xff", b"\xff\xfb\x01", b"\xff\xfa\x18", b"\xff\xf0", b"\xff\xfd", b"\0", b"\r", b"hel", b"system hea",
       b"\xc3",
       b"\x80\x81\n", b"x" * 3000, b"\xff\xfa" + b"y" * 200 + b"\xff\xf0", b"\n" * 40, b"hello\n" * 20, b"\xf0\x9f\n",
       b"x" * 2048 + b"\n", b"x" * 2049 + b"\n", b"GET / HTTP/1.1\r\nHost: node01\r\n\r\n", bytes(range(256)),
       b"\x16\x03\x01\x02")
# what would end the node on purpose, or shut the test out of it
FORBIDDEN = re.compile(r"reboot|--update|-u\b|socport|appwd\s+\S|auth\s|nwmd|socmax|devfid")


class Client:
    """A session that is spoken to in any way; `is_clean` while all it sent were whole lines."""

    def __init__(self, board):
        self.link = board.connect()
        self.link.settimeout(ANSWER_S)
        self.is_clean = True
        self.hear()
        self.ask("")                 # a newline: from now on framed

    def hear(self):
        """What came, up to a prompt that nothing follows."""
        heard = b""
        while not PROMPT.search(heard):
            data = self.link.recv(65536)
            assert data, f"closed after {heard[-200:]!r}"
            heard += data
        return heard

    def ask(self, line):
        self.link.sendall(line.encode() + b"\n")
        return self.hear()

    def send_raw(self, data):
        self.is_clean = False
        self.link.sendall(data)

    def leave(self, rudely):
        if rudely:                   # RST instead of FIN, RFC 793 section 3.4
            with contextlib.suppress(OSError):
                self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.link.close()


class Talk:
    """Up to CLIENTS clients at a time, each step by one of them; `said` is what the last of them sent."""

    def __init__(self, board, salt):
        self.board = board
        self.chance = dice(salt)
        self.clients = []
        self.said = []

    def step(self):
        self.chance.choice(STEPS_OF_A_TALK)(self, self._somebody())

    def ask(self, client, line):
        if FORBIDDEN.search(line) or "\n" in line:
            return
        if not client.is_clean:      # who has half a line out there gets no answer that could be told apart
            self._raw(client, line.encode() + b"\n")
            return
        self._note(line)
        answer = client.ask(line)
        assert PROMPT.search(answer), (line, answer)

    def valid(self, client):
        self.ask(client, self.chance.choice(VALID))

    def background(self, client):
        self.ask(client, self.chance.choice(BACKGROUND))

    def hostile(self, client):
        self.ask(client, self.chance.choice(HOSTILE))

    def configure(self, client):
        self.ask(client, self.chance.choice(CONFIGURE))

    def garbled(self, client):
        self.ask(client, self.chance.choice(("demo hello ", "system ", "", "conf ")) + typed(self.chance))

    def raw(self, client):
        self._raw(client, self.chance.choice(RAW))

    def random_bytes(self, client):
        self._raw(client, self.chance.randbytes(self.chance.randint(1, 300)))

    def say_without_newline(self, client):
        line = self.chance.choice(VALID)
        self._note(line.encode())
        with Wire(self.board) as other:
            assert PROMPT.search(other.send(line).until("$ ").encode()), line

    def leave(self, client):
        self._note("<leaves>")
        if client in self.clients:
            self.clients.remove(client)
        client.leave(rudely=self.chance.random() < 0.5)

    def leave_in_the_middle(self, client):
        self._raw(client, self.chance.choice(VALID).encode()[:5])
        self.leave(client)

    def leave_before_the_answer(self, client):
        self._raw(client, (self.chance.choice(VALID) + "\n").encode())
        self.leave(client)

    def end(self):
        for client in self.clients:
            client.leave(rudely=False)
        self.clients = []

    def _raw(self, client, data):
        if FORBIDDEN.search(data.decode("latin-1")):
            return
        self._note(data)
        try:
            client.send_raw(data)
        except OSError as error:
            raise AssertionError(f"the node has closed the session: {error}") from error

    def _somebody(self):
        if not self.clients or (len(self.clients) < CLIENTS and self.chance.random() < 0.1):
            self.clients.append(Client(self.board))
        return self.chance.choice(self.clients)

    def _note(self, what):
        self.said = [*self.said[-30:], what]


STEPS_OF_A_TALK = (*[Talk.valid] * 4, *[Talk.hostile] * 4, *[Talk.configure] * 4, *[Talk.background] * 2,
                   *[Talk.garbled] * 4, *[Talk.raw] * 2,
                   Talk.random_bytes, Talk.say_without_newline, Talk.leave, Talk.leave_in_the_middle,
                   Talk.leave_before_the_answer)


def quiet(board):
    """Ends what the talk has started; returns the bytes of heap in use once all sessions are gone."""
    tags = [tag for tag in json.loads(board.shell("task list >json"))["active"] if "." in tag]
    board.shell(*[f"task kill {tag}" for tag in tags], "system alarms True")
    for function in FLUSH:           # each takes the place of a finished task and of the text it said last
        eventually(lambda line=f"system {function} &": board.shell(line), lambda answer: answer.startswith("Start"))
    eventually(lambda: board.shell("task show server").count(","), lambda others: others == 0)
    return min(int(board.shell("probe used")) for _ in range(3))


def facts(board):
    info = board.info()
    return SimpleNamespace(starts=info["starts"], crashes=info["crashes"], pid=info["pid"])


def warm_up(board):
    """Load what a talk may load, fill what has a bound: err.log, task table, saved state."""
    for line in (*VALID, *BACKGROUND, *HOSTILE):
        board.shell(line)
    board.shell(*CONFIGURE, "noconf")
    converse(board, Talk(board, "warm up"), 100)


def converse(board, talk, steps):
    for number in range(steps):
        try:
            talk.step()
            if number % 20 == 0:
                assert board.shell("hello").startswith("hello:node01:")
        except (AssertionError, OSError, SimulatorError) as error:
            talk.end()
            error.add_note(f"step {number}, before it: {talk.said}")
            error.add_note(f"the console: {board.console()[-1500:]}")
            raise
    talk.end()


@pytest.mark.slow
@pytest.mark.parametrize("salt", range(3))
def test_a_node_outlives_any_conversation(board, salt):
    warm_up(board)
    before, used = facts(board), quiet(board)
    talk = Talk(board, f"session {salt}")
    converse(board, talk, times(STEPS) // 3)
    assert board.shell("hello").startswith("hello:node01:")
    assert facts(board) == before, talk.said
    assert quiet(board) - used < HEAP_SLACK_BYTES, board.console()[-1500:]


@pytest.mark.parametrize("data", (b"caf\xe9", b"demo hello " + "é".encode() * 60), ids=("not UTF-8", "cut at 64 bytes"))
def test_a_client_without_newlines_may_send_any_text(board, data):
    with Wire(board) as client:
        assert client.send(data).until("node01 $ ").endswith("\nnode01 $ ")
        assert client.send("hello").until("node01 $ ").startswith("hello:")
