"""The device cache: the file of 1.20, kept safe."""
import json
import logging

from toolkit.inventory import Device, Inventory

LAMP = Device("micr01OS", "192.168.1.7", 9008, "lamp")
METER = Device("micr02OS", "192.168.1.8", 9009, "meter")


def test_the_file_is_in_the_data_folder_and_reads_as_1_20_wrote_it(data):
    Inventory().keep(LAMP)
    written = json.loads((data / "device_conn_cache.json").read_text())
    assert written == {"micr01OS": ["192.168.1.7", 9008, "lamp"]}
    assert list(Inventory()) == [LAMP]


def test_a_device_goes_by_name_uid_address_and_address_with_port():
    inventory = Inventory()
    inventory.keep(LAMP, METER)
    for tag in ("meter", "micr02OS", "192.168.1.8", "192.168.1.8:9009"):
        assert inventory.find(tag) == METER
    assert inventory.find("192.168.1.8:9008") is None


def test_the_latest_owner_of_an_address_wins():
    inventory = Inventory()
    heir = Device("micr03OS", LAMP.address, 9008, "heir")
    inventory.keep(LAMP, METER, heir)
    assert Inventory().find(LAMP.address) == heir
    assert Inventory().find("lamp") == LAMP


def test_the_placeholders_of_1_20_are_neither_shown_nor_written(data):
    data.mkdir()
    file = data / "device_conn_cache.json"
    file.write_text(json.dumps({
        "__devuid__": ["192.168.4.1", 9008, "__device_on_AP__"],
        "__localhost__": ["127.0.0.1", 9008, "__simulator__"],
        "micr01OS": ["192.168.1.7", 9008, "lamp"],
    }))
    inventory = Inventory()
    assert list(inventory) == [LAMP]
    inventory.keep(METER)
    assert set(json.loads(file.read_text())) == {"micr01OS", "micr02OS"}


def test_a_corrupt_file_is_kept_aside_and_told(data, caplog):
    data.mkdir()
    for text in ("{", "[]", '{"uid": ["192.168.1.7"]}', '{"uid": 5}', '{"uid": [1, 2, 3]}', "\0"):
        (data / "device_conn_cache.json").write_text(text)
        with caplog.at_level(logging.WARNING):
            assert len(Inventory()) == 0
        assert (data / "device_conn_cache.json.bad").read_text() == text
        assert "kept as device_conn_cache.json.bad" in caplog.text


def test_nothing_new_writes_nothing(data):
    Inventory().keep(LAMP)
    before = (data / "device_conn_cache.json").stat().st_mtime_ns
    Inventory().keep(LAMP)
    assert (data / "device_conn_cache.json").stat().st_mtime_ns == before


def test_saving_leaves_no_other_file(data):
    Inventory().keep(LAMP, METER)
    assert [path.name for path in data.iterdir()] == ["device_conn_cache.json"]


def test_clean_deletes_the_file_and_counts(data):
    Inventory().keep(LAMP, METER)
    assert Inventory().clean() == 2
    assert not (data / "device_conn_cache.json").exists()
    assert Inventory().clean() == 0
