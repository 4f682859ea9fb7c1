"""A board of micrOS 1.20 is updated over the air: ours runs, settings and state stay, what hid ours lies in /old."""
import json
from pathlib import Path

import pytest

from tests.compat.guests import compiled
from tests.device.test_boot import console_until, open_files
from tests.device.wire import ROOT, eventually
from toolkit.simulator.flash import shipped_set

CORE = ("micrOS", "Common", "ConfigHandler", "Debug", "Hooks", "InterConnect", "InterpreterShell", "InterruptHandler",
        "LogicalPins", "Network", "Notify", "Scheduler", "SocketServer", "TaskManager", "Time", "TinyPLed", "reset",
        "urequests")
STALE = "raise ImportError('{} of 1.20 was imported')\n"
# what its loader does in the update mode, while the WebREPL of the firmware takes the files; spec/micros_core.md, 10.2
LOADER = """
import machine, time

def main():
    while open(".if_mode").read() == "webrepl":
        time.sleep_ms(5)
    open("cleanup.pds", "w").close()
    machine.reset()
"""
MODULES = {"LM_rgb": "mpy", "LM_switch": "py", "LM_system": "mpy", "LM_demo": "py"}
USERS = {
    "LM_mine.py": b"def who():\n    return 'mine'\n", "helper.py": b"HELP = 1\n", "notes.txt": b"mine, too",
    "rgb.pds": b"197.0,35.0,10.0,1", "switch.pds": b"1,0,0,0", "dimmer.pds": b"1,300", "LM_mine.mpy": b"not loaded",
    ".if_mode": b"webrepl",
}
SETTINGS = {
    "version": "1.20.4-0", "devfid": "node01", "hwuid": "micr000000000000OS", "staessid": "vnet", "stapwd": "secret",
    "appwd": "ADmin123", "dbg": True, "nwmd": "STA", "soctout": 100, "socport": 9008, "devip": "n/a", "cron": True,
    "crontasks": "*:23:59:*!rgb toggle", "boothook": "rgb load_n_init", "aioqueue": 3, "guimeta": "...", "auth": False,
    "extirq": False, "gmttime": 1,
}


def made(folder: Path, name: str, kind: str, text: str) -> bytes:
    source = folder / f"{name}.py"
    source.write_text(text)
    return compiled(source) if kind == "mpy" else source.read_bytes()


def old_tree(folder: Path, kind: str) -> dict[str, bytes]:
    """{name at the root: content} as 1.20 leaves it, each of its files a stand-in that must not be imported any more.

    kind: of the core, "mpy", or "py" as people who change it have it
    """
    tree = {f"{name}.{kind}": made(folder, name, kind, STALE.format(name)) for name in CORE}
    tree[f"micrOSloader.{kind}"] = made(folder, "micrOSloader", kind, LOADER)
    tree["LP_esp32.mpy"] = made(folder, "LP_esp32", "mpy", STALE.format("LP_esp32"))
    for name, ending in MODULES.items():
        tree[f"{name}.{ending}"] = made(folder, name, ending, STALE.format(name))
    return tree


def send(board, ours: dict[str, bytes]) -> None:
    """What the WebREPL of the firmware does with the files of an update, the loader and main.py last."""
    last = [path for path in ours if path.startswith(("micrOSloader", "main"))]
    for path in [path for path in ours if path not in last] + last:
        (board.dir / path).parent.mkdir(parents=True, exist_ok=True)
        (board.dir / path).write_bytes(ours[path])
    (board.dir / ".if_mode").write_text("micros")


def serves(board) -> str:
    """The verdict of `system alarms`, once the node answers."""
    def attempt() -> str:
        try:
            return board.shell("system alarms")
        except OSError:
            return ""
    return eventually(attempt, bool, timeout_s=40)


def into_update_mode(board) -> None:
    before = board.info()["starts"]
    with board.session() as session:
        session.send("webrepl --update")
    eventually(lambda: board.info()["starts"], lambda now: now > before)


def at_the_root(board) -> set[str]:
    return {path.name for path in board.dir.iterdir() if path.suffix in (".py", ".mpy")}


@pytest.mark.parametrize("old_kind", ["mpy", "py"])
@pytest.mark.parametrize("mpy", [True, False], ids=["ours mpy", "ours py"])
def test_a_board_of_1_20_becomes_ours(make_board, tmp_path, old_kind, mpy):
    old, ours = old_tree(tmp_path, old_kind), shipped_set(ROOT / "micrOS" / "source", mpy)
    board = make_board(main="import micrOSloader\nmicrOSloader.main()\n", shell=False,
                       files={**old, **USERS, "node_config.json": json.dumps(SETTINGS)})
    send(board, ours)
    told = serves(board)
    strangers = set(old) - set(ours)
    assert f"[update] {len(strangers)} files of before hid ours and lie in /old: " in told
    assert told.endswith(" OK alarm: 0")
    assert {path.name: path.read_bytes() for path in (board.dir / "old").iterdir()} == {
        name: old[name] for name in strangers}
    assert at_the_root(board) == {path for path in ours if "/" not in path} | {"LM_mine.py", "LM_mine.mpy", "helper.py"}
    for name in ("notes.txt", "LM_mine.py", "helper.py", "LM_mine.mpy", "dimmer.pds"):
        assert (board.dir / name).read_bytes() == USERS[name]
    # the boothook lit the lamp as it was, by our LM_rgb
    assert [board.pwm[pin].duty for pin in ("redgb", "rgreenb", "rgbue")] == [197, 35, 10]
    assert board.shell("mine who") == "mine"
    assert json.loads(board.shell("switch status >json")) == {"SW1": 1, "SW2": 0, "SW3": 0, "SW4": 0}
    kept = json.loads((board.dir / "node_config.json").read_text())
    unknown, learned = {"extirq", "gmttime"}, {"version", "hwuid", "devip"}
    assert {key: kept.get(key) for key in SETTINGS.keys() - unknown - learned}.items() <= SETTINGS.items()
    assert not unknown & kept.keys()
    assert kept["version"] == board.shell("version") != SETTINGS["version"]
    assert not (board.dir / "cleanup.pds").exists()


@pytest.fixture
def leftovers(tmp_path):
    """Files of 1.20 that a node of ours in source has at its root, and works with."""
    return {name: data for name, data in old_tree(tmp_path, "mpy").items() if not name.startswith("LP_")}


def test_an_update_over_our_own_file_port_moves_what_hides_ours(make_board, leftovers):
    board = make_board(files={**leftovers, "LM_mine.py": USERS["LM_mine.py"]})
    assert "/modules/LM_rgb.py is hidden by /LM_rgb.mpy" in board.shell("modules")
    into_update_mode(board)
    with open_files(board) as link:
        for path, data in shipped_set(ROOT / "micrOS" / "source", mpy=False).items():
            link.put(path, data)
        link.put(".if_mode", b"micros")
    assert f"[update] {len(leftovers)} files of before" in serves(board)
    assert {path.name for path in (board.dir / "old").iterdir()} == set(leftovers)
    assert board.shell("mine who", "modules") == "mine\n['mine', 'system']"


# the board resets at each move, as if the power went right after it
CUT = """
import machine, os
rename = os.rename

def cut(old, new):
    rename(old, new)
    if new.startswith("/old/"):
        machine.reset()

os.rename = cut
"""


def test_a_power_cut_at_every_move_leaves_the_rest_to_the_next_boot(make_board, leftovers):
    board = make_board(files={**leftovers, "cleanup.pds": b"", "boot.py": CUT}, shell=False)
    told = serves(board)
    assert board.info()["starts"] == len(leftovers) + 1
    assert {path.name: path.read_bytes() for path in (board.dir / "old").iterdir()} == leftovers
    assert told.endswith(" OK alarm: 0") and not (board.dir / "cleanup.pds").exists()


def test_what_lies_in_old_already_is_replaced(make_board, leftovers):
    board = make_board(files={**leftovers, "old/LM_rgb.mpy": b"of an update before", "cleanup.pds": b""})
    assert (board.dir / "old" / "LM_rgb.mpy").read_bytes() == leftovers["LM_rgb.mpy"]


def test_a_flash_that_takes_no_more_is_an_alarm_and_the_node_boots(make_board, leftovers):
    board = make_board(files={**leftovers, "old": b"where the folder should be", "cleanup.pds": b""}, shell=False)
    console_until(board, "[ERR] files of before hide ours, they do not go to /old: the flash says ")
    console_until(board, "[shell] listens")


def test_an_update_that_was_cut_off_early_can_go_on(make_board):
    board = make_board()
    (board.dir / "Paths.py").unlink()            # main.py came, but not yet what it needs
    into_update_mode(board)
    with open_files(board) as link:
        link.put("Paths.py", ROOT / "micrOS/source/Paths.py")
        link.put(".if_mode", b"micros")
    assert serves(board).endswith(" OK alarm: 0")


def test_without_an_update_a_file_put_at_the_root_by_hand_wins(make_board):
    board = make_board(files={"LM_rgb.py": USERS["LM_mine.py"]})
    assert board.shell("rgb who") == "mine"
    board.reset()
    assert "OK alarm: 0" in serves(board) and board.shell("rgb who") == "mine"
    assert not (board.dir / "old").exists()
