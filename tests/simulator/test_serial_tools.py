"""ampy and mpremote, as they are, at the virtual board's pty."""
import pytest
from serial_peers import ampy, mpremote, output

from toolkit.simulator import VirtualBoard

pytestmark = pytest.mark.slow      # every call starts a Python, and ampy sleeps
PROGRAM = "value = 'é'\n" + "print(value, 6 * 7)\n" * 150
MAIN = "print('main ran')\nwhile True: pass\n"
LOAD = b"0123456789" * 300


@pytest.fixture(scope="module")
def board():
    """Its main.py never ends: every call has to interrupt it or what the last one left behind."""
    with VirtualBoard(main=MAIN, files={"data.bin": bytes(range(256)) * 20}) as board:
        yield board


def test_mpremote_executes_while_main_spins(board):
    board.reset()
    board.wait_ready()
    assert mpremote(board, "exec", "print(6 * 7)") == "42\n"


def test_mpremote_copies_there_and_back(board, tmp_path):
    (tmp_path / "up").write_bytes(LOAD)
    mpremote(board, "fs", "cp", tmp_path / "up", ":up.bin")
    assert (board.dir / "up.bin").read_bytes() == LOAD
    mpremote(board, "fs", "cp", ":data.bin", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == bytes(range(256)) * 20


def test_mpremote_makes_lists_and_removes(board, tmp_path):
    (tmp_path / "one.py").write_text("x = 1\n")
    mpremote(board, "fs", "mkdir", ":made", "+", "fs", "cp", tmp_path / "one.py", ":made/one.py")
    assert "one.py" in mpremote(board, "fs", "ls", ":made")
    mpremote(board, "fs", "rm", ":made/one.py", "+", "fs", "rmdir", ":made")
    assert not (board.dir / "made").exists()


def test_mpremote_runs_a_file_of_ours_by_raw_paste(board, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    assert mpremote(board, "run", tmp_path / "program.py") == "é 42\n" * 150


def test_mpremotes_soft_reset_forgets_variables_and_leaves_main_alone(board):
    starts = board.info()["starts"]
    assert mpremote(board, "exec", "kept = 1", "soft-reset", "exec", "print('kept' in globals())") == "False\n"
    assert board.info()["starts"] > starts and board.info()["state"] == "repl"


def test_ampy_puts_and_gets_the_same_bytes(board, tmp_path):
    (tmp_path / "up").write_bytes(LOAD)
    ampy(board, "put", tmp_path / "up", "ampy.bin")
    assert (board.dir / "ampy.bin").read_bytes() == LOAD
    ampy(board, "get", "data.bin", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == bytes(range(256)) * 20


def test_ampy_makes_lists_and_removes(board):
    ampy(board, "mkdir", "drawer")
    assert "/drawer" in ampy(board, "ls").split()
    ampy(board, "rmdir", "drawer")
    assert not (board.dir / "drawer").exists()
    (board.dir / "old.txt").write_text("x")
    ampy(board, "rm", "old.txt")
    assert not (board.dir / "old.txt").exists()


def test_ampy_runs_a_file_of_ours(board, tmp_path):
    (tmp_path / "program.py").write_text("print(6 * 7)\n")
    assert ampy(board, "run", tmp_path / "program.py") == "42\n"


def test_ampys_reset_starts_main_anew_and_it_can_be_interrupted_again(board):
    ampy(board, "reset")
    board.wait_ready()
    assert "/main.py" in ampy(board, "ls").split()


def test_both_interrupt_a_serving_node_and_a_reset_brings_it_back():
    with VirtualBoard() as board:
        assert "/main.py" in ampy(board, "ls").split()
        board.reset()
        board.wait_ready()
        assert mpremote(board, "eval", "__import__('sys').platform") == "esp32\n"
        mpremote(board, "reset")
        board.wait_ready()
        assert board.shell("hello").startswith("hello:node01:")


def test_mpremote_works_over_rfc2217_too():
    with VirtualBoard(main=MAIN, rfc2217=True) as board:
        assert output("mpremote", "connect", board.rfc2217, "exec", "print(6 * 7)") == "42\n"
        assert board.console().count("POWERON_RESET") == 1     # the lines of an opened and closed port reset nothing
