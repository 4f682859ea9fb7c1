"""The simulate command as a process: what it prints, when it refuses, and that it leaves nothing behind."""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.address import is_listening
from toolkit.simulator.api import Control
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.nursery import PACKAGE_ROOT

SHELL = """
import asyncio
from machine import Pin
async def serve(reader, writer):
    lamp = Pin(2, Pin.OUT)
    await writer.awrite("node01 $ ")
    while True:
        line = (await reader.readline()).decode().strip()
        if not line:
            break
        if line in ("on", "off"):
            lamp(line == "on")
        await writer.awrite("you said\\n%s\\nnode01 $ " % line)
async def main():
    await asyncio.start_server(serve, "0.0.0.0", 9008)
    while True:
        await asyncio.sleep(60)
asyncio.run(main())
"""
COMMAND = [sys.executable, "-m", "toolkit.simulator"]


@pytest.fixture
def flash(tmp_path):
    folder = tmp_path / "flash"
    folder.mkdir()
    (folder / "main.py").write_text(SHELL)
    return folder


def command(*flags):
    return subprocess.run([*COMMAND, *flags], cwd=PACKAGE_ROOT, capture_output=True, text=True, timeout=20)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid, timeout_s=5.0):
    """True when the process ends in time; nobody else tells us, since it is no child of ours."""
    end = time.monotonic() + timeout_s
    while is_alive(pid) and time.monotonic() < end:
        select.select([], [], [], 0.01)
    return not is_alive(pid)


def test_one_ready_line_with_all_one_needs(flash, tmp_path):
    with start(flash, "--serial", str(tmp_path / "tty"), "--control", str(tmp_path / "ctl")) as process:
        facts = ready(process)
        assert set(facts) == {"name", "shell", "webrepl", "serial", "control", "dir"}
        assert facts["name"] == "node01" and facts["dir"] == str(flash.resolve())
        address, port = facts["shell"]
        assert address.startswith("127.0.") and port == 9008 and facts["webrepl"] == [address, 8266]
        assert os.readlink(tmp_path / "tty").startswith("/dev/pts/")
        with socket.create_connection((address, port), 5) as link:
            assert link.recv(100) == b"node01 $ "
        process.terminate()
        rest, _ = process.communicate(timeout=5)
        assert (process.returncode, rest) == (0, b"")
    assert not os.path.lexists(tmp_path / "tty") and not (tmp_path / "ctl").exists()


def start(flash, *flags, **options):
    return subprocess.Popen([*COMMAND, "--dir", str(flash), "--source", "none", "--address", "auto", *flags],
                            cwd=PACKAGE_ROOT, stdout=subprocess.PIPE, **options)


def ready(process):
    line = process.stdout.readline().decode()
    assert line.startswith("ready ")
    return json.loads(line[len("ready "):])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_interpreter(flash, number):
    with start(flash) as process:
        vm = info(ready(process))["pid"]
        process.send_signal(number)
        assert process.wait(5) == 0
    assert gone(vm)


def info(facts):
    control = Control(facts["control"])
    try:
        return control.ask("info")
    finally:
        control.close()


def test_the_interpreter_dies_with_a_killed_board(flash, tmp_path):
    with start(flash, env={**os.environ, "TMPDIR": str(tmp_path)}) as process:      # nobody cleans up after it
        vm = info(ready(process))["pid"]
        process.kill()
    assert gone(vm)


def test_a_board_ends_with_the_test_that_started_it(tmp_path):
    code = ("import os, sys\nfrom toolkit.simulator import VirtualBoard\n"
            "board = VirtualBoard(main='import time\\nwhile True: time.sleep(9)\\n').__enter__()\n"
            "info = board.info()\nprint(info['board_pid'], info['pid'], flush=True)\nos._exit(9)\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE_ROOT, capture_output=True, text=True, timeout=20,
                          env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 9
    assert all(gone(int(pid)) for pid in done.stdout.split())


def test_a_port_in_use_is_named(flash):
    with socket.create_server(("127.0.9.9", 9008)):
        done = command("--dir", str(flash), "--source", "none", "--address", "127.0.9.9")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "127.0.9.9:9008 is in use" in done.stderr and "--shell-port" in done.stderr


REFUSALS = (
    (("--board", "esp8266"),
     "unknown board 'esp8266'; there are: esp32, esp32c3, esp32c6, esp32s2, esp32s3, rp2, tinypico"),
    (("--heap", "lots"), "--heap is a number of bytes like 256K or 4M, at least 32K, got 'lots'"),
    (("--heap", "1K"), "at least 32K, got '1K'"),
    (("--flash", "0"), "--flash is a number of bytes"),
    (("--dir", "/dev/null"), "--dir /dev/null cannot be the board's flash"),
    (("--name", "../x"), "--name is 1-32 letters"),
    (("--source", "/nowhere"), "--source /nowhere is no directory"),
    (("--control", "/nowhere/control", "--source", "none"), "--control /nowhere/control cannot be made"),
    (("--address", "192.0.2.1", "--source", "none"), "192.0.2.1:9008 cannot be used"),
)


@pytest.mark.parametrize(("flags", "message"), REFUSALS)
def test_what_cannot_be_is_one_clear_line(tmp_path, flags, message):
    done = command("--dir", str(tmp_path / "f"), "--address", "auto", *flags)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("simulate: ") and message in done.stderr


def test_without_an_interpreter_it_says_how_to_get_one(tmp_path):
    done = subprocess.run([*COMMAND, "--dir", str(tmp_path)], cwd=PACKAGE_ROOT, capture_output=True, text=True,
                          timeout=20, env={**os.environ, "MICROPYTHON": "/nowhere/micropython"})
    assert (done.returncode, done.stderr) == (
        1, "simulate: MICROPYTHON=/nowhere/micropython is no program that can be run\n")


def test_another_binary_may_be_the_interpreter(tmp_path, monkeypatch):
    program = tmp_path / "micropython"
    program.write_text(f"#!{sys.executable}\nimport sys, micropython_run\n"
                       "micropython_run.run_main(['micropython'] + sys.argv[1:])\n")
    program.chmod(0o755)
    monkeypatch.setenv("MICROPYTHON", str(program))
    with VirtualBoard(main="import time\nwhile True: time.sleep(9)\n") as board:
        assert board.run("import sys, machine\nprint(sys.platform, machine.reset_cause())") == "esp32 1\n"


def test_boards_side_by_side_have_addresses_of_their_own():
    with VirtualBoard(main=SHELL, shell=True) as one, VirtualBoard(main=SHELL, shell=True) as two:
        assert one.address != two.address and one.shell_port == two.shell_port == 9008
        assert one.shell("a") == "you said\na"
        two.shell("on")
        assert (one.pins[2], two.pins[2]) == (0, 1)


def test_boards_started_at_once_do_not_fight_over_an_address(flash):
    processes = [start(flash) for _ in range(4)]
    try:
        addresses = {ready(process)["shell"][0] for process in processes}
        assert len(addresses) == 4
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=5)


def test_several_commands_share_one_session():
    with VirtualBoard(main=SHELL, shell=True) as board:
        assert board.shell("a", "b") == "you said\na\nyou said\nb"
        assert is_listening(board.address, 9008) and not is_listening(board.address, 9007)


def test_what_a_command_set_is_seen_at_once():
    with VirtualBoard(main=SHELL, shell=True) as board, board.session() as session:
        for _ in range(100):
            session.send("on")
            assert board.pins[2] == 1
            session.send("off")
            assert board.pins[2] == 0


def test_a_core_that_does_not_start_is_reported_and_the_board_stays_up(flash, monkeypatch):
    (flash / "main.py").write_text("raise ValueError('no core here')\n")
    code = ("import sys\nfrom toolkit.commands import simulate\nsimulate.NOT_READY_S = 0.3\n"
            "from toolkit.simulator.__main__ import main\nsys.exit(main())\n")
    flags = ["--dir", str(flash), "--source", "none", "--address", "auto"]
    process = subprocess.Popen([sys.executable, "-c", code, *flags], cwd=PACKAGE_ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        line = process.stderr.readline().decode()
        assert line.startswith("not ready: ") and "ValueError: no core here" in line
        assert process.poll() is None
        process.terminate()
        assert process.communicate(timeout=5) == (b"", b"")
        assert process.returncode == 0


def test_a_failed_start_says_why():
    with pytest.raises(SimulatorError, match="unknown board 'x'"), VirtualBoard(main="", board="x"):
        pass


def test_importing_the_package_starts_nothing():
    done = subprocess.run([sys.executable, "-c", "import toolkit.simulator, sys; print(len(sys.modules) < 200)"],
                          cwd=PACKAGE_ROOT, capture_output=True, text=True, timeout=20)
    assert (done.stdout, done.stderr) == ("True\n", "")
