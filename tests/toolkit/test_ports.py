"""Which serial port is meant, and the one line for each thing that can be wrong with one."""
import errno
import fnmatch
import os
import re
import sys
import tty
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from toolkit import ports
from toolkit.errors import NoPortError, PortBusyError, PortDeniedError, UsageError

RULES = Path(__file__).parents[2] / ports.UDEV_RULE
posix_only = pytest.mark.skipif(os.name != "posix", reason="there are no ptys")
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(autouse=True)
def no_port_named(monkeypatch, tmp_path):
    monkeypatch.delenv(ports.VARIABLE, raising=False)
    monkeypatch.setattr(ports, "SYSFS", tmp_path / "sys")


@pytest.fixture
def plugged(monkeypatch):
    """A function that plugs in devices (device, vid, pid), as pyserial would list them."""
    def plug(*devices):
        infos = []
        for device, vid, pid in devices:
            info = ListPortInfo(device)
            info.vid, info.pid, info.serial_number = vid, pid, "0001"
            infos.append(info)
        monkeypatch.setattr(list_ports, "comports", lambda: infos)
    plug()
    return plug


@pytest.fixture
def terminal():
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


CP210X = ("/dev/ttyUSB0", 0x10C4, 0xEA60)
PICO = ("/dev/ttyACM0", 0x2E8A, 0x0005)
MODEM = ("/dev/ttyACM1", 0x1199, 0x9071)
BUILT_IN = ("/dev/ttyS0", None, None)

KNOWN = (
    (0x10C4, 0xEA60, "CP210x", "esp32"), (0x1A86, 0x7523, "CH340", "esp32"), (0x1A86, 0x55D4, "CH9102", "esp32"),
    (0x0403, 0x6001, "FTDI", "esp32"), (0x303A, 0x1001, "Espressif USB JTAG", "esp32c3"),
    (0x303A, 0x4001, "Espressif USB", "esp32s2"), (0x2E8A, 0x0005, "Raspberry Pi", "rp2"),
    (0x2E8A, 0x0003, "Raspberry Pi boot ROM", "rp2"),
)


@pytest.mark.parametrize("vid, pid, name, board", KNOWN)
def test_a_usb_chip_is_known_by_its_numbers(vid, pid, name, board):
    bridge = ports.bridge_of(vid, pid)
    assert (bridge.name, board in bridge.boards) == (name, True)


def test_a_stranger_is_not_known():
    assert ports.bridge_of(0x1199, 0x9071) is ports.bridge_of(None, None) is None


# -- which one


def test_the_only_board_is_chosen_whatever_else_there_is(plugged):
    plugged(BUILT_IN, MODEM, CP210X)
    assert ports.choose() == "/dev/ttyUSB0"


def test_the_first_of_several_is_never_taken_silently(plugged):
    plugged(CP210X, PICO)
    with pytest.raises(UsageError) as caught:
        ports.choose()
    assert str(caught.value) == ("2 boards are plugged in: /dev/ttyACM0 (Raspberry Pi), /dev/ttyUSB0 (CP210x). "
                                 "Name one: --port /dev/ttyACM0")
    assert ports.choose("/dev/ttyUSB0") == "/dev/ttyUSB0"


def test_a_port_of_an_unknown_chip_is_not_taken_for_a_board(plugged):
    plugged(MODEM)
    with pytest.raises(UsageError, match=r"no known board .* /dev/ttyACM1 \(1199:9071\). Name one"):
        ports.choose()


def test_the_variable_names_a_port_and_the_command_line_wins(plugged, monkeypatch):
    plugged(CP210X, PICO)
    monkeypatch.setenv(ports.VARIABLE, "/tmp/pty")
    assert ports.choose() == "/tmp/pty"
    assert ports.choose("COM7") == "COM7"
    assert [port.device for port in ports.ports()] == ["/tmp/pty", "/dev/ttyACM0", "/dev/ttyUSB0"]


def test_without_a_board_the_cable_and_the_driver_are_named(plugged):
    with pytest.raises(NoPortError, match="no board is plugged in.*cable.*CP210x, CH340, CH9102"):
        ports.choose()


SILENT = (
    ("1a86", "7523", "CH340 is plugged in, but the system shows no serial port for it. .*brltty"),
    ("10c4", "ea60", "CP210x of Silicon Labs"),
    ("2e8a", "0003", "boot ROM .*drive without a serial port: --deploy"),
)


@pytest.mark.parametrize("vid, pid, told", SILENT)
def test_a_known_chip_without_a_port_gets_a_hint_on_its_driver(plugged, vid, pid, told):
    for name, numbers in (("1-1", ("1d6b", "0002")), ("1-2", (vid, pid)), ("1-2:1.0", ())):
        (ports.SYSFS / name).mkdir(parents=True)
        for file, number in zip(("idVendor", "idProduct"), numbers, strict=False):
            (ports.SYSFS / name / file).write_text(number + "\n")
    with pytest.raises(NoPortError, match=told):
        ports.choose()


# -- opening


def test_a_port_that_is_not_there_is_told_with_those_that_are(plugged, tmp_path):
    missing = str(tmp_path / "ttyUSB7")
    with pytest.raises(NoPortError, match="there is no port .*ttyUSB7; none is plugged in"):
        ports.open_port(missing)
    plugged(CP210X)
    with pytest.raises(NoPortError, match=r"there are /dev/ttyUSB0 \(CP210x\)") as caught:
        ports.open_port(missing)
    assert caught.value.exit_code == 6


def test_a_file_is_no_port(tmp_path, plugged):
    (tmp_path / "file").write_text("")
    with pytest.raises(NoPortError, match="cannot be opened as a serial port"):
        ports.open_port(str(tmp_path / "file"))
    with pytest.raises(NoPortError, match="cannot be opened as a serial port"):
        ports.open_port("nonsense://x")


@posix_only
def test_a_port_that_somebody_uses_is_busy(terminal):
    with ports.open_port(terminal), pytest.raises(PortBusyError, match=f"{terminal} is in use by") as caught:
        ports.open_port(terminal)
    assert caught.value.exit_code == 8
    ports.open_port(terminal).close()


@linux_only
def test_who_has_locked_a_port_is_named(terminal):
    assert ports.holder("/nowhere") is None
    with ports.open_port(terminal):
        assert re.fullmatch(rf"\S.* \(process {os.getpid()}\)", ports.holder(terminal) or "")


@posix_only
def test_without_permission_the_group_and_the_rule_are_named(terminal):
    """In a child that is nobody when the tests run as root, whom no permission stops."""
    os.chmod(terminal, 0)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            if not os.geteuid():
                os.setuid(65534)
            ports.open_port(terminal)
        except PortDeniedError as error:
            words = ("sudo usermod -aG", f"/{Path(ports.UDEV_RULE).name}")
            code = error.exit_code if all(word in str(error) for word in words) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_the_group_is_that_of_the_port_or_dialout(tmp_path):
    assert "usermod -aG dialout" in str(ports.explained("/dev/nothing", OSError(errno.EACCES, "")))


# -- the udev rule


def rows():
    """(vendor, glob of products) of each line of the rule file."""
    row = re.compile(r'^ATTRS\{idVendor\}=="(\w+)"(?:, ATTRS\{idProduct\}=="([^"]+)")?', re.MULTILINE)
    return [(int(vendor, 16), products or "*") for vendor, products in row.findall(RULES.read_text())]


@pytest.mark.parametrize("bridge", ports.BRIDGES, ids=lambda bridge: f"{bridge.vid:04x}:{bridge.pids[0]:04x}")
def test_every_known_chip_has_its_udev_rule(bridge):
    for pid in bridge.pids:
        assert any(vendor == bridge.vid and any(fnmatch.fnmatch(f"{pid:04x}", part) for part in products.split("|"))
                   for vendor, products in rows())


def test_the_rule_comes_before_the_one_that_looks_at_its_tag():
    assert RULES.name < "73-seat-late.rules"
