"""Every flag, as a person types it: run here against one virtual board, or named with the test that runs it.

A new option of a command needs a place in one of the two tables; a test that is renamed is missed here.
"""
import ast
import os
import re
import shlex
import signal
import subprocess
import sys
from argparse import SUPPRESS
from pathlib import Path

import pytest
from foreign import free_port

from tests.device.wire import ROOT
from toolkit import commands

pytest.importorskip("toolkit.simulator")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120),
              pytest.mark.skipif(sys.platform != "linux", reason="a board at an address of its own")]

FLAGS_OF_1_20 = {        # short -> long, of `devToolKit.py --help` of 1.20
    "-m": "--make", "-r": "--update", "-s": "--search_devices", "-o": "--OTA", "-c": "--connect",
    "-a": "--applications", "-stat": "--node_status", "-cl": "--clean", "-e": "--erase", "-d": "--deploy",
    "-i": "--install", "-l": "--list_devs_n_bins", "-ls": "--node_ls", "-u": "--connect_via_usb",
    "-b": "--backup_node_config", "-sim": "--simulate", "-cc": "--cross_compile_micros", "-gw": "--gateway",
    "-v": "--version", "-pupdate": "--pip_update",
}
MODIFIERS_OF_1_20 = {    # -> commands that take it
    ("-f", "--force_update"): ("--OTA", "--update"), ("-p", "--connect_parameters"): ("--connect",),
    ("--dummy",): ("--make", "--update", "--erase", "--deploy", "--install", "--node_ls", "--backup_node_config",
                   "--connect_via_usb", "--OTA", "--cross_compile_micros"),
}

BOARD = """--simulate --name lamp --dir {dir}/flash --board esp32 --heap 300K --flash 8M --address {ip}
    --shell-port {shell} --webrepl-port 8266 --serial {dir}/tty --control {dir}/control --drive {dir}/drive
    --rfc2217 0 --meter dlms --meter-fault lose=0 --meter-port {meter} --vsoa-port {vsoa} --mpy --clock host
    --turn --radio 80"""

EITHER = None            # another board of this machine may be down
FILES = {
    "notes.txt": "mine\n", "lamp.macro": "#microscript {node}\nhello\n",
    "home.json": '{"staessid": "home", "stapwd": "x"}',
    "tree/main.py": "import core\n", "tree/core.py": "A = 1\n", "tree/boards/LP_esp32.py": "builtin = 2\n",
    "tree/InterpreterShell.py": 'VERSION = "2.0.0-0"\n',
    "tree/modules/LM_mine.py": 'def on():\n    return "on"\n\n\ndef help():\n    return ("on",)\n',
}

RUN_HERE = (             # what is typed, exit code, part of what is printed
    # the node on the network
    ("-s --network {ip}/32 --scan --timeout 1 --port {shell} --json", 0, '"name": "lamp"'),
    ("--search_devices --network {ip}/32 --port {shell}", 0, "1 device found"),
    ("-stat --timeout 3", EITHER, "ONLINE"),
    ("--node_status --json --timeout 3", EITHER, '"status": "ONLINE"'),
    ("-v --dev {node} --json", 0, '"lamp": "2.'),
    ("--version", 0, "toolkit "),
    ("-c -p '--dev {node} hello <a> conf <a> devfid'", 0, "hello:lamp:"),
    ("--connect --dev {node} --timeout 5 --json hello", 0, '"answer": "hello:lamp:'),
    ("-connect --connect_parameters '--dev {node} hello'", 0, "hello:lamp:"),
    ("-c --dev {node} --pwd any hello", 2, "MICROS_PASSWORD"),
    ("-a GetVersion --dev {node} --pace 0", 0, "2.0."),
    ("--applications list", 0, "SystemTest"),
    ("-macro lamp.macro --dev {node} --json", 0, "hello:lamp:"),
    ("--macro lamp.macro", 0, "hello:lamp:"),
    ("-cc --dev {node} --source tree --out sets", 0, "files, "),
    ("--cross_compile_micros --source tree --out sets2 --architecture xtensawin --json", 0, '"path": "main.py"'),
    ("-cc --source tree --dummy", 0, "would be in precompiled"),
    ("--OTA --dev {node} --port 8266 --parts none --force_update --dummy", 0, " removed  meter/"),
    ("-o --dev {node} --port 8266 --lm_only --json", 0, '"sent": 0'),
    ("-f -o --dev 127.0.3.255 --dummy", 4, "127.0.3.255"),
    ("--drop notes.txt --dev {node} --port 8266 --json", 0, '"name": "notes.txt"'),
    ("-b --dev {node} --port 8266", 0, "lamp-node_config.json"),
    ("--backup_node_config --dev {node} --port 8266 --diff --json", 0, '[]'),
    ("--backup_node_config --list", 0, "lamp"),
    ("--restore lamp --dev {node} --port 8266 --dummy --json", 0, "[]"),
    # a board on USB
    ("-l", 0, "ESP32_GENERIC-"), ("--list_devs_n_bins --json", 0, '"images"'),
    ("-ls --port {tty} --dummy", 0, "{tty}"), ("--node_ls --port {tty} --dummy --json", 0, "{tty}"),
    ("-b --port {tty} --dummy", 0, "{tty}"),
    ("-u --port {tty} --baud 115200 --dummy", 0, "115200 baud"),
    ("--connect_via_usb --port {tty} --dummy", 0, "console"),
    ("--install --port {tty} --parts vsoa --source --dummy", 0, "vsoa/client.py"),
    ("--update --port {tty} --parts none --force_update --dummy", 0, "put Common.mpy"),
    ("--make --dummy --board esp32 --profile wifi --config home.json --parts none --access open", 0, "write-flash"),
    ("-e --dummy --port {tty} --board esp32", 0, "erase-flash"), ("--erase --dummy --port {tty}", 0, "erase-flash"),
    ("-d --dummy --board rp2 --drive {dir}/drive --image f.uf2", 0, "copy f.uf2 to the RPI-RP2 drive"),
    ("--deploy --dummy --port {tty}", 0, "write-flash"),
    # this machine alone
    ("-lint tree/modules/LM_mine.py --board esp32 --json", 0, "[]"),
    ("--lint tree/modules/LM_mine.py", 0, "0 findings"),
    ("--docs site --source tree", 0, "sfuncman.html"), ("--docs --json", 0, "sfuncman"),
    ("--take_over {dir}", 2, "{dir}"), ("-telnet nobody", 2, "no such command: -telnet"),
    ("--telnet nobody --port 0", 3, "no device goes by 'nobody'"),
    ("-pupdate --dummy", 0, "pip install"), ("--pip_update --dummy", 0, "pip install"),
    ("-cl", 0, "forgotten"), ("--clean", 0, "0 devices forgotten"),
)
RUN_ELSEWHERE = {        # command -> options that do more than a dry run shows, and who runs them
    "--make": {"test_make.py::test_an_erased_board_becomes_an_answering_node": "--port --image --config --name --yes",
               "test_make.py::test_a_pico_gets_its_firmware_by_its_drive": "--drive",
               "test_make.py::test_a_used_board_starts_again_and_locked_is_not_pretended": "--access"},
    "--update": {"test_make.py::test_an_update_keeps_configuration_data_and_modules": "-f -r",
                 "test_parts.py::test_a_part_comes_and_goes_over_usb": "--parts"},
    "--erase": {"test_make.py::erase_and_deploy_leave_micropython_alone": "-e"},
    "--deploy": {"test_make.py::erase_and_deploy_leave_micropython_alone": "-d --image"},
    "--install": {"test_usb_commands.py::test_i_makes_a_node_and_the_second_time_sends_nothing": "-i --json",
                  "test_usb_commands.py::test_i_goes_through_ampy_when_it_is_told_to": "--ampy --source"},
    "--node_ls": {"test_usb_commands.py::test_ls_lists_files_and_free_space": "-ls --json"},
    "--connect_via_usb": {"test_usb_commands.py::test_u_is_the_console_of_the_board_until_ctrl_bracket": "-u"},
    "--backup_node_config": {"test_usb_commands.py::test_b_keeps_the_configuration_for_its_owner_alone": "-b"},
    "--restore": {"test_backup.py::test_over_usb_it_is_given_back": "--restore"},
    "--OTA": {"test_ota.py::test_what_differs_is_sent_and_the_next_version_answers": "-o --from",
              "test_ota.py::test_load_modules_go_live_without_a_restart": "--lm-only",
              "test_ota.py::test_a_node_of_sources_becomes_one_of_compiled_files": "--py",
              "test_ota.py::test_a_newer_node_is_refused_and_goes_back_by_force": "-f"},
    "--drop": {"test_drop.py::test_a_file_goes_into_a_folder_that_is_named": "--to",
               "test_drop.py::test_over_usb_the_same_lies_on_the_board": "--usb"},
    "--node_status": {"test_status.py::test_it_looks_again_until_ctrl_c": "--watch"},
    "--telnet": {"test_telnet.py::test_a_client_talks_to_the_node": "--telnet",
                 "test_telnet.py::test_a_port_may_be_chosen_and_must_be_free": "--port"},
    "--take_over": {"test_old_data.py::test_devices_and_configurations_are_taken_over": "--take_over"},
    "--simulate": {"test_make.py::test_an_erased_board_becomes_an_answering_node": "--erased"},
}
BY_ANOTHER_SUITE = {"--gateway": "tests/gateway", "--fleet": "tests/gateway", "--mcp": "tests/gateway",
                    "--cloud": "tests/cloud"}


# -- the board that all lines are typed for


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What the braces of the tables stand for, with a node that runs until the end."""
    folder = tmp_path_factory.mktemp("flags")
    place = {"dir": str(folder), "tty": f"{folder}/tty"}
    place |= {name: str(free_port()) for name in ("shell", "meter", "vsoa")}
    place["ip"] = f"127.0.3.{os.getpid() % 250 + 1}"
    place["node"] = f"{place['ip']}:{place['shell']}"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace("{node}", place["node"]))
    place["environment"] = {"MICROS_DATA": str(folder / "data"), "COLUMNS": "100", "MICROS_PASSWORD": "ADmin123"}
    words = [sys.executable, ROOT / "devToolKit.py", *shlex.split(BOARD.format(**place))]
    board = subprocess.Popen(words, env={**os.environ, **place["environment"]}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        ready = board.stdout.readline()
        assert ready.startswith("ready "), board.communicate(timeout=10)
        yield place
    finally:
        board.send_signal(signal.SIGTERM)
        board.communicate(timeout=20)


def told(line, place, capsys):
    """(exit code, what was printed), as the console script has it."""
    capsys.readouterr()
    code = commands.main(shlex.split(line.format(**place)))
    return code, "".join(capsys.readouterr())


def test_what_is_typed_is_done(place, monkeypatch, capsys):
    monkeypatch.chdir(place["dir"])
    for name, value in place["environment"].items():
        monkeypatch.setenv(name, value)
    answers = [told(line, place, capsys) for line, *_ in RUN_HERE]
    wrong = [f"{line}: exit code {left}, printed: {printed}"
             for (line, code, part), (left, printed) in zip(RUN_HERE, answers, strict=True)
             if code not in (left, EITHER) or part.format(**place) not in printed]
    assert not wrong, "\n".join(wrong)


# -- that nothing is left out


def options(command):
    """Spellings of each option of a command that its --help shows."""
    return [tuple(action.option_strings) for action in commands.parser_of(command)._actions
            if action.option_strings and action.dest != "help" and action.help is not SUPPRESS]


def words_of(command):
    """What the tables type with a command."""
    lines = [line for line, *_ in (*RUN_HERE, (BOARD,))]
    mine = [line.split() for line in lines if set(line.split()) & set(command.FLAGS)]
    others = " ".join(RUN_ELSEWHERE.get(command.FLAGS[-1], {}).values())
    return {word.strip("'") for words in (*mine, others.split()) for word in words}


@pytest.mark.parametrize("command", list(commands.commands()), ids=lambda command: command.FLAGS[-1])
def test_every_option_of_a_command_is_in_the_tables(command):
    if command.FLAGS[-1] in BY_ANOTHER_SUITE:
        assert list((ROOT / BY_ANOTHER_SUITE[command.FLAGS[-1]]).glob("test_*.py"))
        return
    known = words_of(command)
    assert [spellings for spellings in options(command) if not known & set(spellings)] == []
    assert known & set(command.FLAGS)


@pytest.mark.parametrize("short, long", list(FLAGS_OF_1_20.items()))
def test_a_flag_of_1_20_is_spelled_as_ever(short, long):
    command = commands.find(short)
    assert command is commands.find(long) and {short, long} <= set(command.FLAGS)


@pytest.mark.parametrize("spellings, of", list(MODIFIERS_OF_1_20.items()), ids=str)
def test_what_modified_commands_of_1_20_still_does(spellings, of):
    assert [each for each in of if spellings not in options(commands.find(each))] == []


def test_the_readme_names_every_command_in_its_table():
    rows = [line.split("|")[1:4] for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `-")]
    assert rows and all(cell.strip() for row in rows for cell in row)
    named = {word for typed, *_ in rows for word in re.findall(r"--?[\w-]+", typed)}
    assert [command.FLAGS[-1] for command in commands.commands() if not named & set(command.FLAGS)] == []


@pytest.mark.parametrize("where, words", [row for rows in RUN_ELSEWHERE.values() for row in rows.items()])
def test_a_test_that_is_named_exists_and_types_what_is_said(where, words):
    """In itself, or in what its file has it start with."""
    path, name = where.split("::")
    source = Path(__file__).with_name(path).read_text()
    assert name in {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    spelled = [word for word in words.split() if word != "--erased"]           # VirtualBoard(erased=True)
    assert [word for word in spelled if not re.search(rf"(?<![\w-]){word}(?![\w-])", source)] == []
