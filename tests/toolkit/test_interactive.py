"""The interactive client, with a person played by a list of lines, and once by a terminal."""
import os
import pty
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from foreign import RECORDED, Node120, free_port

from toolkit import console
from toolkit.errors import LinkError
from toolkit.inventory import Device
from toolkit.link.shell import ShellLink


class Person:
    """Types lines, then leaves; remembers the prompts and what was shown."""

    def __init__(self, *lines):
        self.lines = list(lines)
        self.prompts, self.shown = [], []

    def read_line(self, prompt):
        self.prompts.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)


def talk(node, *lines):
    person, words = Person(*lines), console.Vocabulary()
    console.Console(lambda: ShellLink("127.0.0.1", node.port), person.read_line, person.shown.append, words).run()
    return person, words


def test_what_is_typed_is_answered_until_ctrl_d():
    with Node120() as node:
        person, _ = talk(node, "version", "", "  ", "system heartbeat", "system sun")
    assert person.shown == ["1.20.4-0", "<3 heartbeat <3"]


def test_the_prompt_is_that_of_the_node():
    with Node120() as node:
        person, _ = talk(node, "conf", "devfid", "noconf")
    assert person.prompts == ["node01 $ ", "[configure] node01 $ ", "[configure] node01 $ ", "node01 $ "]


def test_exit_leaves_at_once():
    with Node120() as node:
        person, _ = talk(node, "exit", "version")
    assert person.lines == ["version"]


def test_modules_are_learnt_at_the_start_and_with_help():
    with Node120({"help": (b"   dimmer\n         toggle\nnode01 $ ",)}) as node:
        _, words = talk(node, "help")
    assert words.modules["i2c"] == ["scan", "pinmap", "help"]
    assert (words.modules["buzzer"], list(words.modules)) == (["bipp"], ["i2c", "buzzer", "rgb"])
    assert node.heard == ["help lm", "help", "help lm"]


def test_a_command_that_cannot_be_sent_is_told():
    with Node120() as node:
        person, _ = talk(node, "x" * 3000, "version")
    assert person.shown == ["a command takes up to 2047 bytes, got 3000", "1.20.4-0"]


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(console, "_REBOOT_PAUSES_S", (0.001,))
    monkeypatch.setattr(console, "REBOOT_S", 0.05)


def test_a_reboot_is_waited_for(hurried):
    with Node120() as node:
        person, _ = talk(node, "reboot", "version")
    assert person.shown == [
        "Reboot micrOS system.\nBye!", "waiting for the node to come back, Ctrl-C gives up",
        "connected to node01", "1.20.4-0",
    ]


def test_a_lost_session_is_opened_again_and_the_command_is_not_repeated(hurried):
    with Node120({"crash now": (b"half an ans", None)}) as node:
        person, _ = talk(node, "crash now", "version")
        assert node.heard.count("crash now") == 1
    assert "within an answer" in person.shown[0]
    assert person.shown[1:] == ["connected to node01", "1.20.4-0"]


def test_a_node_that_stays_away_is_an_error(hurried):
    ports = []
    with Node120() as node:
        ports = [node.port, free_port(), *[free_port()] * 1000]
        person = Person("reboot")
        client = console.Console(
            lambda: ShellLink("127.0.0.1", ports.pop(0)), person.read_line, person.shown.append, console.Vocabulary())
        with pytest.raises(LinkError, match="cannot be reached"):
            client.run()


RGB_HELP = """ color r=<0-1000> g b smooth=True,
 toggle state=<True,False> smooth=True,
 say text='two words' n=1 (a remark with x=1),
 status,
"""
COMPLETIONS = (
    ("he", "he", ["hello", "help"]),
    ("rg", "rg", ["rgb"]),
    ("rgb ", "", ["color", "toggle"]),
    ("rgb t", "t", ["toggle"]),
    ("task k", "k", ["kill"]),
    ("help ", "", ["lm"]),
    ("rgb color ", "", [">json", "b=", "g=", "r=", "smooth="]),
    ("rgb color r=5 s", "s", ["smooth="]),
    ("rgb color r=5 ", "", [">json", "b=", "g=", "smooth="]),
    ("rgb toggle s", "s", ["smooth=", "state=False", "state=True"]),
    ("rgb say ", "", [">json", "n=", "text="]),
    ("rgb status >", ">", [">json"]),
    ("rgb nosuch r", "r", []),
    ("task list x", "x", []),
    ("nothing ", "", []),
)


@pytest.fixture
def words():
    known = console.Vocabulary()
    known.modules = {"rgb": ["color", "toggle"], "system": ["info"], "task_x": []}
    known.tell = {"rgb": RGB_HELP}.__getitem__
    return known


@pytest.mark.parametrize("line, word, offered", COMPLETIONS)
def test_a_word_is_completed(words, line, word, offered):
    assert words.completions(line, word) == offered


def test_arguments_are_asked_for_once_and_only_when_wanted():
    help_of_rgb = {"rgb help": (b" color r=<0-1000> g b,\n", b"node01 $ ")}
    with Node120(help_of_rgb) as node:
        words = console.Vocabulary()
        offered = []

        class Typist(Person):
            def read_line(self, prompt):
                offered.append(words.completions("rgb color ", ""))
                return super().read_line(prompt)

        typist = Typist("conf", "noconf")
        console.Console(
            lambda: ShellLink("127.0.0.1", node.port), typist.read_line, typist.shown.append, words).run()
    assert offered == [[">json", "b=", "g=", "r="]] * 3
    assert node.heard == ["help lm", "rgb help", "conf", "noconf"]


def test_in_configure_mode_no_module_is_called():
    with Node120() as node:
        words = console.Vocabulary()
        client = console.Console(lambda: ShellLink("127.0.0.1", node.port), Person().read_line, print, words)
        client._answer("conf")
        words.modules = {"rgb": ["color"]}
        assert words.completions("rgb color ", "") == [">json"]
        assert node.heard == ["conf"]
        client.run()


def test_fixed_lines_of_help_are_no_modules():
    assert "hello" not in console.vocabulary(b"".join(RECORDED["help lm"]).decode())


SECRETS = (
    ("node01 $ ", "appwd hunter2", True), ("node01 $ ", "stapwd x", True), ("node01 $ ", "telegram 12:ab", True),
    ("[password] node01 $ ", "hunter2", True), ("node01 $ ", "system info", False),
)


@pytest.mark.parametrize("prompt, line, is_secret", SECRETS)
def test_secrets_stay_out_of_the_history(prompt, line, is_secret):
    assert console.is_secret(line, prompt) is is_secret


@pytest.mark.slow
def test_our_own_node_tells_modules_functions_and_arguments():
    simulator = pytest.importorskip("toolkit.simulator")
    words, offered, typed = console.Vocabulary(), {}, ("", "stepper ", "rgb color ", "stepper step ")

    class Typist(Person):
        def read_line(self, prompt):
            offered.update({line: words.completions(line, "") for line in typed})
            return super().read_line(prompt)

    with simulator.VirtualBoard() as board:
        console.Console(lambda: ShellLink(board.address), Typist().read_line, print, words).run()
    assert {"rgb", "system", "task"} <= set(offered[""]) and {"angle", "step"} <= set(offered["stepper "])
    assert {"r=", "g=", "b="} <= set(offered["rgb color "]) and offered["stepper step "] == [">json", "speed=", "st="]


class Terminal:
    """devToolKit.py at a terminal of its own."""

    def __init__(self, *words, env=None):
        self.master, slave = pty.openpty()
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            [sys.executable, root / "devToolKit.py", *words], stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, "TERM": "dumb", **(env or {})}, start_new_session=True)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())

    def until(self, text, timeout_s=20):
        shown, deadline = "", time.monotonic() + timeout_s
        while text not in shown:
            ready = select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]
            assert ready, f"waited for {text!r}, got {shown!r}"
            try:
                shown += os.read(self.master, 4096).decode()
            except OSError:      # the other end is closed
                raise AssertionError(f"waited for {text!r}, it ended with {shown!r}") from None
        return shown


@pytest.mark.slow
def test_at_a_terminal_tab_completes_and_the_history_is_its_owners_alone(data):
    history = data / "shell_history"
    history.parent.mkdir()
    history.touch(0o644)                            # as an older toolkit left it
    completed = {"rgb toggle": (b" S: 1\n", b"node01 $ ")}
    with Node120(completed) as node, Terminal("-c", "--dev", f"127.0.0.1:{node.port}") as terminal:
        terminal.until("node01 $ ")
        terminal.type("rg\tto\t\n")
        terminal.until("S: 1")
        terminal.type("appwd hunter2\nexit\n")
        assert terminal.process.wait(20) == 0
        assert node.heard[-2:] == ["rgb toggle", "appwd hunter2"]
    assert history.read_text().split() == ["rgb", "toggle", "exit"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.slow
def test_at_a_terminal_the_password_is_asked_for_and_not_shown():
    locked = b"[password] lamp $ "
    replies = {"hello": (b"hello:lamp:micr01OS\n", locked), "right": (b"AuthOk\n", b"lamp $ "),
               "version": (b"1.20.4-0\n", b"lamp $ "), "help lm": (b"lamp $ ",)}
    with Node120(replies, locked) as node, Terminal("-c", "--dev", f"127.0.0.1:{node.port}") as terminal:
        terminal.until("password of lamp: ")
        terminal.type("right\n")
        assert "right" not in terminal.until("lamp $ ")
        terminal.type("version\nexit\n")
        terminal.until("1.20.4-0")
        assert terminal.process.wait(20) == 0


def test_a_device_is_chosen_by_number_or_name():
    devices = [Device("u1", "127.0.0.1", 9008, "lamp"), Device("u2", "127.0.1.1", 9008, "meter")]
    for word in ("2", "meter", "u2"):
        person = Person("0", "3", "nonsense", word)
        assert console.choose(devices, person.read_line, person.shown.append) == devices[1]
    assert person.shown[0] == "  1  lamp                 127.0.0.1:9008"
    assert "expected 1 to 2" in person.shown[2]


