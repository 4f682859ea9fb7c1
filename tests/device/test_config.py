"""Settings: what is accepted, what is kept, and what a broken file does to them."""
import json

import pytest

from tests.device.wire import FLASH, KEYS, eventually


def configure(board, *lines):
    return board.shell("conf", *lines, "noconf").strip("\n").split("\n")


def saved(board):
    return json.loads((board.dir / "node_config.json").read_text())


def test_a_value_is_kept_in_the_file_and_over_a_reboot(make_board):
    board = make_board()
    assert configure(board, "devfid lamp") == ["Saved"]
    assert saved(board)["devfid"] == "lamp"
    board.reset()
    board.wait_ready()
    assert board.shell("hello").startswith("hello:lamp:")


def test_the_file_is_what_a_1207_toolkit_reads(make_board):
    board = make_board()
    config = saved(board)
    assert list(config) == KEYS and config["guimeta"] == "..." and config["socport"] == 9008
    assert config["hwuid"] == board.shell("hello").split(":")[2]


ACCEPTED = (
    ("dbg FALSE", "dbg", False),
    ("soctout 99", "soctout", 99),
    ("nwmd AP", "nwmd", "AP"),
    ("boothook system heartbeat; rgb load_n_init", "boothook", "system heartbeat; rgb load_n_init"),
    ("irq1_trig both", "irq1_trig", "both"),
    ("utc -300", "utc", -300),
)


@pytest.mark.parametrize(("line", "key", "value"), ACCEPTED)
def test_text_becomes_the_type_of_the_key(board, line, key, value):
    assert configure(board, line, key) == ["Saved", str(value)]
    assert saved(board)[key] == value


REFUSED = (
    ("dbg maybe", "Failed to save: dbg takes true or false, got maybe"),
    ("soctout abc", "Failed to save: soctout takes a whole number, got abc"),
    ("soctout 4", "Failed to save: soctout takes 5 to 86400, got 4"),
    ("socport 70000", "Failed to save: socport takes 1 to 65535, got 70000"),
    ("devfid n a m e", "Failed to save: devfid takes 1 to 32 letters, digits, - _ ., got n a m e"),
    ("nwmd wifi", "Failed to save: nwmd takes n/a, STA, AP, got wifi"),
    ("appwd short", "Failed to save: appwd takes 8 to 63 characters without blanks, got ********"),
    ("boothook ...", "Failed to save: boothook takes text, got ..."),
    ("nosuch 1", "Invalid key"),
    ("system heartbeat", "Invalid key"),
)


@pytest.mark.parametrize(("line", "answer"), REFUSED)
def test_a_refused_value_says_why_and_changes_nothing(board, line, answer):
    before = saved(board)
    assert configure(board, line) == [answer]
    assert saved(board) == before


def test_an_unknown_key_reads_none(board):
    assert configure(board, "nosuchkey") == ["None"]


def test_secrets_are_write_only(board):
    assert configure(board, "stapwd My;Secret1", "stapwd", "appwd") == ["Saved", "********", "********"]
    assert saved(board)["stapwd"] == "My;Secret1"
    assert "Secret1" not in board.shell("conf", "dump", "noconf") + board.console()


def test_dump_lists_in_the_order_of_the_table_and_filters(board):
    lines = configure(board, "dump")
    assert [line.split(":")[0].strip() for line in lines] == KEYS
    assert lines[4] == "  devfid    :        node01"
    assert [line.split(":")[0].strip() for line in configure(board, "dump irq1")] == ["irq1", "irq1_cbf", "irq1_trig"]


def test_an_offloaded_value_lives_in_a_file_of_its_own(board):
    assert configure(board, "guimeta", 'guimeta {"a": 1}', "guimeta", "dump guimeta") == [
        "n/a", "Saved", '{"a": 1}', "  guimeta   :        ..."]
    assert (board.dir / ".guimeta.key").read_text() == '{"a": 1}'
    assert saved(board)["guimeta"] == "..."


@pytest.mark.parametrize("content", ['{"devfid": "lamp", "soct', "[1, 2]"])
def test_a_broken_file_is_replaced_by_the_last_good_copy(make_board, content):
    board = make_board()
    configure(board, "devfid lamp", "soctout 55")
    (board.dir / "node_config.json").write_text(content)
    board.reset()
    board.wait_ready()
    assert board.shell("hello").startswith("hello:lamp:")
    assert "[ERR] config: node_config.json is broken" in board.shell("system alarms")


def test_a_value_that_cannot_be_used_is_an_alarm_and_the_rest_is_kept(make_board):
    board = make_board(config={"soctout": "soon", "devfid": "lamp", "obsolete_key": 7})
    assert configure(board, "soctout", "devfid", "obsolete_key") == ["100", "lamp", "7"]
    assert "soctout takes a whole number, got soon; the default is used" in board.shell("system alarms")


def test_an_update_purges_keys_that_nobody_knows(make_board):
    board = make_board(config={"obsolete_key": 7, "devfid": "lamp"}, files={"cleanup.pds": ""})
    assert configure(board, "obsolete_key", "devfid") == ["None", "lamp"]
    assert "obsolete_key" not in saved(board) and not (board.dir / "cleanup.pds").exists()


FULL_FLASH = """
import os, sys, vfs

from flash import Flash

flash = Flash(16)
vfs.VfsLfs2.mkfs(flash)
vfs.mount(flash, "/small")
os.chdir("/small")
sys.path.append("/")
from ConfigHandler import Config
config = Config()
config.set("devfid", "lamp")
try:
    for key in ("boothook", "crontasks", "staessid"):
        config.set(key, "x" * 1900)
except OSError as error:
    print("refused", key, error.errno)
print("memory", len(config.get(key)), config.get("devfid"))
print("flash", len(Config().get(key)), Config().get("devfid"), sorted(os.listdir()))
"""
ENOSPC = 28


def test_a_full_flash_keeps_the_old_value(make_board):
    board = make_board(files={"main.py": FULL_FLASH, "flash.py": FLASH}, shell=False)
    said = {line.split()[0]: line.split()[1:] for line in eventually(
        lambda: board.console().split("\n"), lambda lines: len(lines) > 6) if line.strip()}
    assert said["refused"][1] == str(ENOSPC)
    assert said["memory"][1] == said["flash"][1] == "lamp"
    assert said["memory"][0] == said["flash"][0] != "1900"
    assert not [name for name in said["flash"] if ".new" in name]
