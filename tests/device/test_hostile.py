"""Lines and files that broke micrOS 1.20 or would break a careless node; numbers are those of spec section 12."""
import json
import re
import socket
import threading

import pytest

from tests.device.test_config import configure, saved
from tests.device.wire import KEYS, Wire, eventually

ECHO = """
from Common import socket_stream
def back(*args, **kwargs):
    return repr(args) + repr(kwargs)
def say(word, a=None):
    return "{} {}".format(word, a)
@socket_stream
def stream(word, msgobj=None):
    for _ in range(3):
        msgobj(word)
    return word
async def slow(word, ms=200):
    import asyncio
    await asyncio.sleep_ms(ms)
    return word
def greedy():
    return bytearray(10000000)
def log(text, times=1):
    from Debug import errlog_add
    for number in range(times):
        errlog_add("%d %s" % (number, text))
def ends():
    raise SystemExit
"""
WITH_ECHO = {"modules/LM_echo.py": ECHO}
ADVICE = ("SHELL: type help for single word commands (built-in)\n"
          "SHELL: for LM exec: [1](LM)module [2]function [3...]optional params\n")


def with_echo(make_board, **options):
    return make_board(files={**WITH_ECHO, **options.pop("files", {})}, **options)


# 1: any client could run Python

EVALUATED = (
    "system pinmap __import__('os').mkdir('evil')",
    "echo back [__import__('os').mkdir('evil')]",
    "echo back a=__import__('os').mkdir('evil')",
    "echo back {'a':__import__('os').mkdir('evil')}",
    "echo back (lambda:__import__('os').mkdir('evil'))()",
    "system heartbeat();__import__('os').mkdir('evil')",
    "system heartbeat.__globals__['os'].mkdir('evil')",
    "system os.mkdir 'evil'",
    "echo back.__globals__.clear",
    "os mkdir evil",
    "system.os mkdir evil",
    "echo back __import__('os').mkdir('evil') &",
    "task show __import__('os').mkdir('evil')",
    "help __import__('os').mkdir('evil')",
)


def test_no_text_is_evaluated(make_board):
    board = with_echo(make_board, config={"boothook": "; ".join(EVALUATED)})
    board.shell(*EVALUATED)
    configure(board, "utc __import__('os').mkdir('evil')", "staessid __import__('os').mkdir('evil')", "staessid")
    assert not (board.dir / "evil").exists()
    assert " __import__('os').getcwd(): None\n" in board.shell("system pinmap __import__('os').getcwd()")


# 2, 7, 8: passwords were shown by dump, appwd, webrepl and the console

SECRETS = {"appwd": "Secret-77", "stapwd": "Wifi-88;Wifi-99", "telegram": "123456:Token"}
CURIOUS = ("help", "help lm", "modules", "webrepl", "system info", "system ifconfig", "system alarms", "system pinmap",
           "system cachedump", "task list", "task show *", "task show files", "task show server", "genIO genio_pins",
           "conf", "dump", "dump pwd", "appwd", "stapwd", "telegram", "appwd  ", "appwd ...", "appwd Secret-77 x",
           "stapwd ...", "telegram ...", "Secret-77", "noconf")


@pytest.mark.parametrize("mode", ["STA", "AP"])
def test_no_secret_is_shown_anywhere(make_board, mode):
    board = make_board(config={**SECRETS, "nwmd": mode, "boothook": "Secret nosuch"})
    said = board.shell(*CURIOUS[:-2]) + board.console() + (board.dir / "err.log").read_text()
    for secret in ("Secret-77", "Wifi-88", "Wifi-99", "Token"):
        assert secret not in said


def test_a_secret_that_cannot_be_used_is_not_told_to_the_log(make_board):
    board = make_board(config={"appwd": "tiny"})
    assert "appwd takes 8 to 63 characters without blanks, got ********" in board.shell("system alarms")
    assert "tiny" not in (board.dir / "err.log").read_text() + board.console()


# 3: guesses were free

def test_guesses_in_one_segment_are_one_guess(make_board):
    with Wire(make_board(config={"auth": True}), "[password] node01 $ ") as client:
        assert client.send("wrong\nADmin123\nsystem heartbeat\n").until("<<EOF>>") == "AuthFailed\nBye!\n<<EOF>>"


def test_a_locked_node_runs_nothing(make_board):
    board = make_board(config={"auth": True})
    for line in ("genIO set_out 4 True", "hello genIO set_out 4 True", "version\ngenIO set_out 4 True", "conf"):
        with Wire(board, "[password] node01 $ ") as client:
            client.send(line + "\nexit\n").until("<<EOF>>")
    assert board.pins[4] == 0


# 9: how the bytes were cut changed what they meant

@pytest.mark.slow
def test_a_cut_anywhere_in_a_line_changes_nothing(make_board):
    line = 'echo say "Zoë  ☃" a=[1, 2]\r\n'.encode()
    with Wire(with_echo(make_board)) as client:
        for at in range(1, len(line), 3):
            client.send(line[:at])
            client.send(line[at:])
            assert client.until("node01 $ ") == "Zoë  ☃ [1, 2]\nnode01 $ "


def test_2048_bytes_are_a_command_and_2049_are_none(make_board):
    with Wire(with_echo(make_board)) as client:
        longest = "echo back " + "x" * 2038
        assert client.send(longest + "\n").until("node01 $ ").startswith("('xxxx")
        assert client.send(longest + "x\n").until("node01 $ ").startswith("a command takes up to 2048 bytes")


def test_a_client_that_closes_its_side_at_once_gets_its_answers(board):
    with Wire(board) as client:
        client.send("version\nsystem heartbeat\n")
        client.socket.shutdown(socket.SHUT_WR)
        said = client.until("<<EOF>>")
        assert re.fullmatch(r"\S+\nnode01 \$ <3 heartbeat <3\nnode01 \$ Bye!\n\n<<EOF>>", said)


def test_control_characters_are_text(make_board):
    with Wire(with_echo(make_board)) as client:
        assert client.send(b"echo back a\0b \x1b[A\x7f\n").until("node01 $ ").startswith("(")
        assert client.send(b"\0\r\n\x04\n").until("node01 $ ", 2)
        assert client.send("version\n").until("node01 $ ").count("\n") == 1


# 10: text after the prompt made clients lose step

SLIPS = (
    'demo hello "open', "demo hello [1", "demo hello }{", "demo calculator 1 0 op=/", "nosuch f", "system nosuch",
    "foo", "echo greedy", "rgb color x=1", "task kill", "task show nosuch", "echo slow x 1", "echo back &",
    "echo greedy &", "conf\ndbg maybe\nnosuch 1\nnoconf", "x" * 3000, b"\xff\xfe\xff", b"caf\xe9",
)


@pytest.mark.slow
def test_nothing_follows_a_prompt(make_board):
    with Wire(with_echo(make_board, config={"aioqueue": 50})) as client:
        for slip in SLIPS:
            lines = 1 + (slip.count("\n") if isinstance(slip, str) else 0)
            client.send(slip).send("\n").until(" $ ", lines)
            assert client.send("system heartbeat\n").until("node01 $ ") == "<3 heartbeat <3\nnode01 $ ", slip
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)


# 12: the answer to a reboot was lost, and so must not matter

@pytest.mark.parametrize("command", ["reboot", "reboot -h", "webrepl --update"])
def test_a_client_that_does_not_wait_for_the_answer_is_obeyed(make_board, command):
    board = make_board()
    with Wire(board) as client:
        client.send(command + "\n")
    eventually(lambda: board.info()["starts"], lambda starts: starts == 2)


# 13: an ampersand, blanks, braces or a quote in an argument broke the call

ARGUMENTS = (
    ('echo back "a & b"', "('a & b',){}"),
    ("echo back a&b", "('a&b',){}"),
    ("echo back x=R&B", "(){'x': 'R&B'}"),
    ('echo back x="&&500"', "(){'x': '&&500'}"),
    ('echo back "a    b"', "('a    b',){}"),
    ("echo back 'a \"b\"  c'", "('a \"b\"  c',){}"),
    ('echo back "{}" "{0}" "{x}"', "('{}', '{0}', '{x}'){}"),
    ("echo back it's", "(\"it's\",){}"),
    ("echo back [ 1,  'a  b' ] ", "([1, 'a  b'],){}"),
    ("echo back >json x", "('>json', 'x'){}"),
    ('echo back ">json"', "('>json',){}"),
    ("echo back ; echo back", "(';', 'echo', 'back'){}"),
    ("echo back #no remark", "('#no', 'remark'){}"),
)


@pytest.fixture(scope="module")
def echo(board):
    (board.dir / "modules" / "LM_echo.py").write_text(ECHO)
    return board


@pytest.mark.parametrize(("line", "answer"), ARGUMENTS)
def test_arguments_arrive_as_typed(echo, line, answer):
    assert echo.shell(line) == answer


# 14: a save could be cut short, and a damaged file cost everything

@pytest.mark.slow
def test_two_clients_save_at_once_and_the_file_is_whole_at_every_moment(make_board):
    board = make_board()
    configure(board, "soctout 99")
    numbers = range(100, 200)

    def hammer(key):
        with Wire(board) as client:
            client.send("conf\n" + "".join(f"{key} {number}\n" for number in numbers))
            assert client.until(" $ ", 1 + len(numbers)).count("Saved") == len(numbers)

    savers = [threading.Thread(target=hammer, args=(key,)) for key in ("soctout", "utc")]
    for saver in savers:
        saver.start()
    seen = set()
    while any(saver.is_alive() for saver in savers):
        config = json.loads(on_flash(board))
        assert list(config) == KEYS
        seen.add((config["soctout"], config["utc"]))
    for saver in savers:
        saver.join()
    assert len(seen) > 2 and (saved(board)["soctout"], saved(board)["utc"]) == (199, 199)
    assert not list(board.dir.glob("*.new"))


def on_flash(board):
    """The settings as a boot at this moment would find them: between two renames only the last good copy is there."""
    for name in ("node_config.json", "node_config.bak", "node_config.json"):
        try:
            return (board.dir / name).read_text()
        except FileNotFoundError:
            pass
    raise AssertionError("neither the settings nor their copy")


@pytest.mark.slow
def test_a_power_cut_amid_saves_loses_nothing(make_board):
    board = make_board()
    configure(board, "devfid lamp", "soctout 99")
    for first in (100, 200, 300):
        with Wire(board, "lamp $ ") as client:
            client.send("conf\n" + "".join(f"soctout {first + number}\n" for number in range(60))).until(" $ ", 20)
            board.power_cycle()
        board.wait_ready()
        name, soctout = configure(board, "devfid", "soctout")
        assert name == "lamp" and int(soctout) in range(first, first + 60)
    assert board.shell("system alarms").endswith(" OK alarm: 0")


DAMAGED = (b"", b"null", b"{", b'"text"', b'{"devfid": null, "auth": "maybe", "socport": "x", "dbg": []}',
           b'{"soctout": 1e99, "socmax": -1, "aioqueue": true, "utc": "\\ud83d"}')


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_settings_are_defaults_and_an_alarm(make_board, content):
    board = make_board(files={"node_config.json": content, "node_config.bak": content})
    assert board.shell("hello").startswith("hello:node01:micr")
    assert "[ERR] config: " in board.shell("system alarms")
    assert configure(board, "socport", "socmax", "soctout 55")[0::2] == ["9008", "Saved"]


NOT_TEXT = b"\xff\xfe\x00\xc3("


@pytest.mark.parametrize("files", [
    {"node_config.json": NOT_TEXT},
    {".if_mode": NOT_TEXT},
    {"err.log": NOT_TEXT, "node_config.json": b'{"boothook": "nosuch f"}'},
], ids=lambda files: "+".join(files))
def test_a_file_that_is_not_text_does_not_keep_the_node_from_booting(make_board, files):
    board = make_board(files=files, shell=False)
    assert "[shell] listens" in eventually(board.console, lambda said: "[shell] listens" in said or ">>>" in said)


def test_a_number_without_end_is_an_alarm(make_board):
    board = make_board(files={"node_config.json": b'{"devfid": "node01", "soctout": 1e400}'}, shell=False)
    assert "[shell] listens" in eventually(board.console, lambda said: "[shell] listens" in said or ">>>" in said)


# 15, 17: what is killed is gone, and one guest does not hold up the house

def test_a_slow_answer_goes_to_who_asked_while_others_are_served(make_board):
    board = with_echo(make_board, config={"socmax": 8})
    with Wire(board) as first, Wire(board) as second:
        first.send("echo slow one 300\n")
        assert second.send("echo slow two 1\n").until("node01 $ ") == "two\nnode01 $ "
        assert board.shell("task list").count("Yes ") == 3
        assert first.until("node01 $ ") == "one\nnode01 $ "


def test_a_client_that_leaves_while_its_answer_is_made_does_no_harm(make_board):
    board = with_echo(make_board, config={"socmax": 1})
    with Wire(board) as client:
        client.send("echo slow one 100\n")
    assert eventually(lambda: greeting(board), lambda said: said == "node01 $ ")
    assert board.shell("system alarms").endswith(" OK alarm: 0")


def greeting(board):
    with Wire(board, " ") as client:
        return client.greeting


def test_a_module_that_exits_ends_only_its_call(make_board):
    board = with_echo(make_board)
    with board.session() as session:
        assert session.send("echo ends").startswith("exec_lm_core LM_echo->ends: ")
    assert board.info()["starts"] == 1


# 18: the log kept garbage tails, and wore out the flash

EATER = """
import Debug
def eat(leave=0):
    Debug.eaten = []
    spare = bytearray(leave)
    for size in (4096, 256, 16):
        try:
            while True:
                Debug.eaten.append(bytearray(size))
        except MemoryError:
            pass
    return "full"
"""


@pytest.mark.parametrize("way_out", ("reboot", "webrepl --update", "webrepl -u"))
def test_a_node_without_memory_can_be_restarted_from_its_shell(make_board, way_out):
    board = make_board(files={"modules/LM_glutton.py": EATER})
    assert board.shell("glutton eat leave=3000") == "full"
    assert "not enough memory" in board.shell("conf")
    assert board.shell(way_out).endswith("Bye!")
    if way_out != "reboot":
        eventually(lambda: board.info()["starts"], lambda starts: starts == 2)
        return
    board.wait_ready()
    assert board.shell("conf") == ""


def test_the_log_is_bounded_and_each_of_its_lines_is_whole(make_board):
    board = with_echo(make_board)
    board.shell("echo log 'long " + "x" * 500 + "' 15", "echo log 'two\\nlines' 1", "echo log short 8")
    lines = (board.dir / "err.log").read_text().split("\n")
    assert len(lines) == 13 and lines.pop() == ""
    texts = [re.fullmatch(r"\d{4}\.\d+\.\d+-\d+:\d+:\d+ (.+)", line)[1] for line in lines]
    assert texts[3:] == ["0 two lines"] + [f"{number} short" for number in range(8)]
    assert [text[:8] for text in texts[:3]] == ["12 long ", "13 long ", "14 long "] and len(texts[0]) == 200


def test_a_fault_that_repeats_is_written_once(make_board):
    board = with_echo(make_board)
    board.shell("echo log same 1")
    written = (board.dir / "err.log").stat().st_ino
    board.shell("echo log same 1", "echo log same 1")
    assert (board.dir / "err.log").stat().st_ino == written


# 19: the map named in cstmpmap was ignored, pin 0 was no pin

def test_cstmpmap_may_name_another_map(make_board):
    board = make_board(files={"boards/LP_mine.py": "redgb = const(32)\nlamp = 33\n"},
                       config={"cstmpmap": "mine; lamp:5"})
    assert "redgb: 32" in board.shell("system pinmap redgb") and " map: mine" in board.shell("system pinmap")
    board.shell("genIO set_out lamp True")
    assert board.pins[5] == 1


def test_pin_0_is_a_pin(make_board):
    board = make_board(config={"cstmpmap": "zero:0"})
    board.shell("genIO set_out zero True")
    assert board.pins[0] == 1


# 20: streamed lines went to every client

def test_streams_of_two_clients_and_a_task_do_not_mix(make_board):
    board = with_echo(make_board, config={"socmax": 8})
    with Wire(board) as first, Wire(board) as second, Wire(board) as silent:
        assert board.shell("echo stream task &&20") == "Start echo.stream"
        for client, word in ((first, "one"), (second, "two")):
            client.send(f"echo stream {word}\n" * 20)
        for client, word in ((first, "one"), (second, "two")):
            assert client.until("node01 $ ", 20) == (f"{word}\n" * 4 + "node01 $ ") * 20
        eventually(lambda: silent.send("task show echo.stream\n").until("node01 $ "), "task\nnode01 $ ".__eq__)


# 21: one result per host and first word

def test_two_questions_to_one_node_get_their_own_answers(make_board):
    asking, other = (with_echo(make_board, name=name, config={"socmax": 8}) for name in ("node01", "other"))
    with Wire(asking) as first, Wire(asking) as second:
        first.send(f"echo slow one 100 >>{other.address}\n")
        second.send(f"echo slow two 1 >>{other.address}\n")
        assert second.until("node01 $ ") == "two\nnode01 $ "
        assert first.until("node01 $ ") == "one\nnode01 $ "


# not numbered: words that look like something else

ODD = (
    ("help\thelp", r"\[MICROS\](.*\n)+"),
    ("../main hello", r"exec_lm_core LM_\.\./main->hello: no module .*\n"),
    ("echo " + "x" * 500, r"exec_lm_core LM_echo->x+: no function .*\n"),
    ("x" * 500 + " f", r"exec_lm_core LM_x+->f: no module .*\n"),
    ("task " + "x " * 500, r"Invalid task cmd!.*\n"),
    ("echo back " + "[" * 500, r"echo: a bracket stays open: .*\n"),
    ("echo back " + "1 " * 500, r"\(1, .*\n"),
    ("& &", r"exec_lm_core LM_&->&: .*\n"),
    (">json", ADVICE.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[").replace("...", r"\.\.\.")),
    ("\"\" \"\"", r"exec_lm_core .*\n"),
    ("é ü", r"exec_lm_core LM_é->ü: no module .*\n"),
)


@pytest.mark.parametrize(("line", "answer"), ODD, ids=[line[:12] for line, _ in ODD])
def test_an_odd_line_gets_one_answer(echo, line, answer):
    with Wire(echo) as client:
        assert re.fullmatch(answer + r"node01 \$ ", client.send(line + "\n").until("node01 $ "))
        assert client.send("system heartbeat\n").until("node01 $ ") == "<3 heartbeat <3\nnode01 $ "
    assert echo.info()["starts"] == 1
