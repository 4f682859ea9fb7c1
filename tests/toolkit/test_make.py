"""A virtual board becomes a node and is kept up to date, by the command line; real esptool flashes it."""
import io
import json
import os
import random
import select
import stat
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.device.wire import eventually
from toolkit import archive
from toolkit.boards import BOARDS
from toolkit.commands import main
from toolkit.compile import build, shipped_version
from toolkit.deploy import matching, own_modules, strangers
from toolkit.errors import WrongChipError
from toolkit.greeting import greeted
from toolkit.inventory import Inventory
from toolkit.ports import open_port
from toolkit.simulator import VirtualBoard
from toolkit.simulator.firmware import image

FRONT_DOOR = Path(__file__).parents[2] / "devToolKit.py"
CUTS = int(os.environ.get("DEPLOY_CUTS", "2"))
ALL_BYTES = 300_000            # that reach a board in one --make: esptool's stub and image, then the set in base64
LIMIT_S = 100

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * LIMIT_S)]


class Typed(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def tool(*words):
    """What devToolKit.py words does and prints."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(list(map(str, words)))
    return Typed(code, out.getvalue(), err.getvalue())


def done(*words):
    """The same for one that has to succeed: what it printed."""
    typed = tool(*words)
    assert typed.returncode == 0, typed.stderr + typed.stdout
    return typed.stdout


@pytest.fixture
def firmware(tmp_path):
    """name of a board -> a small image for it"""
    def written(name):
        path = tmp_path / ("firmware.uf2" if name == "rp2" else "firmware.bin")
        path.write_bytes(image(name))
        return path
    return written


@pytest.fixture
def node():
    """A node that has this version."""
    with VirtualBoard(mpy=True) as board:
        yield board


def config_on(board):
    return json.loads((board.dir / "node_config.json").read_text())


# -- from nothing to a node


def test_an_erased_board_becomes_an_answering_node(firmware, data):
    with VirtualBoard(erased=True) as board:
        printed = done("--make", "--port", board.serial, "--image", firmware("esp32"), "--config", "new",
                       "--name", "lamp01", "--yes")
        assert_is_lamp01(board, printed, data)
        erase_and_deploy_leave_micropython_alone(board, firmware)


def assert_is_lamp01(board, printed, data):
    assert board.shell("hello").startswith("hello:lamp01:")
    assert board.shell("version") == shipped_version()
    assert "esp32 at" in printed and "hello from lamp01" in printed
    for entry in build().manifest:
        assert (board.dir / entry.path).stat().st_size == entry.size

    kept = data / "node_config_archive" / "lamp01-node_config.json"
    config = json.loads(kept.read_text())
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(config["appwd"]) == 16 and config["appwd"] not in printed
    assert config_on(board)["appwd"] == config["appwd"]
    assert archive.access_of("lamp01") == "open"
    assert Inventory().find("lamp01").where == f"{board.address}:{board.shell_port}"


def erase_and_deploy_leave_micropython_alone(board, firmware):
    done("-e", "--port", board.serial)
    assert set(board.flash_bytes(0x1000, 4096)) == {0xFF}
    done("-d", "--port", board.serial, "--image", firmware("esp32"))
    assert board.flash_bytes(0x1000, 1) == b"\xe9"
    refused = tool("-r", "--port", board.serial)
    assert refused.returncode == 2 and "is no node yet: --make makes it one" in refused.stderr


def test_a_used_board_starts_again_and_locked_is_not_pretended(node, firmware, tmp_path):
    board, config = node, tmp_path / "config.json"
    (board.dir / "old.txt").write_text("of the owner before")
    config.write_text(json.dumps({"devfid": "lamp02", "soctout": 60}))
    words = ("-m", "--port", board.serial, "--image", firmware("esp32"), "--parts", "none")
    done(*words, "--config", config)
    assert not (board.dir / "old.txt").exists()
    password = config_on(board)["appwd"]
    assert (config_on(board)["devfid"], config_on(board)["soctout"]) == ("lamp02", 60)
    assert "locking is not built yet" in done(*words, "--config", "archived:lamp02", "--access", "locked")
    assert board.shell("hello").startswith("hello:lamp02:")
    assert config_on(board)["appwd"] == password == archive.load("lamp02")["appwd"]
    assert archive.access_of("lamp02") == "locked"


def test_another_chip_is_refused_and_the_right_name_is_told(firmware):
    with VirtualBoard(board="esp32c3", erased=True) as board:
        refused = tool("--make", "--board", "esp32", "--port", board.serial, "--image", firmware("esp32"), "--yes")
        assert (refused.returncode, refused.stderr) == (
            9, "wrong chip: found ESP32-C3, expected ESP32; use --board esp32c3\n")
        assert set(board.flash_bytes(0, 4096)) == {0xFF}
        refused = tool("--deploy", "--port", board.serial, "--image", firmware("esp32"))
        assert refused.returncode == 14 and "is for another chip" in refused.stderr
        done("--make", "--board", "esp32c3", "--port", board.serial, "--image", firmware("esp32c3"), "--yes",
             "--parts", "none")
        assert board.shell("hello").startswith("hello:node-")


def test_a_pico_gets_its_firmware_by_its_drive(firmware):
    with VirtualBoard(board="rp2", erased=True) as board:
        words = ("--make", "--drive", board.drive, "--port", board.serial, "--name", "pico", "--yes")
        refused = tool(*words, "--image", firmware("esp32"))
        assert refused.returncode == 14 and "is no firmware: expected an RP2040 image" in refused.stderr
        done(*words, "--image", firmware("rp2"))
        assert board.shell("hello").startswith("hello:pico:")


@pytest.mark.parametrize("part", range(CUTS))
def test_the_cable_is_pulled_anywhere_and_the_second_run_ends_with_a_node(part, firmware):
    point = random.randrange(ALL_BYTES * part // CUTS, ALL_BYTES * (part + 1) // CUTS)
    with VirtualBoard(erased=True) as board:
        words = ("--make", "--port", board.serial, "--image", firmware("esp32"), "--config", "new", "--name", "lamp01",
                 "--parts", "none", "--yes")
        board.unplug_after(point)
        broken = tool(*words)
        assert broken.returncode in (4, 6, 11), f"pulled after {point} bytes: {broken.stderr}{broken.stdout}"
        assert broken.stderr.count("\n") == 1 and str(board.serial) in broken.stderr
        board.plug()
        again = tool(*words)
        assert again.returncode == 0, f"pulled after {point} bytes, then: {again.stderr}{again.stdout}"
        assert board.shell("hello").startswith("hello:lamp01:")


# -- update


def test_an_update_keeps_configuration_data_and_modules(node, data):
    board = node
    (board.dir / "Files.mpy").write_bytes(b"of an older version")
    (board.dir / "Hooks.py").write_text("of an older version, and in the way")
    (board.dir / "Retired.mpy").write_bytes(b"of an older version")
    (board.dir / "modules" / "LM_mine.py").write_text("def answer():\n    return 42\n")
    (board.dir / "modules" / "LM_rgb.py").write_text("def answer():\n    return 'my own rgb'\n")
    (board.dir / "notes.dat").write_text("mine")
    before = config_on(board)

    printed = done("--update", "--port", board.serial)
    assert config_on(board) == before
    assert (board.dir / "notes.dat").read_text() == "mine"
    assert board.shell("mine answer") == "42" and board.shell("rgb answer") == "my own rgb"
    for entry in build(only=["Files.py"]).manifest:
        assert (board.dir / entry.path).stat().st_size == entry.size
    assert not (board.dir / "Hooks.py").exists()
    assert (board.dir / "Retired.mpy").exists()
    assert "kept your own modules/LM_rgb.py" in printed
    assert "not of this version, left where they are: Retired.mpy" in printed
    assert "hello from node01" in printed
    assert archive.load("node01") == before

    assert "nothing to do" in done("-r", "--port", board.serial)
    done("-f", "-r", "--port", board.serial)
    assert not (board.dir / "modules" / "LM_rgb.py").exists()
    assert board.shell("rgb status").startswith(" R: ")
    assert board.shell("mine answer") == "42"


def test_a_newer_node_is_not_set_back_unless_forced_silent_or_not(node):
    config = node.dir / "node_config.json"
    config.write_text(json.dumps({**config_on(node), "version": "99.0.0-0", "dbg": False}))
    refused = tool("--update", "--port", node.serial)
    assert refused.returncode == 2 and "which is newer than" in refused.stderr
    assert "its console is silent" in done("--update", "--force_update", "--port", node.serial)
    eventually(lambda: config_on(node)["version"] == shipped_version(), bool)
    assert config_on(node)["dbg"] is False


def test_a_busy_port_names_who_holds_it():
    with VirtualBoard(main="") as board, open_port(str(board.serial)):
        busy = tool("--make", "--port", board.serial, "--yes")
    assert busy.returncode == 8 and busy.stderr.count("\n") == 1


# -- without a board


@pytest.mark.parametrize("command", ("--make --yes", "--erase", "--deploy", "--update"))
def test_no_such_port_is_one_line_and_exit_code_6(command):
    refused = tool(*command.split(), "--port", "/dev/none")
    assert (refused.returncode, refused.stdout) == (6, "")
    assert refused.stderr.startswith("there is no port /dev/none") and refused.stderr.count("\n") == 1


def test_where_nobody_can_be_asked_the_options_are_named():
    refused = tool("--make", "--port", "/dev/none")
    assert refused.returncode == 2 and "give --config new, archived:NAME or FILE" in refused.stderr


@pytest.mark.parametrize("words, lines", (
    (("-m", "--board", "esp32"), ("esptool --chip esp32 --port P --baud 460800 --after no-reset erase-flash",
                                  "esptool --chip esp32 --port P --baud 460800 --after hard-reset write-flash 0x1000 F",
                                  "reset")),
    (("-e", "--board", "esp32s3"), ("esptool --chip esp32s3 --port P --baud 460800 --after no-reset erase-flash",)),
    (("-d", "--board", "esp32c3"),
     ("esptool --chip esp32c3 --port P --baud 460800 --after hard-reset write-flash 0x0 F",)),
    (("-d", "--board", "rp2-pico-w"), ("copy F to the RPI-RP2 drive",)),
))
def test_a_dry_run_prints_the_command_lines(words, lines):
    printed = done(*words, "--dummy", "--port", "P", *([] if "-e" in words else ["--image", "F"])).splitlines()
    assert [line for line in lines if line not in printed] == []


def test_a_dry_run_shows_no_password_and_keeps_nothing(tmp_path, data):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"staessid": "home", "stapwd": "very secret", "telegram": "t0ken"}))
    printed = done("--dummy", "-m", "--config", config, "--name", "lamp01")
    assert '"staessid": "home"' in printed and '"devfid": "lamp01"' in printed
    assert "very secret" not in printed and "t0ken" not in printed and printed.count("********") == 3
    assert not (data / "node_config_archive").exists()


@pytest.mark.parametrize("config, why", (
    ("archived:nobody", "no configuration of 'nobody' in the archive; there are: none yet"),
    ("/nowhere/c.json", "--config takes new, archived:NAME or a file"),
))
def test_a_configuration_that_is_not_there_is_refused(config, why):
    refused = tool("-m", "--dummy", "--config", config)
    assert refused.returncode == 2 and why in refused.stderr


def test_the_chip_chooses_the_board_or_refuses_it():
    from toolkit.chip import Chip
    rows = {board.name: board for board in BOARDS}
    assert matching(None, Chip("ESP32", "")).name == "esp32"
    assert matching(rows["tinypico"], Chip("ESP32", "")).name == "tinypico"
    with pytest.raises(WrongChipError, match="wrong chip: found ESP32, expected ESP32-S3; use --board esp32"):
        matching(rows["esp32s3"], Chip("ESP32", ""))
    with pytest.raises(WrongChipError, match="found ESP32-H2, expected one that is known; there are boards: esp32, "):
        matching(None, Chip("ESP32-H2", ""))


def test_what_belongs_to_the_user_and_what_to_an_older_core():
    there = ("boot.py", "main.py", "Common.mpy", "LM_mine.py", "modules/LM_rgb.py", "boards/LP_mine.py", "IO_old.mpy",
             "Old.mpy", "lib/helper.py", "notes.dat")
    assert strangers(build(), dict.fromkeys(there)) == ["Old.mpy", "lib/helper.py"]
    assert own_modules(build(), dict.fromkeys(there)) == ["modules/LM_rgb.py"]


def test_a_node_nobody_reaches_has_told_where_it_is():
    told = greeted(["MPY: soft reboot", "[NW] AP 192.0.2.1", "[shell] listens on port 9"], "PORT")
    assert (told.mode, told.address, told.shell_port, told.device) == ("AP", "192.0.2.1", 9, None)


# -- with a person


class Person:
    """Waits for a prompt, answers it."""

    def __init__(self, *words):
        self._hand, paper = os.openpty()
        self._process = subprocess.Popen([sys.executable, FRONT_DOOR, *map(str, words)], stdin=paper,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        os.close(paper)
        self.seen = ""

    def answer(self, prompt, text):
        self._read(lambda: prompt in self.seen)
        self.seen = self.seen.partition(prompt)[2]
        os.write(self._hand, text.encode() + b"\n")

    def finish(self):
        """(exit code, what was printed since the last prompt)"""
        self._read(lambda: False)
        code = self._process.wait(LIMIT_S)
        self._process.stdout.close()
        os.close(self._hand)
        return code, self.seen

    def _read(self, is_enough):
        end_s = time.monotonic() + LIMIT_S
        while not is_enough():
            assert select.select([self._process.stdout], [], [], end_s - time.monotonic())[0], self.seen
            data = os.read(self._process.stdout.fileno(), 4096)
            if not data:
                break
            self.seen += data.decode()


def test_a_person_answers_the_questions_of_a_profile(firmware, data):
    with VirtualBoard(erased=True) as board:
        person = Person("--make", "--port", board.serial, "--image", firmware("esp32"), "--parts", "none")
        person.answer("which one, 1 to 4 [1]: ", "3")                     # the profile `schedule`
        person.answer("name of your Wi-Fi: ", "home")
        person.answer("password of your Wi-Fi: ", "very secret")
        person.answer("run commands at their times [yes]: ", "False")     # 1.20 took this for True
        person.answer("`cron list` on the node explains) [n/a]: ", "")
        person.answer("without summer time [60]: ", "900")                # out of range: asked again
        person.answer("without summer time [60]: ", "-300")
        person.answer("M10.5.0/3 [n/a]: ", "")
        person.answer("47.50,19.05 [n/a]: ", "")
        person.answer("name of the node [node-", "garden")
        person.answer("(locking is not built yet) [no]: ", "")
        code, printed = person.finish()
        assert code == 0, printed
        assert "hello from garden" in printed and "very secret" not in printed
        config = config_on(board)
        expected = {"cron": False, "utc": -300, "staessid": "home", "stapwd": "very secret", "nwmd": "STA"}
        assert expected.items() <= config.items()
