"""Being found: what a node tells who asks by beacon or by mDNS, and whom it tells nothing."""
import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Interface

import pytest

from micrOS.source.pure import beacon, dns
from tests.device.conftest import QUIET
from tests.device.datagrams import (
    EVERYBODY,
    GROUP,
    TOKEN,
    answer_of,
    answers,
    came,
    group_member,
    looked_up,
    mouth,
    own_name,
)
from tests.device.wire import eventually
from toolkit import beacon as asking_by_beacon
from toolkit import mdns as asking_by_mdns
from toolkit.simulator import VirtualBoard

LOOPBACK = [IPv4Interface("127.0.0.1/8")]
FLEET = 20
AT_ONCE = 4                          # boards that start at the same time
SERVICE = b"_micros._tcp.local"


@pytest.fixture(scope="module")
def node():
    """One board for the quiet tests of this file."""
    with VirtualBoard(name=own_name("Lamp"), config=QUIET) as board:
        yield board


def uid_of(board):
    return board.shell("hello").split(":")[2]


def test_a_node_answers_from_its_own_address(node):
    uid = uid_of(node)
    told = (node.name, uid, node.address, 9008, 8266, node.shell("version"), False, "ESP32")
    assert answer_of(node.name) == (node.address, told)


def test_it_answers_to_its_uid_and_to_a_question_to_everybody(node):
    uid = uid_of(node)
    assert answer_of(uid)[1][0] == node.name
    assert eventually(lambda: answers(beacon.question(TOKEN)).get(node.address), bool)[1] == uid


def test_who_asks_may_be_on_any_port_of_another_network(node):
    assert answer_of(node.name, address="127.9.9.9")[0] == node.address


MALFORMED = (
    b"", b"micros?", b"micros?1 id=" + TOKEN.encode(), b"micros!1 id=3f9a01c2 name=a uid=b shell=1".ljust(200),
    b"micros?x id=3f9a01c2".ljust(128), b"micros?1".ljust(128), b"micros?1 id=3f9a01c2\n".ljust(128),
    b"micros?1 id=3f9a01c2".ljust(257), b"MICROS?1 id=3f9a01c2".ljust(128), b"\xffmicros?1 id=3f9a01c2".ljust(128),
)


def test_what_is_no_question_is_not_answered(node):
    with mouth() as link:
        for data in MALFORMED:
            link.sendto(data, EVERYBODY)
        assert [sender for _, sender in came(link) if sender[0] == node.address] == []
    assert answer_of(node.name)                  # and it still hears


def test_a_question_for_another_is_not_answered(node):
    assert node.address not in answers(beacon.question(TOKEN, node.name[:-1]))


def test_a_flood_holds_up_nobody(node):
    with mouth() as link, node.session() as session:
        for number in range(300):
            link.sendto(beacon.question(TOKEN, node.name) if number % 3 else b"x" * 400, EVERYBODY)
            link.sendto(dns.query(SERVICE, dns.PTR), GROUP)
        assert session.send("system heartbeat") == "<3 heartbeat <3"
    assert answer_of(node.name)
    assert "Traceback" not in node.console()


def test_a_locked_node_says_so(make_board):
    board = make_board(name=own_name("safe"), config={"auth": True}, board="rp2")
    assert answer_of(board.name)[1][6:] == (True, "RP2040")


def test_the_uid_stays_when_the_name_changes(make_board):
    board = make_board(name=own_name("old"))
    uid, name = uid_of(board), own_name("new")
    board.shell("conf", f"devfid {name}")
    assert answer_of(name)[1][:2] == (name, uid)
    assert answers(beacon.question(TOKEN, board.name)) == {}
    told = {kind: value for _, kind, value in looked_up(name.encode() + b".local", dns.A)}
    assert f"uid={uid}".encode() in told[dns.TXT]


def test_the_keys_switch_it_off_and_on_at_once(make_board):
    board = make_board(name=own_name("shy"))
    host = board.name.encode() + b".local"
    with board.session() as session:
        session.send("conf")
        assert session.send("beacon false") == session.send("mdns false") == "Saved"
        assert answers(beacon.question(TOKEN, board.name)) == {}
        with mouth() as link:
            link.sendto(dns.query(host, dns.A, 7), GROUP)
            assert [*came(link)] == []
        for value in ("true", "false", "true"):
            session.send(f"beacon {value}")
            session.send(f"mdns {value}")
        assert answer_of(board.name)[0] == board.address
        assert looked_up(host, dns.A)
    assert len(answers(beacon.question(TOKEN, board.name))) == 1     # no second ear is left behind


def test_both_are_off_when_the_keys_say_so_at_boot(make_board):
    board = make_board(name=own_name("mute"), config={"beacon": False, "mdns": False})
    assert answers(beacon.question(TOKEN, board.name)) == {}


# -- mDNS
def test_plain_dns_is_answered_to_the_one_who_asks(node):
    name = node.name.lower().encode()
    instance, host = name + b"." + SERVICE, name + b".local"
    told = looked_up(host, dns.A)
    assert told[:2] == [(SERVICE, dns.PTR, instance), (instance, dns.SRV, (9008, host))]
    assert told[3] == (host, dns.A, socket.inet_aton(node.address))
    assert f"uid={uid_of(node)}".encode() in told[2][2]
    assert looked_up(instance, dns.SRV) == looked_up(instance, dns.TXT) == looked_up(host.upper(), dns.ANY) == told


def test_who_speaks_mdns_is_answered_before_everybody(node):
    name = node.name.lower().encode() + b"." + SERVICE
    with group_member() as link:
        said = eventually(lambda: asked_in_the_group(link, dns.query(name, dns.SRV), name), bool)
    assert {kind for _, kind, _, _ in said} == {dns.PTR, dns.SRV, dns.TXT, dns.A}


def asked_in_the_group(link, question, name, known=b""):
    """Records of the answer that speaks of a service; link sends from port 5353."""
    link.sendto(question + known, GROUP)
    for data, _ in came(link):
        with contextlib.suppress(dns.DnsError):
            _, is_answer, _, place = dns.questions(data)
            records = list(dns.records(data, place))
            if is_answer and any(value == name for _, _, _, value in records):
                return records
    return None


def test_who_knows_the_answer_gets_none(node):
    name = node.name.lower().encode() + b"." + SERVICE
    question = dns.query(SERVICE, dns.PTR)
    with_one = question[:6] + b"\0\1" + question[8:]
    with group_member() as link:
        assert asked_in_the_group(link, question, name)
        fresh = dns.record(SERVICE, dns.PTR, 120, dns.pointer(name))
        assert [data for data in heard_answers(link, with_one + fresh) if name in data.lower()] == []
        stale = dns.record(SERVICE, dns.PTR, 20, dns.pointer(name))
        assert asked_in_the_group(link, with_one, name, stale)


def heard_answers(link, question):
    link.sendto(question, GROUP)
    return [data for data, _ in came(link) if data[2:3] >= b"\x80"]


def test_the_service_is_among_all_services(node):
    told = looked_up(b"_services._dns-sd._udp.local", dns.PTR)
    assert told == [(b"_services._dns-sd._udp.local", dns.PTR, SERVICE)]


def test_what_is_not_ours_is_not_answered(node):
    name = node.name.encode() + b".local"
    with mouth() as link:
        for question in (dns.query(name, 28), dns.query(name + b".local", dns.A), dns.reply((), 0, (name, dns.A)),
                         dns.query(name, dns.A)[:-1], dns.query(SERVICE, dns.A)):
            link.sendto(question, GROUP)
        assert [data for data, _ in came(link) if node.name.encode() in data] == []
    assert looked_up(name, dns.A)


def test_a_name_with_a_dot_is_one_label(make_board):
    board = make_board(name=own_name("my.lamp"))
    met = eventually(lambda: names_by_mdns().get(board.address), bool)
    assert met == board.name


def test_a_name_that_cannot_be_a_host_is_found_by_the_beacon_alone(make_board):
    for name in (own_name("a..b"), own_name("lamp") + "."):
        board = make_board(name=name)
        assert answer_of(name)[0] == board.address
        with mouth() as link:
            link.sendto(dns.query(SERVICE, dns.PTR), GROUP)
            assert [sender for _, sender in came(link) if sender[0] == board.address] == []
        assert "Traceback" not in board.console()


def names_by_mdns():
    return {told.device.address: told.device.name for told in asking_by_mdns.ask(LOOPBACK, 0.5)}


def test_a_port_that_has_a_responder_is_left_to_it(make_board):
    board = make_board(name=own_name("esp"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as responder:
        responder.bind(("127.0.0.1", 0))
        board.world["224.0.0.251", 5353] = responder.getsockname()
        board.shell("conf", "mdns false", "mdns true")
        assert "[Mdns] off: " in board.console()
        assert answer_of(board.name)


# -- many
@pytest.fixture(scope="module")
def fleet():
    """Twenty nodes, each at an address of its own."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        boards = [VirtualBoard(name=own_name("fleet"), config={**QUIET, "aioqueue": 10}) for _ in range(FLEET)]
        yield list(pool.map(stack.enter_context, boards))


@pytest.mark.slow
@pytest.mark.parametrize("way", [asking_by_beacon, asking_by_mdns], ids=["beacon", "mdns"])
def test_twenty_nodes_are_found(fleet, way):
    places = {(board.name, board.address, 9008) for board in fleet}
    met = eventually(lambda: {(told.device.name, told.device.address, told.device.port)
                              for told in way.ask(LOOPBACK, 1.0)} & places, lambda found: found == places)
    assert len(met) == FLEET


@pytest.mark.slow
def test_ten_nodes_are_asked_at_once_by_name_and_each_answer_has_its_own_tag(fleet):
    asking, *others = fleet[:11]
    with asking.session() as session:
        for board in others:
            started = session.send(f'intercon sendcmd host="{board.name}" cmd="hello"')
            assert started == f" verdict: Task started: task show con.{board.name}.hello\n tag: con.{board.name}.hello"
        for board in others:
            answer = eventually(lambda tag=f"con.{board.name}.hello": session.send(f"task show {tag}"), bool)
            assert answer == board.shell("hello") + " "
