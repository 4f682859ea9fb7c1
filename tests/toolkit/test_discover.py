"""Finding nodes, on loopback only."""
from ipaddress import IPv4Address, IPv4Network

import pytest
from foreign import Node120, a_node, free_port

from toolkit import discover
from toolkit.errors import LinkError, RefusedError, UnknownDeviceError, UsageError
from toolkit.inventory import Device, Inventory

HERE = "127.0.0.1"


def test_hello_tells_who_answers():
    with a_node("lamp", "micr01OS") as node:
        assert discover.hello(HERE, node.port) == Device("micr01OS", HERE, node.port, "lamp")


def test_many_are_asked_at_once_and_silence_is_no_error():
    seen = []
    with a_node("lamp", "micr01OS") as lamp, a_node("meter", "micr02OS") as meter, Node120(greeting=None) as mute:
        targets = [(HERE, port) for port in (lamp.port, mute.port, meter.port, free_port(), lamp.port)]
        found = discover.hello_all(targets, 0.2, lambda done, total: seen.append((done, total)))
    assert {device.name for device in found} == {"lamp", "meter"}
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_node_that_answers_at_two_addresses_is_one_node():
    with a_node("lamp", "micr01OS") as node, a_node("lamp", "micr01OS") as same:
        for first, second in ((node, same), (same, node)):
            (found,) = discover.hello_all([(HERE, first.port), (HERE, second.port)])
            assert found.port == first.port


def test_a_network_is_asked_whole():
    targets = discover.targets_of([IPv4Network("192.168.1.0/24")])
    assert (targets[0], targets[-1], len(targets)) == (("192.168.1.1", 9008), ("192.168.1.254", 9008), 254)
    assert discover.targets_of([IPv4Network("127.0.1.9/32")], 99) == [("127.0.1.9", 99)]


def test_a_network_too_large_is_refused():
    with pytest.raises(UsageError, match="16777216 addresses"):
        discover.search([IPv4Network("10.0.0.0/8")])


def test_only_private_networks_are_ones_own(monkeypatch):
    texts = ("127.0.0.1", "8.8.8.8", "192.168.7.5", "10.1.2.3", "192.168.7.9", "169.254.1.1", "172.20.0.1")
    monkeypatch.setattr(discover, "_own_addresses", lambda: [IPv4Address(text) for text in texts])
    assert [str(net) for net in discover.own_networks()] == ["10.1.2.0/24", "172.20.0.0/24", "192.168.7.0/24"]


def test_own_addresses_are_found_without_a_packet():
    assert IPv4Address(HERE) in discover._own_addresses()


def test_a_cached_name_is_resolved_there():
    with a_node("lamp", "micr01OS") as node:
        known = Device("micr01OS", HERE, node.port, "lamp")
        inventory = Inventory()
        inventory.keep(known)
        for tag in ("lamp", "micr01OS", known.where):
            assert discover.resolve(tag, inventory) == known


def test_an_unknown_name_is_looked_for_on_this_machine_and_kept(monkeypatch):
    with a_node("lamp", "micr01OS") as node:
        monkeypatch.setattr(discover, "LOOPBACK", ((HERE, node.port),))
        assert discover.resolve("lamp", Inventory()).port == node.port
    assert Inventory().find("lamp") is not None


def test_a_name_nobody_has_says_how_to_search():
    with pytest.raises(UnknownDeviceError, match="--search_devices"):
        discover.resolve("lamp", Inventory())


def test_a_renamed_node_is_found_by_its_old_name_and_kept_by_the_new():
    with a_node("kitchen", "micr01OS") as node:
        inventory = Inventory()
        inventory.keep(Device("micr01OS", HERE, node.port, "lamp"))
        assert discover.resolve("lamp", inventory).name == "kitchen"
    assert Inventory().find("lamp") is None
    assert Inventory().find("kitchen") is not None


def test_a_node_that_moved_is_found_by_its_uid(monkeypatch):
    with a_node("lamp", "micr01OS") as node, a_node("stranger", "micr09OS") as stranger:
        monkeypatch.setattr(discover, "LOOPBACK", ((HERE, node.port),))
        inventory = Inventory()
        inventory.keep(Device("micr01OS", HERE, stranger.port, "lamp"))
        assert discover.resolve("lamp", inventory).port == node.port


def test_a_stranger_at_the_address_is_not_taken_for_the_node():
    with a_node("stranger", "micr09OS") as stranger:
        inventory = Inventory()
        inventory.keep(Device("micr01OS", HERE, stranger.port, "lamp"))
        with pytest.raises(LinkError, match="stranger .micr09OS. answers there"):
            discover.resolve("lamp", inventory)


def test_a_known_node_that_is_down_is_unreachable_not_unknown():
    inventory = Inventory()
    inventory.keep(Device("micr01OS", HERE, free_port(), "lamp"))
    with pytest.raises(LinkError, match="lamp was last seen at 127.0.0.1"):
        discover.resolve("lamp", inventory)


def test_an_address_needs_no_cache():
    with a_node("lamp", "micr01OS") as node:
        assert discover.resolve(f"{HERE}:{node.port}", Inventory()).name == "lamp"
    with pytest.raises(LinkError, match="cannot be reached"):
        discover.resolve(f"{HERE}:{free_port()}", Inventory())


def test_a_busy_node_refuses(monkeypatch):
    monkeypatch.setattr("toolkit.link.shell.time.sleep", lambda s: None)
    with Node120(turned_away=99) as node, pytest.raises(RefusedError, match="busy"):
        discover.resolve(f"{HERE}:{node.port}", Inventory())


TAGS = (
    ("127.0.0.1", ("127.0.0.1", 9008)),
    ("127.0.0.1:99", ("127.0.0.1", 99)),
    ("node01.local", ("node01.local", 9008)),
    ("localhost:99", ("localhost", 99)),
    ("node01", None),
    ("micr500291863428OS", None),
    ("n a m e", None),
)


@pytest.mark.parametrize("tag, target", TAGS)
def test_an_address_is_told_from_a_name(tag, target):
    assert discover.address_of(tag) == target


def test_a_cached_name_with_a_dot_is_a_name():
    assert discover.address_of("my.lamp", Device("u", "192.168.1.7", 9008, "my.lamp")) is None
