"""The code samples of the public package's papers run with ours: on the host in threads, on the board as guests.

They are read from the installed package (PyPI vsoa, extra dev). MISPRINTS are mended, PLACES put where this test is.
"""
import ast
import importlib.util
import inspect
import os
import re
import sys
import threading
import time
from importlib.metadata import metadata
from pathlib import Path

import pytest

from micrOS.source import vsoa as ours
from micrOS.source.vsoa.remote import RemoteClient
from micrOS.source.vsoa.streams import Stream
from tests.device.test_vsoa import WAIT_S, Heard, free_port, is_up, official
from tests.device.test_vsoa_more import echoing, keys  # noqa: F401 - keys is a fixture
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.slow]
PAPERS = metadata("vsoa").get_payload() or metadata("vsoa")["Description"]
SAMPLES = re.findall(r"^``` ?(?:python)?\n(.*?)^```", PAPERS, re.DOTALL | re.MULTILINE)

MISPRINTS = (                  # what stands there, what is meant
    ("print('Client:' cli.id", "print('Client:', cli.id"),
    ("if header and header.tunid > 0\n", "if header and header.tunid > 0:\n"),
    ("vsoa:Header", "vsoa.Header"),
    ("vsoa:Payload", "vsoa.Payload"),
    ("info: str | dict | list)\n", "info: str | dict | list):\n"),
    ("with open('file') as file:", "with open('file', 'rb') as file:"),        # a stream carries bytes
    ("\tif conn:\n\t\tfile = open('file')", "\tglobal file\n\tif conn:\n\t\tfile = open('copy', 'wb')"),
    ("client.robot(...)", "client.connect('vsoa://192.168.1.1:3005')"),        # fetch() needs the connection at once
    ("if user_check:", "if True:"),
    ("cli.reply(...)", "cli.reply(request.seqno)"),
    ("lookup('myserv')", "lookup('myserver')"),        # as the server of names above it knows it
)
BELOW = {8: 6, 13: 12, 33: 32}     # what goes on with another sample
# number: (what it shows at last, what is done meanwhile, what a board lacks for it)
DICT, TLS = "dict() of a record", "TLS with PEM files"
ROWS = {
    0: (), 1: (), 2: (), 3: (), 4: (), 5: ((), "echo"), 6: ((), None, TLS), 7: ((), None, TLS),
    8: ((), None, TLS), 9: ((), None, TLS), 10: ("connect: True", "visit"), 11: ("DATARAM URL: /x", "datagram", DICT),
    12: (), 13: ((), "copied"), 14: ((), "visit"), 15: ("connected, address:", "visit"), 16: (), 17: (),
    18: ("onsubscribe: ['/s']", "subscribe"), 19: ("onunsubscribe: ['/s']", "unsubscribe"), 20: (),
    21: ("Connected, server info: papers", "reconnect"), 22: ("Msg received, url: /topic1", "publish", DICT),
    23: ("DATARAM URL: /x", "told", DICT), 24: ("'a': 1", None, DICT), 25: ("Ping echo: True",),
    26: ("Msg received, url: /topic1", "publish", DICT), 27: (), 28: (), 29: ((), "drop"), 30: ("{'a': 3}", None, DICT),
    31: ("{'a': 3}", None, DICT), 32: ((), "names"), 34: ("timer! 1 2 3",), 35: (),
    36: ("event catched!",), 37: ("1 2",), 38: ("Hello count: 3",), 39: ((), "hello"),
}
STAGE = '''
shown = []


def print(*words):
    shown.append(" ".join([str(word) for word in words]))


class Enough(Exception):
    """Ends the loops of the papers, which are endless."""


class Clock:
    def __init__(self, pause):
        self.pause, self.left = pause, 4

    def sleep(self, seconds):
        self.pause()
        self.left -= 1
        if not self.left:
            raise Enough


server, client, cli, event, time = vsoa.Server("papers"), vsoa.Client(), None, vsoa.EventEmitter(), None
request = vsoa.Request("/nobody", 65000, 0)


@server.command("/echo")
def echo(cli, request, payload):
    cli.reply(request.seqno, payload)
'''


def mended(text, place, port):
    """A sample without its misprints, at this place; port: free, for a server of its own"""
    for wrong, right in MISPRINTS:
        text = text.replace(wrong, right)
    for far in ("192.168.1.1:3005", "192.168.0.1:3005", "192.168.1.1:3001", "your_server_name_or_ip:port"):
        text = text.replace(far, "{}:{}".format(*place))
    text = re.sub(r"'0\.0\.0\.0', 300\d", f"'{place[0]}', {port}", text)
    return text.replace("start(1.5,", "start(0.01,").replace("callable", "object")


def test_each_misprint_is_there():
    whole = "".join(SAMPLES)
    assert len(SAMPLES) == len(ROWS) + 1 == 40        # 33 is tried with 32
    assert [wrong for wrong, _ in MISPRINTS if wrong not in whole] == []
    assert "add_listerner" in whole


def module(name, text):
    """(a module that is yet to run, function that runs it)"""
    path = Path(f"{name}.py").absolute()
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    made = importlib.util.module_from_spec(spec)
    return made, lambda: spec.loader.exec_module(made)


def documented():
    """(object, name, {parameter: its default, ... where it has none}) of each heading."""
    for line in re.findall(r"^##? ([a-z]+\.\w+.*)$", PAPERS, re.MULTILINE):
        place, name, rest = re.match(r"(\w+)\.(\w+)(.*)", line).groups()
        if (place, name) == ("server", "getpeercert"):       # a server has no other end; its clients have
            continue
        words = re.match(r"\((.*?)\)(?: *->.*| *:?)$", rest)
        tree = ast.parse(f"def f({words[1].replace('vsoa:', 'vsoa.')}): 0").body[0].args if words else None
        values = [...] * (len(tree.args) - len(tree.defaults)) + tree.defaults if words else ()
        yield place, name, words and {arg.arg: value if value is ... else ast.literal_eval(value)
                                      for arg, value in zip(tree.args, values, strict=True)}


def test_each_heading_of_the_papers_is_a_name_of_ours_with_its_parameters():
    server, client = ours.Server(), ours.Client()
    places = {"vsoa": ours, "server": server, "client": client, "cli": RemoteClient(server, 0, None, None),
              "stream": Stream(None, None, None), "timer": ours.Timer(), "event": ours.EventEmitter(),
              "wq": ours.WorkQueue()}
    seen = 0
    for place, name, wanted in documented():
        assert hasattr(places[place], name), (place, name)
        if wanted:
            has = inspect.signature(getattr(places[place], name)).parameters
            assert list(has)[:len(wanted)] == list(wanted), (place, name)
            assert [word for word, value in wanted.items() if value not in (..., {}, has[word].default)] == [], name
        seen += 1
    assert seen == 81
    for name in ("CONNECT_OK", "INVALID_RESPONDING", "INVALID_PASSWD", "SSL_HS_FAILED", "SERVER_NO_RESPONDING"):
        assert getattr(ours.Client, name) == getattr(official.Client, name)
    for name in re.findall(r"parser\.(VSOA_\w+)", PAPERS):
        assert getattr(ours.parser, name) == getattr(official.parser, name)


class Host:
    """Samples, each a file that a thread runs."""

    def __init__(self):
        self.stage, run = module("stage", "from micrOS.source import vsoa\n" + STAGE)
        run()
        self.names = vars(self.stage)
        self.place = "127.0.0.1", free_port()
        threading.Thread(target=self.names["server"].run, args=self.place, daemon=True).start()
        eventually(lambda: is_up(self.place), bool)
        self.client = self.names["client"]
        assert self.client.connect("vsoa://{}:{}".format(*self.place)) == 0
        self.names["cli"] = self.names["server"].clients()[0]
        self.now = None

    def begin(self, number, text):
        self.names["shown"].clear()
        self.stage.time = self.stage.Clock(lambda: time.sleep(0.02))
        self.error = None
        self.now, run = self._sample(number, text)
        self.thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self.thread.start()

    @staticmethod
    def _sample(number, text):
        return module(f"s{number}", "import socket, ssl\nfrom stage import *\n" + text)

    def _run(self, run):
        try:
            run()
        except self.names["Enough"]:
            pass
        except Exception as error:
            self.error = error

    def name(self, name):
        return getattr(self.now, name, None)

    def over(self):
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive() and self.error is None, self.error

    def shown(self):
        return "\n".join(self.names["shown"])

    def act(self, what):
        {"subscribe": lambda: self.client.subscribe("/s"), "unsubscribe": lambda: self.client.unsubscribe("/s"),
         "datagram": lambda: self.client.datagram("/x"), "told": lambda: self.names["cli"].datagram("/x"),
         "publish": lambda: (self.client.subscribe("/topic1"), eventually(
             lambda: self.names["server"].is_subscribed("/topic1"), bool), self.names["server"].publish("/topic1")),
         "reconnect": self._reconnect, "end": lambda: (self.name("app") or self.name("server")).close(),
         "names": self._ask, "drop": self._drop, "copied": self._copied}[what]()

    def _reconnect(self):
        self.client.connect("vsoa://{}:{}".format(*self.place))
        self.names["cli"] = self.names["server"].clients()[-1]

    def _ask(self):
        service = eventually(lambda: self.name("pserv"), bool)
        ours.pos("127.0.0.1", self.port)
        assert eventually(lambda: ours.lookup("myserver"), bool) and ours.lookup("myserv") is None
        asked, run = self._sample(33, mended(SAMPLES[33], self.place, self.port))
        run()
        assert (asked.addr, asked.port) == ("127.0.0.1", 3005)
        service.close()
        ours.pos(None)

    def _copied(self):
        eventually(lambda: self.name("file"), lambda file: file and file.tell() == 6)
        self.name("stream").close()          # and so its file is closed
        eventually(lambda: Path("copy").read_bytes(), lambda data: data == b"a file")

    def _drop(self):
        server, own = self.names["server"], self.client.id
        while self.thread.is_alive():
            for other in server.clients():
                if other.id != own:
                    other.close()
            time.sleep(0.01)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("papers"))
    Path("file").write_bytes(b"a file")
    made = Host()
    sys.modules["stage"] = made.stage
    yield made
    del sys.modules["stage"]
    os.chdir(before)


def played(stage, number, row):
    wanted, what, _ = (*row, *((), None, None)[len(row):])
    stage.port = free_port()
    before = SAMPLES[BELOW[number]] + "\n" if number in BELOW else ""
    stage.begin(number, mended(before + SAMPLES[number], stage.place, stage.port))
    if what in ("echo", "hello"):            # the sample is a server
        eventually(lambda: is_up((stage.place[0], stage.port)), bool)
        url = f"vsoa://{stage.place[0]}:{stage.port}/{what}"
        assert official.fetch(url, payload=official.Payload([1]), timeout=WAIT_S)[1].param == [1]
        what = "end"
    elif what == "visit":
        stage.over()
        assert official.fetch("vsoa://{}:{}/echo".format(*stage.place), timeout=WAIT_S)[2] == 0
        what = None
    elif what not in (None, "names", "drop"):
        stage.over()
    if what:
        stage.act(what)
    stage.over()
    if wanted:
        eventually(stage.shown, lambda text: wanted in text)


@pytest.mark.parametrize("number", ROWS)
def test_a_sample_runs_on_the_host(host, number):
    played(host, number, ROWS[number])


@pytest.mark.parametrize("number", [6, 8])
def test_the_options_of_the_papers_open_tls_on_either_side(host, keys, number):  # noqa: F811
    cert, key = keys
    options = []
    for side in (number, number + 1):
        played(host, side, ())
        options.append({name: {"server.crt": cert, "server.key": key, "client.crt": cert, "client.key": key,
                               "ca.crt": cert}.get(value, value) if isinstance(value, str) else value
                        for name, value in host.name("sslopt").items()})
    server, place = echoing(ours, options[0])
    heard = Heard(ours, place, sslopt=options[1])
    assert heard.code == 0 and heard.ask("/echo", [1])[1].param == [1]
    assert heard.client.getpeercert()["subject"] == ((("commonName", "localhost"),),)
    heard.client.close()
    if number == 8:                          # two-way: who shows no certificate is not served
        stranger = Heard(ours, place, sslopt={"ca_cert": cert}, timeout=WAIT_S)
        assert stranger.code or stranger.client.fetch("/echo", timeout=WAIT_S)[2]
    server.close()


# -- on a board

ON_BOARD = """
import asyncio
import sys

import blocking
from Baton import need
from TaskManager import manager
import stage


async def load(address, port):
    manager().start("papers", stage.server.run("0.0.0.0", port))
    await asyncio.sleep(0)
    code = await stage.client.connect("vsoa://{}:{}".format(address, port))
    stage.cli = stage.server.clients()[0]
    return str(code)


def begin(name):
    stage.shown.clear()
    stage.time = stage.Clock(lambda: blocking.sleep_ms(20))
    sys.modules.pop(name, None)
    stage.guest = need().start(__import__, (name,), None, name)


def state():
    if not stage.guest.is_over:
        return "runs"
    error = stage.guest.error
    return "over" if error is None or isinstance(error, stage.Enough) else repr(error)


def shown():
    return "\\n".join(stage.shown)


def _sample():
    return sys.modules[stage.guest.name]


async def act(what, address, port):
    client, server = stage.client, stage.server
    if what in ("subscribe", "unsubscribe"):
        getattr(client, what)("/s")
    elif what == "publish":
        server.publish("/m")
    elif what == "told":
        stage.cli.datagram("/x")
    elif what == "reconnect":
        await client.connect("vsoa://{}:{}".format(address, port))
        stage.cli = server.clients()[-1]
    elif what == "end":
        sample = _sample()
        (sample.app if "app" in dir(sample) else sample.server).close()
    elif what == "names":
        vsoa.pos(address, port)
        found = [await vsoa.lookup("myserver"), await vsoa.lookup("myserv")]
        vsoa.pos(None)
        _sample().pserv.close()
        return repr(found)
    elif what == "drop":
        for other in server.clients():
            if other is not stage.cli:
                other.close()
    elif what == "copied":
        await asyncio.sleep_ms(50)
        _sample().stream.close()
        await asyncio.sleep_ms(50)
        with open("copy") as file:
            return file.read()
    return ""


import vsoa
"""


class Board:
    """Samples, each a file that a guest imports."""

    def __init__(self, board):
        self.board, self.place = board, (board.address, 3005)
        assert board.shell("papers load {} {}".format(*self.place)) == "0"

    def begin(self, number, text):
        (self.board.dir / f"s{number}.py").write_text("import vsoa, socket\nfrom stage import *\n" + text)
        self.board.shell(f"papers begin s{number}")

    def over(self):
        assert eventually(lambda: self.board.shell("papers state"), lambda state: state != "runs") == "over"

    def shown(self):
        return self.board.shell("papers shown")

    def act(self, what):
        port = self.port if what == "names" else self.place[1]
        answer = {"names": "[('127.0.0.1', 3005), None]", "copied": "a file"}.get(what, "")
        ask = f"papers act {what} {self.place[0]} {port}"
        while what == "drop" and self.board.shell("papers state") == "runs":
            self.board.shell(ask)
        assert self.board.shell(ask) == answer


@pytest.fixture(scope="module")
def board():
    files = {"stage.py": "import vsoa\n" + STAGE, "modules/LM_papers.py": ON_BOARD, "file": "a file"}
    with VirtualBoard(files=files, config={"ntphost": "n/a"}, heap="512K", mpy=True) as made:
        yield Board(made)


@pytest.mark.parametrize("number", [number for number, row in ROWS.items() if row[2:] not in ((DICT,), (TLS,))])
def test_a_sample_runs_on_the_board(board, number):
    played(board, number, ROWS[number])


PROGRAM = '''
import utime
import vsoa

client, told = vsoa.Client(), []
client.onmessage = lambda client, url, payload, quick: told.append(url)
code = client.connect("vsoa://{place}")
client.subscribe("/m")
_, payload, _ = client.fetch("/echo", payload=vsoa.Payload([1, 2]))
while not told:
    utime.sleep_ms(5)
client.close()
with open("/usr/said", "w") as file:
    file.write(str([code, payload.param, told, vsoa.fetch("vsoa://{place}/echo", payload=vsoa.Payload("x"))[1].param]))
'''


def test_a_quecpython_program_blocks_and_the_node_goes_on(board):
    folder = board.board.dir / "usr"
    folder.mkdir(exist_ok=True)
    (folder / "ask.py").write_text(PROGRAM.format(place="{}:{}".format(*board.place)))
    assert board.board.shell("quec run ask") == "ask runs"
    publish = f"papers act publish {board.place[0]} {board.place[1]}"
    eventually(lambda: (board.board.shell(publish), (folder / "said").exists())[1], bool)
    eventually((folder / "said").read_text, lambda text: text.startswith("[0, [1, 2], ['/m'") and text.endswith("'x']"))
