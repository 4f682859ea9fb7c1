"""The interactive client, with a person played by a list of lines."""
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
    person, known = Person(*lines), {}
    console.Console(lambda: ShellLink("127.0.0.1", node.port), person.read_line, person.shown.append, known).run()
    return person, known


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
        _, known = talk(node, "help")
    assert known["i2c"] == ["scan", "pinmap", "help"]
    assert (known["buzzer"], list(known)) == (["bipp"], ["i2c", "buzzer", "rgb"])
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
            lambda: ShellLink("127.0.0.1", ports.pop(0)), person.read_line, person.shown.append, {})
        with pytest.raises(LinkError, match="cannot be reached"):
            client.run()


KNOWN = {"rgb": ["color", "toggle"], "system": ["info"], "task_x": []}
COMPLETIONS = (
    ("he", "he", ["hello", "help"]),
    ("rg", "rg", ["rgb"]),
    ("rgb ", "", ["color", "toggle"]),
    ("rgb t", "t", ["toggle"]),
    ("task k", "k", ["kill"]),
    ("help ", "", ["lm"]),
    ("rgb color r", "r", []),
    ("nothing ", "", []),
)


@pytest.mark.parametrize("line, word, offered", COMPLETIONS)
def test_a_word_is_completed(line, word, offered):
    assert console.completions(line, word, KNOWN) == offered


def test_fixed_lines_of_help_are_no_modules():
    assert "hello" not in console.vocabulary(b"".join(RECORDED["help lm"]).decode())


SECRETS = (("appwd hunter2", True), ("stapwd x", True), ("telegram 12:ab", True), ("system info", False))


@pytest.mark.parametrize("line, is_secret", SECRETS)
def test_secrets_stay_out_of_the_history(line, is_secret):
    assert console.is_secret(line) is is_secret


def test_the_history_is_kept_for_its_owner_alone(tmp_path, monkeypatch):
    lines = iter(("version", "appwd hunter2", "", "system info"))
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    history = tmp_path / "new" / "shell_history"
    with console.line_editor(history, lambda line, word: []) as read_line:
        for _ in range(4):
            read_line("node01 $ ")
    assert history.read_text().split("\n")[-3:] == ["version", "system info", ""]
    assert history.stat().st_mode & 0o777 == 0o600


def test_a_device_is_chosen_by_number_or_name():
    devices = [Device("u1", "127.0.0.1", 9008, "lamp"), Device("u2", "127.0.1.1", 9008, "meter")]
    for word in ("2", "meter", "u2"):
        person = Person("0", "3", "nonsense", word)
        assert console.choose(devices, person.read_line, person.shown.append) == devices[1]
    assert person.shown[0] == "  1  lamp                 127.0.0.1:9008"
    assert "expected 1 to 2" in person.shown[2]


