"""Boards on a serial port: files, restarts, cables that come out, and what other tools make of the same board."""
import contextlib
import hashlib
import io
import os
import random
import re

import pytest
from cable import ANSWER_OLD, Cable

from tests.device.wire import eventually
from toolkit.compile import build
from toolkit.errors import LinkError, NoPortError, PortLostError, RefusedError, UsageError
from toolkit.link import rawrepl, verbs
from toolkit.link.ampy import AmpyLink
from toolkit.link.serial import SerialLink
from toolkit.simulator.errors import SimulatorError

simulator = pytest.importorskip("toolkit.simulator")
pytestmark = pytest.mark.slow

HANGS = "print('main')\nwhile True: pass\n"
NAPS = "import time\nprint('main')\nwhile True: time.sleep(9)\n"
DATA = bytes(range(256)) * 40
PULLS = int(os.environ.get("CABLE_PULLS", "3"))


@pytest.fixture(scope="module")
def running():
    with simulator.VirtualBoard(main=HANGS) as board:
        yield board


@pytest.fixture
def link(running):
    with SerialLink(str(running.serial)) as link:
        link.remove_strangers({}, lambda path: path == "main.py")
        yield link


@pytest.fixture(scope="module")
def files():
    """The set as it is deployed, without optional parts: {path on the board: file here}."""
    return build().with_parts(()).files


def written(folder, **contents):
    """Files for a sync; `a__py` is a.py."""
    files = {name.replace("__", "."): content for name, content in contents.items()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in files}


def answers(board):
    """What the shell of a board says, "" while there is none."""
    with contextlib.suppress(OSError, SimulatorError):
        return board.shell("hello")
    return ""


# -- files

SIZES = (0, 1, verbs.PIECE_BYTES - 1, verbs.PIECE_BYTES, verbs.PIECE_BYTES + 1, 3 * verbs.PIECE_BYTES)
NAMES = ("a", "modules/LM_x.mpy", "a/b/c/d.bin", "with blank.txt", "it's \"quoted\" \\.txt", "árvíztűrő.txt", "/r.txt")


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_as_it_was_sent(link, size):
    data = (DATA * 2)[:size]
    assert link.put("file.bin", data) == size
    assert link.get("file.bin") == data


@pytest.mark.parametrize("name", NAMES)
def test_any_name_and_folder_can_be_had(link, name):
    link.put(name, DATA)
    assert link.get(name) == DATA
    assert link.listing() == {"main.py": len(HANGS), name.lstrip("/"): len(DATA)}
    link.remove(name)
    assert list(link.listing()) == ["main.py"]


def test_hashes_are_those_of_the_content_and_the_rom_of_the_firmware_is_left_out(link):
    link.put("a/x.bin", DATA)
    assert link.hashes() == {
        "main.py": (len(HANGS), hashlib.sha256(HANGS.encode()).hexdigest()),
        "a/x.bin": (len(DATA), hashlib.sha256(DATA).hexdigest())}


def test_the_free_space_shrinks_with_what_is_sent(link):
    free, size = link.space()
    link.put("a.bin", bytes(64 * 1024))
    assert link.space()[0] <= free - 64 * 1024 < size


def test_a_file_larger_than_the_heap_goes_through(tmp_path):
    data = random.Random(1).randbytes(120_000)
    with simulator.VirtualBoard(main=NAPS, heap="96K") as board, SerialLink(str(board.serial)) as link:
        parts = []
        link.put("big.bin", data, lambda done, total: parts.append((done, total)))
        assert link.get("big.bin") == data
        assert parts[-1] == (len(data), len(data)) and parts == sorted(parts)


@pytest.mark.parametrize("name", ["", "/", "a//b", "../a", "a/./b", "a\nb"])
def test_a_path_that_is_none_is_refused_here(link, name):
    with pytest.raises(UsageError, match="expected a path"):
        link.put(name, b"")


def test_what_the_board_refuses_is_one_line_with_the_file(link):
    with pytest.raises(RefusedError, match=r"^nothing.txt: the board says: OSError: \[Errno 2\] ENOENT$"):
        link.get("nothing.txt")
    with pytest.raises(RefusedError, match=r"^main.py/x: the board says: OSError: "):
        link.put("main.py/x", b"")
    with pytest.raises(RefusedError, match="^the board says: ZeroDivisionError: divide by zero$"):
        link.execute("def f():\n    return 1 / 0\nf()")
    with pytest.raises(RefusedError, match="^the board says: SyntaxError: invalid syntax$"):
        link.execute("this is no python " * 100)
    assert link.execute("print(6 * 7)") == b"42\r\n"


# -- sets of files


def test_only_what_differs_is_sent_and_main_comes_last(link, tmp_path):
    files = written(tmp_path, main__py=b"print(2)\n", a__txt=b"a", b__txt=b"b")
    link.put("a.txt", b"a")
    done = link.sync(files)
    assert (done.sent, done.same, done.bytes) == (["b.txt", "main.py"], ["a.txt"], len(b"b" + b"print(2)\n"))
    assert link.sync(files).same == ["main.py", "a.txt", "b.txt"]
    link.put("main.py", HANGS.encode())


def test_progress_counts_the_bytes_of_the_whole_set(link, tmp_path):
    steps = []
    link.sync(written(tmp_path, a__bin=DATA, b__bin=DATA), lambda *step: steps.append(step))
    assert steps[-1] == (2 * len(DATA), 2 * len(DATA)) and steps == sorted(steps)


def test_older_forms_of_ours_go_and_what_is_the_users_stays(link, tmp_path):
    for name in ("Common.py", "a.txt", "a.txt.new", "mine.py", "node_config.json", "LM_lamp.py"):
        link.put(name, b"#")
    files = {**written(tmp_path, Common__mpy=b"M", a__txt=b"#"), "modules/LM_lamp.mpy": tmp_path / "Common.mpy"}
    done = link.sync(files)
    assert done.removed == ["Common.py", "a.txt.new"]
    assert done.hiding == ["LM_lamp.py"]
    assert {"mine.py", "node_config.json", "LM_lamp.py", "Common.mpy"} < set(link.listing())


def test_strangers_go_unless_they_may_stay(link, tmp_path):
    for name in ("old.mpy", "modules/LM_old.mpy", "data/log.txt"):
        link.put(name, b"#")
    gone = link.remove_strangers(written(tmp_path, main__py=b""), lambda path: path.startswith("data/"))
    assert sorted(gone) == ["modules/LM_old.mpy", "old.mpy"]
    assert sorted(link.listing()) == ["data/log.txt", "main.py"]


# -- what runs on the board


def test_a_board_that_hangs_in_a_loop_is_stopped_and_started_again(running):
    starts = running.info()["starts"]
    with running.watch() as changes:
        with SerialLink(str(running.serial)) as link:
            assert link.execute("print(1)") == b"1\r\n"
        changes.until(change="state", state="main")
    assert running.info()["starts"] == starts + 2      # a fresh heap for the files, then main.py


def test_told_so_it_leaves_the_board_at_its_prompt(running):
    with SerialLink(str(running.serial), restart=False):
        pass
    assert running.info()["state"] == "repl"


def test_a_running_node_serves_again_after_the_session(files):
    with simulator.VirtualBoard(mpy=True) as node:
        with SerialLink(str(node.serial)) as link:
            assert link.get("main.py") == files["main.py"].read_bytes()
            assert not answers(node)
        assert eventually(lambda: answers(node), bool).startswith("hello:node01:")


def test_a_soft_and_a_hard_reset(running):
    for hard, cause in ((False, "soft"), (True, "hard")):
        with running.watch() as changes, SerialLink(str(running.serial)) as link:
            changes.until(change="start")
            link.reset(hard)
            assert changes.until(change="start")["cause"] == cause
            running.wait_ready()


def test_code_that_does_not_end_is_an_error_and_the_board_starts_again():
    with simulator.VirtualBoard(main=HANGS) as board, board.watch() as changes:
        with pytest.raises(LinkError, match="said nothing for 0.2 s"):
            with SerialLink(str(board.serial)) as link:
                link.execute("while True: pass", 0.2)
        changes.until(change="state", state="main")
        with SerialLink(str(board.serial)) as link:
            assert link.execute("print(1)") == b"1\r\n"


def test_a_boot_py_that_hangs_is_interrupted(monkeypatch):
    monkeypatch.setattr(rawrepl, "BOOT_S", 0.5)
    with simulator.VirtualBoard(main=NAPS) as board:
        with SerialLink(str(board.serial)) as link:
            link.put("boot.py", b"while True: pass\n")
        with SerialLink(str(board.serial)) as link:
            assert link.get("boot.py") == b"while True: pass\n"
            link.remove("boot.py")


WATCHED = "import machine\nwdt = machine.WDT(timeout=30000)\n"


def test_a_watchdog_that_the_program_had_started_is_fed():
    with simulator.VirtualBoard(main="import Watchdog\n" + NAPS, files={"Watchdog.py": WATCHED}) as board:
        for _ in range(2):                   # the second session finds what the first had left
            with SerialLink(str(board.serial), restart=False) as link:
                starts = board.info()["starts"]
                for number in range(3):
                    board.clock.advance(20)
                    link.put(f"{number}.txt", b"fed")
                assert board.info()["starts"] == starts


# -- other ways, firmwares and tools


@pytest.mark.filterwarnings("ignore::DeprecationWarning")      # of pyserial's own threads
def test_the_same_goes_through_rfc_2217():
    with simulator.VirtualBoard(main=NAPS, rfc2217=True) as board, SerialLink(board.rfc2217) as link:
        link.put("a.bin", DATA)
        assert link.get("a.bin") == DATA


def test_nobody_at_an_rfc_2217_address_is_one_line():
    with pytest.raises(NoPortError, match="rfc2217://127.0.0.1:1 cannot be opened"):
        SerialLink("rfc2217://127.0.0.1:1")


@pytest.mark.parametrize("answer", [b"R\0", ANSWER_OLD], ids=["knows not", "before 1.14"])
def test_a_firmware_without_raw_paste_is_served_the_plain_way(running, answer):
    with Cable(running, paste_answer=answer) as cable, SerialLink(cable.path) as link:
        link.put("plain.bin", DATA)
        assert link.get("plain.bin") == DATA
        link.remove("plain.bin")


@contextlib.contextmanager
def ampy(board):
    """adafruit-ampy as it is."""
    from ampy.files import Files
    from ampy.pyboard import Pyboard

    pyboard = Pyboard(str(board.serial))
    try:
        yield Files(pyboard)
    finally:
        pyboard.close()


def test_ampy_gets_what_we_put_and_we_get_what_ampy_puts(running):
    with SerialLink(str(running.serial)) as link:
        link.put("ours/a.bin", DATA)
    with ampy(running) as files:
        assert files.get("ours/a.bin") == DATA
        files.put("ours/b.bin", DATA[:999])
        assert sorted(files.ls("ours", long_format=False)) == ["/ours/a.bin", "/ours/b.bin"]
    with SerialLink(str(running.serial)) as link:
        assert link.get("ours/b.bin") == DATA[:999]
        link.remove("ours/a.bin", "ours/b.bin")


def test_the_same_verbs_go_through_ampy(running, tmp_path):
    with AmpyLink(str(running.serial)) as link:
        files = written(tmp_path, a__bin=DATA)
        assert link.sync(files).sent == ["a.bin"]
        assert link.sync(files).same == ["a.bin"]
        assert link.get("a.bin") == DATA
        with pytest.raises(RefusedError, match="^nothing: the board says: OSError"):
            link.get("nothing")
    with SerialLink(str(running.serial)) as link:
        assert link.get("a.bin") == DATA
        link.remove("a.bin")


def test_ampy_at_a_port_that_is_none_is_one_line(tmp_path):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(LinkError, match="there is no port"):
        AmpyLink(str(tmp_path / "nothing"))
    assert not said.getvalue()


# -- cables


def test_a_damaged_file_does_not_take_the_place_of_the_old_one(running):
    with SerialLink(str(running.serial)) as link:
        link.put("a.txt", b"old")
    with Cable(running, swap=(b"QUFBQUFB", b"QUFBQUFC")) as cable, SerialLink(cable.path) as link:
        with pytest.raises(RefusedError, match=r"^a.txt: the board says: OSError: it arrived damaged$"):
            link.put("a.txt", b"AAAAAA")
        assert link.get("a.txt") == b"old"
        link.remove("a.txt", "a.txt.new")


def test_a_board_without_micropython_is_one_line(monkeypatch):
    monkeypatch.setattr(rawrepl, "KNOCKS_S", (0.01, 0.01))
    ours, theirs = os.openpty()
    try:
        with pytest.raises(LinkError, match="gives no MicroPython prompt: press") as caught:
            SerialLink(os.ttyname(theirs))
        assert caught.value.exit_code == 4
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_pulled_cable_is_one_line_with_the_way_out(running):
    with Cable(running) as cable, pytest.raises(PortLostError, match="plug the board in again and repeat"):
        with SerialLink(cable.path) as link:
            cable.pull()
            for _ in range(100):
                link.put("a.bin", DATA)
    with SerialLink(str(running.serial)) as link:
        link.remove(*(name for name in link.listing() if name != "main.py"))


def transfer_bytes(files):
    return sum(file.stat().st_size for file in files.values()) * 4 // 3


def sync(port, files):
    with SerialLink(str(port)) as link:
        link.sync(files)
        assert set(link.hashes()) == set(files)


@pytest.mark.parametrize("seed", range(PULLS))
def test_wherever_the_cable_is_pulled_the_second_run_ends_with_a_working_node(files, seed):
    at = random.Random(seed).randrange(200, transfer_bytes(files))
    with simulator.VirtualBoard(main=NAPS) as board:
        with Cable(board, pulled_after=at) as cable, pytest.raises(PortLostError):
            sync(cable.path, files)
        sync(board.serial, files)
        assert re.fullmatch(r"hello:\w+:\w+", eventually(lambda: answers(board), bool))


@pytest.mark.parametrize("seed", range(100, 100 + PULLS))
def test_wherever_the_power_goes_the_second_run_ends_with_a_working_node(files, seed):
    with simulator.VirtualBoard(main=NAPS) as board:
        board.unplug_after(random.Random(seed).randrange(200, transfer_bytes(files)))
        with pytest.raises(PortLostError):
            sync(board.serial, files)
        with pytest.raises(NoPortError):
            sync(board.serial, files)
        board.plug()
        sync(board.serial, files)
        assert re.fullmatch(r"hello:\w+:\w+", eventually(lambda: answers(board), bool))
