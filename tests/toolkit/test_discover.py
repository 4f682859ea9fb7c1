"""Finding nodes, on loopback only."""
import json
import socket
import threading
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest
from foreign import Node120, a_node, free_port

from micrOS.source.pure import beacon as codec
from toolkit import beacon, discover, mdns
from toolkit.commands import main
from toolkit.errors import LinkError, RefusedError, UnknownDeviceError, UsageError
from toolkit.inventory import Device, Introduction, Inventory

HERE = "127.0.0.1"
# A network of this test's own: on Linux all of 127/8 is here, and 127.5.255.255 is an address like any other.
NET = IPv4Interface("127.5.0.1/16")
LAMP = ("lamp", "micr01OS", "127.5.0.9", 9008, 8266, "2.0.0-0", True, "ESP32")
WAIT_S = 0.2


class Beacons:
    """Nodes that answer questions in NET. tell: function(token), the datagrams that answer one."""

    def __init__(self, tell, everybody="127.5.255.255", own=HERE):
        self._tell = tell
        self.asked = 0
        self._ear, self._mouth = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        self._ear.bind((everybody, codec.PORT))
        self._mouth.bind((own, 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            question, sender = self._ear.recvfrom(2048)
            if not question:
                return
            self.asked += 1
            for answer in self._tell(codec.asked(question)[0]):
                self._mouth.sendto(answer, sender)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._mouth.sendto(b"", self._ear.getsockname())
        self._thread.join(5)
        self._ear.close()
        self._mouth.close()


def telling(*nodes):
    return Beacons(lambda token: [codec.answer(token, node) for node in nodes])


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


# -- the beacon
def test_a_node_tells_who_it_is_and_is_where_its_answer_came_from():
    with telling(LAMP) as net:
        (told,) = beacon.ask([NET], WAIT_S)
        assert net.asked == beacon.TRIES
    assert told == Introduction(Device("micr01OS", HERE, 9008, "lamp"), 8266, "2.0.0-0", True, "ESP32")


def test_two_nodes_with_one_name_are_two_nodes():
    with telling(LAMP, ("lamp", "micr02OS", *LAMP[2:])):
        assert {told.device.uid for told in beacon.ask([NET], WAIT_S)} == {"micr01OS", "micr02OS"}


def test_what_is_no_answer_to_the_question_is_passed_over():
    def lie(token):
        true = codec.answer(token, LAMP)
        return (b"", b"\xff" * 600, codec.answer("00000000", LAMP), codec.question(token), true[:30],
                true.replace(b"9008", b"99999"), true.replace(b"lamp", b"\x1b[2J"))
    with Beacons(lie):
        assert beacon.ask([NET], WAIT_S) == []


def test_an_interface_that_cannot_ask_is_passed_over():
    with telling(LAMP):
        gone = IPv4Interface("192.0.2.77/24")        # RFC 5737: nobody has it
        assert len(beacon.ask([gone, NET], WAIT_S)) == 1
    assert beacon.ask([], 0) == []


def test_the_number_of_nodes_is_bounded(monkeypatch):
    monkeypatch.setattr(beacon, "MAX_NODES", 3)
    with telling(*[("n", f"u{number}", *LAMP[2:]) for number in range(9)]):
        assert len(beacon.ask([NET], WAIT_S)) == 3


def test_both_ways_are_asked_and_a_node_is_told_once(monkeypatch):
    lamp, meter = Device("micr01OS", HERE, 9008, "lamp"), Device("micr02OS", HERE, 9009, "meter")
    said = [Introduction(device, 0, "", False, "") for device in (lamp, meter)]
    monkeypatch.setattr(mdns, "ask", lambda interfaces, wait_s: said)
    with telling(LAMP):
        found = discover.announced(WAIT_S, [NET])
    assert [(told.device, told.version) for told in found] == [(lamp, "2.0.0-0"), (meter, "")]


def test_only_loopback_and_private_networks_are_asked_by_themselves(monkeypatch):
    texts = ("127.0.0.1/8", "8.8.8.8/24", "192.168.7.5/24", "10.1.2.3/8", "169.254.1.1/16")
    monkeypatch.setattr(discover, "_own_interfaces", lambda: [IPv4Interface(text) for text in texts])
    assert [str(each) for each in discover.own_interfaces()] == ["127.0.0.1/8", "192.168.7.5/24", "10.1.2.3/8"]


def test_own_interfaces_have_their_networks():
    assert IPv4Network("127.0.0.0/8") in [each.network for each in discover.own_interfaces()]


def moved_lamp(monkeypatch, port):
    """A cache that knows a lamp in NET, and the network that tells where it is now."""
    monkeypatch.setattr(discover, "_own_interfaces", lambda: [NET, IPv4Interface("127.0.0.1/8")])
    monkeypatch.setattr(discover, "ANNOUNCE_S", WAIT_S)
    inventory = Inventory()
    inventory.keep(Device("micr01OS", "127.5.0.9", 9008, "lamp"))
    return inventory, telling((*LAMP[:3], port, *LAMP[4:]))


def test_a_node_that_moved_is_found_by_the_beacon_of_its_network(monkeypatch):
    with a_node("lamp", "micr01OS") as node:
        inventory, net = moved_lamp(monkeypatch, node.port)
        with net:
            assert discover.resolve("lamp", inventory).where == f"{HERE}:{node.port}"


def test_known_shows_a_moved_node_where_it_is(monkeypatch):
    inventory, net = moved_lamp(monkeypatch, 4711)
    with net:
        assert discover.known(inventory) == [Device("micr01OS", HERE, 4711, "lamp")]


def test_a_network_without_known_devices_is_not_asked(monkeypatch):
    inventory, net = moved_lamp(monkeypatch, 4711)
    inventory.clean()
    with net:
        assert discover.known(inventory) == []
        with pytest.raises(UnknownDeviceError):
            discover.resolve("lamp", inventory)
        assert net.asked == 0


def test_search_shows_what_nodes_tell_and_asks_the_silent_ones_of_the_cache(monkeypatch, capsys):
    monkeypatch.setattr(discover, "_own_interfaces", lambda: [NET])
    monkeypatch.setattr(mdns, "ask", lambda interfaces, wait_s: [])      # the boards of other tests would answer
    with a_node("old", "micr09OS") as old, telling(LAMP):
        Inventory().keep(Device("micr09OS", HERE, old.port, "old"), Device("micr08OS", HERE, free_port(), "gone"))
        assert main(["-s", "--timeout", str(WAIT_S)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert main(["-s", "--timeout", str(WAIT_S), "--json"]) == 0
    assert lines[0].split() == ["UID", "FUID", "IP", "PORT", "VERSION", "LOCKED", "BOARD"]
    assert lines[1].split() == ["micr01OS", "lamp", HERE, "9008", "2.0.0-0", "yes", "ESP32"]
    assert lines[2].split() == ["micr09OS", "old", HERE, str(old.port), "-", "-", "-"]
    assert lines[3] == "2 devices found"
    told = json.loads(capsys.readouterr().out)
    assert (told[0]["version"], told[0]["locked"], told[0]["files_port"]) == ("2.0.0-0", True, 8266)


def test_a_scan_asks_addresses_that_tell_nothing(monkeypatch, capsys):
    monkeypatch.setattr(discover, "_own_interfaces", lambda: [])
    monkeypatch.setattr(discover, "own_networks", lambda: [IPv4Network("127.0.0.1/32")])
    with a_node("old", "micr09OS") as old:
        words = ["-s", "--timeout", str(WAIT_S), "--port", str(old.port)]
        assert main(words) == 0
        assert capsys.readouterr().out == "0 devices found\n"
        assert main([*words, "--scan"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["UID", "FUID", "IP", "PORT"]
    assert Inventory().find("old") is not None


# -- hello to each address
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
