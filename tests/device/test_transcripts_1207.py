"""What a 1.20.7 client sent and got, sent again to our node; each wanted difference is a row here and in SPEC.md."""
import re

import pytest

from tests.device.recorded import steps
from tests.device.wire import Wire

# What differs by its nature from run to run, on both sides.
VARIES = (
    (r"hello:node01:\S+", "hello:node01:<uid>"),
    (r"\d+\.\d+ %", "<n> %"),
    (r"(percent|mem_used)(\"?): [\d.]+", r"\1\2: <n>"),
    (r"\d{4}\.\d+\.\d+  \d+:\d+:\d+\nWD: \d YD: \d+", "<clock>"),
    (r"^0\.1:\d+", "<peer>"),
    (r"#load: \d+%", "#load: <n>%"),
    (r"(upython|board|mac|uptime): .*", r"\1: <text>"),
    (r"CPU clock: \d+", "CPU clock: <n>"),
    (r"\d+\.\d+\.\d+-\d+:\d+:\d+", "<stamp>"),
)

PROMPT = r"(\[configure\] )?node01 \$ "
DIFFERENCES = (
    # SPEC.md, the line sent (regex), our whole answer (regex)
    ("D1", r"version( 9\.9)?", r"\d+\.\d+\.\d+-\d+\n" + PROMPT),
    ("D2", r"help( lm| nolm)?", r"\[MICROS\](?s:.*)help lm  - list ALL LoadModules(?s:.*)" + PROMPT),
    ("D3", r"(foo|two|exit|é|nomod) .*", r"exec_lm_core LM_\S+->\S+: no module LM_\S+; help lm lists them\n" + PROMPT),
    ("D3", r"system (nofunc|&|heartbeat&|heartbeat;version)",
     r"exec_lm_core LM_system->\S+: no function \S+; system help lists them\n" + PROMPT),
    ("D3", r"system heartbeat (1|undefinedname)",
     r"exec_lm_core LM_system->heartbeat: heartbeat\(\) takes 0 positional arguments but 1 were given\n" + PROMPT),
    ("D3", r"task show nomod\.nofunc", r"exec_lm_core LM_nomod->nofunc: no module LM_nomod; .*\n" + PROMPT),
    ("D3", r"system heartbeat", r"Invalid key\n" + PROMPT),
    ("D4", r"system help( >json)?", r"(?s)(?=.*heartbeat)(?=.*memory_usage)(?=.*alarms).*" + PROMPT),
    ("D4", r"demo help", r"(?s)(?=.*hello)(?=.*calculator).*" + PROMPT),
    ("D5", r"system ifconfig", r"\('STA', \('127\.0\.1\.\d+', '\S+', '\S+', '\S+'\)\)\n" + PROMPT),
    ("D6", r"system pinmap.*", r"(?s)(?=.* map: esp32\n)(?=.* custom: \{\}\n).*" + PROMPT),
    ("D6", r"system pinmap 'neop' >json", r"\{.*\"map\": \"esp32\".*\}\n" + PROMPT),
    ("D7", r"system alarms( test=True| clean=True)?",
     r"(?s)( Delete: err.log\n)?(<stamp> .*\n)* Boots, newest first: .*\n (OK alarm: 0|NOK alarm: 1)\n" + PROMPT),
    ("D8", r"system setclock 2023 7 22 10 11 12", r"\(2023, 7, 22, 10, 11, 12, 5, 203\)\n" + PROMPT),
    ("D9", r"hello\nversion", r"hello:\S+\nnode01 \$ \d+\.\d+\.\d+-\d+\nnode01 \$ "),
    ("D9", r"two cmds in one read.*\n hello", r"exec_lm_core LM_two(?s:.*)hello:\S+\nnode01 \$ "),
    ("D9", r"system heartbeat A{3000}", r"a command takes up to 2048 bytes; this one was dropped\nnode01 \$ "),
    ("D10", r"dump", r"(?s)(?=.*  stapwd    :        \*{8}\n)(?=.*  appwd     :        \*{8}\n).*" + PROMPT),
    ("D11", r"(dbg maybe|soctout abc|devfid n a m e)", r"Failed to save: \w+ takes .*, got .*\n" + PROMPT),
    ("D11", r"devfid", r"node01\n" + PROMPT),
    ("D11", r"nosuch 1", r"Invalid key\n" + PROMPT),
    ("D11", r"guimeta \.\.\.", r"Failed to save: guimeta takes .*\n" + PROMPT),
    ("D12", r"(config|confetti|webreplx)", r"(None|SHELL: (?s:.*))\n" + PROMPT),
    ("D13", r"\n", r"node01 \$ "),
    ("D14", r"exit now", r"Bye!\n\n<<EOF>>"),
    ("D15", r"task list( >json)?", r"(---- micrOS  top ----\n(?s:.*)Yes       files\n(?s:.*)|\{.*\}\n)" + PROMPT),
    ("D15", r"task show idle", r"i\.d\.l\.e: 500ms\n" + PROMPT),
    ("D16", r"task kill (system\.clock|system\.\*|idle)", r"Kill: \w+(\.\w+)?\|(True|False|protected)(?s:.*)" + PROMPT),
    ("D17", r"system heartbeat (&&1000|&&&|&x)", r"system\.heartbeat is Busy\n" + PROMPT),
    ("D17", r"task show system\.(heartbeat|\*)", r"(?s)(|\n|<3 heartbeat <3\n|system\..*)" + PROMPT),
    ("D18", r"system rssi &&500 >json", r"Start system\.rssi\n" + PROMPT),
    ("D18", r"system rssi >json &&500", r"system\.rssi is Busy\n" + PROMPT),
    ("D19", r"system pinmap \"unclosed", r"system: a quote stays open: \"unclosed\n" + PROMPT),
    ("D21", r"system ntp", r"\(False, 'ntp error: no time server; set the key ntphost'\)\n" + PROMPT),
    ("D22", r"system sun", r"the position is not known; set the key position to latitude,longitude\n" + PROMPT),
    ("D3", r"robustness raise_error",
     r"Raise test exception\nexec_lm_core LM_robustness->raise_error: Test exception\n" + PROMPT),
    ("D23", r'intercon sendcmd "nohost\.local" "hello"',
     r" verdict: Task started: task show con\.nohost\.hello\n tag: con\.nohost\.hello\n" + PROMPT),
    ("D24", r"task show con\.0\.1\.(system|hello)", r".* \n" + PROMPT),
    ("D25", r"lmpacman listlm", r"(   \w+\.py\n)+\n" + PROMPT),
    ("D25", r"lmpacman module", r"\[.*'LM_lmpacman'.*\]\n" + PROMPT),
    ("D20", r"reboot", r"Reboot micrOS system\.\nBye!\n<<EOF>>"),
)


def plain(answer: str) -> str:
    """The answer without what varies, its lines sorted: a dict has no order on the board."""
    for pattern, text in VARIES:
        answer = re.sub(pattern, text, answer, flags=re.MULTILINE)
    if answer.startswith("{"):
        answer = "".join(sorted(answer))
    return "\n".join(sorted(answer.split("\n")))


def difference(sent: str, answer: str) -> str | None:
    """The row of DIFFERENCES that allows this answer."""
    for name, line, ours in DIFFERENCES:
        if re.fullmatch(line, sent) and re.fullmatch(ours, re.sub(VARIES[-1][0], "<stamp>", answer)):
            return name
    return None


class Replay:
    """The clients of one transcript. A line with a newline goes over a client of its own, for one newline
    settles how a session is framed, and the recorder mixed both."""

    def __init__(self, board):
        self._board = board
        self._clients = {}

    def connect(self, name: str) -> str:
        if name in self._clients:
            self._clients[name].close()
        self._board.wait_ready()
        self._clients[name] = Wire(self._board)
        return self._clients[name].greeting

    def ask(self, name: str, sent: str) -> str:
        if "\n" not in sent:
            client = self._clients[name].send(sent)
            answer = client.until(" $ ")
            if answer.endswith("<<EOF>>"):
                self.connect(name)
            return answer
        with Wire(self._board) as client:
            client.send(sent.rstrip("\n") + "\n")
            return client.until(" $ ", sent.strip().count("\n") + 1)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s1_basic", "s2_tasks", "s8_framing"])
def test_a_1207_client_gets_what_it_knows(name, make_board):
    board = make_board(config={"aioqueue": 3, "socmax": 8})
    unexplained = []
    replay = Replay(board)
    for step in steps(name):
        answer = replay.connect(step.client) if step.sent is None else replay.ask(step.client, step.sent)
        if step.sent is None or plain(answer) == plain(step.answer):
            continue
        if difference(step.sent, answer) is None:
            unexplained.append(f"{step.sent!r}\n  1.20: {step.answer!r}\n  ours: {answer!r}")
    replay.close()
    assert not unexplained, "\n".join(unexplained)


def test_each_difference_is_explained_in_the_spec(spec):
    assert sorted({name for name, _, _ in DIFFERENCES}) == sorted(set(re.findall(r"^\| (D\d+) \|", spec, re.MULTILINE)))
