"""--take_over: what 1.20 left in its package."""
import json
import stat

import pytest

from toolkit import archive, old_data
from toolkit.commands import main
from toolkit.inventory import Device, Inventory

CACHE = {"__devuid__": ["192.168.4.1", 9008, "__device_on_AP__"], "__localhost__": ["127.0.0.1", 9008, "__simulator__"],
         "micr01OS": ["10.0.1.5", 9008, "lamp"], "micr02OS": ["10.0.1.6", 9008, "meter"]}


@pytest.fixture
def old(tmp_path):
    """A checkout of 1.20 with data of its user."""
    folder = tmp_path / "micrOS-1.20" / "toolkit" / "user_data"
    (folder / "node_config_archive").mkdir(parents=True)
    (folder / "device_conn_cache.json").write_text(json.dumps(CACHE))
    for name, text in (("lamp", '{"devfid": "lamp", "appwd": "ADmin123"}'), ("torn", "{")):
        (folder / "node_config_archive" / f"{name}-node_config.json").write_text(text)
    return tmp_path / "micrOS-1.20"


@pytest.mark.parametrize("below", ["", "toolkit", "toolkit/user_data"])
def test_devices_and_configurations_are_taken_over(old, below, capsys):
    assert main(["--take_over", str(old / below)]) == 0
    assert capsys.readouterr().out.startswith("2 devices and 1 configurations from ")
    assert {device.name for device in Inventory()} == {"lamp", "meter"}
    assert archive.load("lamp")["appwd"] == "ADmin123"
    assert stat.S_IMODE(archive.archived()["lamp"].stat().st_mode) == 0o600


def test_what_is_known_stays_and_the_old_place_too(old, capsys):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    Inventory().keep(Device("micr01OS", "10.9.9.9", 9008, "lamp"))
    archive.archive(b'{"devfid": "lamp", "appwd": "newer-one"}')
    assert main(["--take_over", str(old)]) == 0
    assert capsys.readouterr().out.startswith("1 devices and 0 configurations")
    assert Inventory().find("lamp").address == "10.9.9.9" and archive.load("lamp")["appwd"] == "newer-one"
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_it_is_found_where_python_looks_for_packages(old, monkeypatch, capsys):
    monkeypatch.setattr("sys.path", [str(old), str(old)])
    assert main(["--take_over"]) == 0
    assert capsys.readouterr().out.startswith("2 devices") and len(Inventory()) == 2
    assert list(old_data.found([str(old.parent)])) == []


def test_a_folder_without_any_says_what_was_expected(tmp_path, capsys):
    assert main(["--take_over", str(tmp_path)]) == 2
    assert "holds no user data of micrOS 1.20" in capsys.readouterr().err
