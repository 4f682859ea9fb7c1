"""Asking another node: `>>host` behind a command gives its answer, `intercon sendcmd` asks in the background."""
import contextlib
import socket
import threading

import pytest

from micrOS.source.pure import beacon, dns
from tests.device.datagrams import EVERYBODY, TOKEN, came, ear, group_member, mouth, own_address, own_name
from tests.device.wire import eventually
from tests.toolkit.foreign import Node120

PASSWORD = "Secret-77"
SLOW = """
import asyncio

async def wait():
    await asyncio.sleep(3600)
"""
PROBE = """
import asyncio
import gc

async def used():
    await asyncio.sleep_ms(1)
    gc.collect()
    return gc.mem_alloc()
"""


@pytest.fixture
def pair(make_board):
    """Two nodes; the second one is named other."""
    return make_board(), make_board(name="other")


@pytest.fixture
def named(make_board):
    """Two nodes with names of their own and one password; the second one is locked."""
    return (make_board(name=own_name("asks"), config={"appwd": PASSWORD}),
            make_board(name=own_name("safe"), config={"appwd": PASSWORD, "auth": True}))


def told(session, tag):
    """What `task show` says when the answer is there."""
    return eventually(lambda: session.send(f"task show {tag}"), bool, timeout_s=8)


# -- by address
def test_the_answer_is_that_of_the_other_node(pair):
    asking, other = pair
    assert asking.shell(f"hello >>{other.address}").startswith("hello:node01:")      # takes no words: our own hello
    assert asking.shell(f"genIO set_out 4 True >json >>{other.address}") == asking.shell(
        f"genIO set_out 4 True >>{other.address} >json")
    assert other.pins[4] == 1 and asking.pins[4] == 0


def test_a_pipe_reaches_the_other_node(make_board):
    other = make_board(name="other")
    asking = make_board(config={"boothook": f"genIO set_out 4 True >>{other.address}; genIO set_out 5 True"})
    assert other.pins[4] == 1 and asking.pins[5] == 1


def test_a_locked_node_with_our_password_is_opened(make_board):
    asking = make_board(config={"appwd": PASSWORD})
    other = make_board(config={"appwd": PASSWORD, "auth": True})
    assert asking.shell(f"system heartbeat >>{other.address}") == "<3 heartbeat <3"


def test_a_locked_node_with_another_password_is_one_line(make_board):
    asking, other = make_board(), make_board(config={"appwd": PASSWORD, "auth": True})
    assert asking.shell(f"system heartbeat >>{other.address}") == f"{other.address} wants another password"


def test_an_error_of_the_other_node_is_the_answer(pair):
    asking, other = pair
    answer = asking.shell(f"rgb color r=1001 >>{other.address}")
    assert answer == "exec_lm_core LM_rgb->color: a channel is 0-1000, got 1001"


def test_a_prompt_within_an_answer_does_not_end_it(make_board):
    asking, other = make_board(), make_board(name="other")
    assert asking.shell(f"demo hello 'costs 5 $ ' >>{other.address}") == other.shell("demo hello 'costs 5 $ '")


def test_nobody_there_is_one_line_and_the_session_goes_on(make_board):
    asking = make_board()
    with asking.session() as session:
        assert session.send("system clock >>127.0.1.250").startswith("127.0.1.250 cannot be reached: ")
        assert session.send("system heartbeat") == "<3 heartbeat <3"


def test_a_port_that_is_none_is_one_line_and_the_session_goes_on(make_board):
    asking = make_board()
    with asking.session() as session:
        for port in ("shell", "0", "65536", "-1", "1:2"):
            assert session.send(f"system clock >>127.0.0.1:{port}").startswith(
                f"127.0.0.1:{port} cannot be understood: ")
        assert session.send("system heartbeat") == "<3 heartbeat <3"


def test_a_peer_that_says_no_text_is_one_line_and_the_session_goes_on(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as server, asking.session() as session:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        session._link.sendall(f"system clock >>{where}\n".encode())
        client, _ = server.accept()
        with client:
            client.sendall(b"\xfe\xfe $ ")
        assert session.send("system heartbeat").split("\n")[0].startswith(f"{where} cannot be understood: ")
        assert session.send("hello").startswith(("hello:", "<3"))


def test_a_busy_node_is_one_line(pair):
    asking, other = pair
    with other.session(), other.session():
        assert asking.shell(f"system clock >>{other.address}") == f"{other.address} is busy"


def test_a_node_that_was_busy_is_asked_again_and_the_command_is_said_once(make_board):
    asking = make_board()
    with Node120(turned_away=2) as node:
        assert asking.shell(f"system heartbeat >>127.0.0.1:{node.port}") == "<3 heartbeat <3"
        assert node.heard == ["system heartbeat"]


def test_a_peer_that_never_stops_talking_is_cut_off(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as server:
        def flood():
            client, _ = server.accept()
            with client:
                try:
                    while True:
                        client.sendall(b"x" * 4096)
                except OSError:
                    pass
        thread = threading.Thread(target=flood)
        thread.start()
        where = f"127.0.0.1:{server.getsockname()[1]}"
        assert asking.shell(f"system clock >>{where}") == f"{where} says more than 8192 bytes"
        thread.join(5)


@pytest.mark.slow
def test_others_are_served_while_a_node_waits_for_an_answer(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as silent, asking.session() as waiting:
        waiting._link.sendall(f"system clock >>127.0.0.1:{silent.getsockname()[1]}\n".encode())
        assert asking.shell("system heartbeat") == "<3 heartbeat <3"


def test_the_death_of_the_other_node_ends_the_wait(make_board):
    asking, other = make_board(), make_board(files={"modules/LM_slow.py": SLOW})
    with asking.session() as session:
        session._link.sendall(f"slow wait >>{other.address}\n".encode())
        eventually(lambda: other.shell("modules"), lambda loaded: "slow" in loaded)
        other.stop()
        assert session._until_prompt().startswith(f"{other.address} ")
        assert session.send("system heartbeat") == "<3 heartbeat <3"


@pytest.mark.slow
def test_a_node_that_falls_silent_is_an_error_in_the_time_that_was_set(make_board):
    asking, other = make_board(), make_board(files={"modules/LM_slow.py": SLOW})
    with asking.session() as session:
        tag = f"con.{'.'.join(other.address.split('.')[2:])}.slow"
        assert f"tag: {tag}" in session.send(f'intercon sendcmd "{other.address}" "slow wait" timeout=1')
        assert told(session, tag) == f"{other.address} gave no answer in 1 s "


def test_numbers_that_are_no_address_are_not_looked_up(make_board):
    asking = make_board()
    for tag in ("999.1.1.1", "1.2.3.", "1.2.3.4444", "1.2"):
        assert asking.shell(f"system clock >>{tag}").startswith(f"{tag} is not on this network")


def test_a_name_of_the_internet_is_looked_up_and_its_node_not_told_the_password(make_board):
    asking, prompt = make_board(config={"appwd": PASSWORD}), b"[password] far $ "
    with Node120({"hello": (b"hello:far:u1\n", prompt)}, prompt) as locked, Node120() as opened:
        for name, node in (("locked.test", locked), ("opened.test", opened)):
            asking.world[name] = ("127.0.0.1", node.port)
        assert asking.shell("system heartbeat >>opened.test") == "<3 heartbeat <3"
        assert "wants a password" in asking.shell("system heartbeat >>locked.test")
        assert locked.heard == ["hello"]


# -- by name
def test_two_nodes_switch_each_others_lamps_by_name_and_one_of_them_is_locked(named):
    lamp, safe = named
    assert lamp.shell(f"system heartbeat >>{safe.address}") == "<3 heartbeat <3"       # a person says: this is it
    assert lamp.shell(f"genIO set_out 4 True >>{safe.name}") == " pin: 4\n state: True"
    assert safe.pins[4] == 1
    assert safe.shell(PASSWORD, f"genIO set_out 5 True >>{lamp.name}.local") == "AuthOk\n pin: 5\n state: True"
    assert lamp.pins[5] == 1


def test_a_node_goes_by_its_uid_too(named):
    lamp, safe = named
    uid = lamp.shell("hello").split(":")[2]
    assert safe.shell(PASSWORD, f"system heartbeat >>{uid}") == "AuthOk\n<3 heartbeat <3"


# -- who is told our password
def test_a_locked_node_that_nobody_has_named_by_its_address_is_not_told_the_password(named):
    lamp, safe = named
    assert lamp.shell(f"genIO set_out 4 True >>{safe.name}") == (
        f"{safe.name} wants a password, but a name proves nothing: if it is at {safe.address}, "
        f"say this once with >>{safe.address}")
    assert safe.pins[4] == 0


def test_who_was_named_by_its_address_is_trusted_after_a_reboot_and_until_it_is_forgotten(named):
    lamp, safe = named
    lamp.shell(f"system heartbeat >>{safe.address}")
    lamp.reset()
    lamp.wait_ready()
    assert lamp.shell(f"system heartbeat >>{safe.name}") == "<3 heartbeat <3"
    assert lamp.shell("system cachedump intercon") == "intercon.pds delete done."
    assert "wants a password" in lamp.shell(f"system heartbeat >>{safe.name}")


def test_another_password_makes_nobody_trusted(make_board):
    asking = make_board()
    safe = make_board(name=own_name("safe"), config={"appwd": PASSWORD, "auth": True})
    assert asking.shell(f"system heartbeat >>{safe.address}") == f"{safe.address} wants another password"
    assert not (asking.dir / "intercon.pds").exists()


def test_who_takes_the_name_of_a_trusted_node_is_not_told_the_password(named):
    lamp, safe = named
    lamp.shell(f"system heartbeat >>{safe.address}")
    uid = safe.shell("hello").split(":")[2]
    safe.stop()
    with Liar(safe.name, uid) as liar:
        assert "wants a password" in lamp.shell(f"genIO set_out 4 True >>{safe.name}")
        assert liar.node.heard == ["hello"]


@pytest.mark.slow
def test_another_node_at_the_address_of_a_trusted_one_is_not_told_the_password(make_board):
    asking = make_board(config={"appwd": PASSWORD})
    locked = {"appwd": PASSWORD, "auth": True}
    first = make_board(name=own_name("safe"), address=own_address(), config=locked)
    asking.shell(f"system heartbeat >>{first.address}")
    first.stop()
    make_board(name=first.name, address=first.address, config=locked)
    assert "wants a password" in asking.shell(f"system heartbeat >>{first.name}")


@pytest.mark.slow
def test_two_that_claim_one_name_and_one_uid_are_told_apart_by_their_addresses(make_board):
    asking, name = make_board(), own_name("lamp")
    with Liar(name, "u1") as one, Liar(name, "u1", "127.9.9.9") as other:
        assert asking.shell(f"genIO set_out 4 True >>{name}") == (
            f"{name} is the name of 127.0.0.1 (u1) and 127.9.9.9 (u1); say which by its address")
        assert one.node.heard == other.node.heard == []


class Liar:
    """Answers the beacon for a name from an address of its own; there a locked node of 1.20 listens."""

    def __init__(self, name, uid, address="127.0.0.1"):
        prompt = f"[password] {name} $ ".encode()
        self.node = Node120({"hello": (f"hello:{name}:{uid}\n".encode(), prompt)}, prompt)
        self._told = (name, uid, address, self.node.port, 0, "1", True, "x")
        self._ear, self._mouth = ear(), mouth(address)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answer)

    def _answer(self):
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, beacon.BeaconError):
                question, asker = self._ear.recvfrom(2048)
                token, wanted = beacon.asked(question)
                if wanted == self._told[0]:
                    self._mouth.sendto(beacon.answer(token, self._told), asker)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(5)
        self._ear.close()
        self._mouth.close()
        self.node.__exit__()


# -- by name, remembered


@pytest.mark.slow
def test_who_was_found_is_remembered_and_not_asked_for_again(named):
    lamp, safe = named
    with lamp.session() as session, ear() as hearing:
        session.send(f"system heartbeat >>{safe.name}")
        assert session.send("intercon dump") == f" {safe.name}: {safe.address}"
        assert asked_for(safe.name, hearing) == 1
        session.send(f"system heartbeat >>{safe.name}")
        assert asked_for(safe.name, hearing) == 0


def asked_for(name, hearing):
    return len([data for data, _ in came(hearing) if f" name={name} ".encode() in data])


@pytest.mark.slow
def test_a_name_that_nobody_has_is_one_line(make_board):
    asking, name = make_board(), own_name("nobody")
    assert asking.shell(f"system clock >>{name}") == f"{name} is not on this network; names are those of `devfid`"
    assert asking.shell(f"system clock >>{name}.local").startswith(f"{name}.local is not on this network")
    assert asking.shell(f"system clock >>{'n' * 41}") == f"{'n' * 41} is no name that a node can have"


def test_of_two_nodes_with_one_name_none_gets_the_command(make_board):
    name = own_name("twin")
    asking, *twins = make_board(), make_board(name=name), make_board(name=name)
    answer = asking.shell(f"genIO set_out 4 True >>{name}")
    assert answer.startswith(f"{name} is the name of ") and all(twin.address in answer for twin in twins)
    assert [twin.pins[4] for twin in twins] == [0, 0]
    assert asking.shell(f"genIO set_out 4 True >>{twins[0].address}").startswith(" pin: 4")


@pytest.mark.slow
def test_another_node_at_the_place_of_the_one_we_know_does_not_get_the_command(make_board):
    name = own_name("lamp")
    asking, first = make_board(), make_board(name=name, address=own_address())
    asking.shell(f"system heartbeat >>{name}")
    first.stop()
    heir = make_board(name=own_name("heir"), address=first.address)
    assert asking.shell(f"genIO set_out 4 True >>{name}").startswith(f"{name} is not on this network")
    assert heir.pins[4] == 0


def test_a_node_of_the_same_name_at_the_same_place_is_looked_at_anew(make_board):
    """It is another one by its uid: the command is said only after the network was asked whose name that is now."""
    name = own_name("lamp")
    asking, first = make_board(), make_board(name=name, address=own_address())
    asking.shell(f"system heartbeat >>{name}")
    first.stop()
    heir = make_board(name=name, address=first.address)
    with ear() as hearing:
        assert asking.shell(f"genIO set_out 4 True >>{name}").startswith(" pin: 4")
        assert asked_for(name, hearing) == 1
    assert heir.pins[4] == 1


@pytest.mark.slow
def test_a_node_that_moved_is_found_at_its_new_place(make_board):
    name = own_name("lamp")
    asking, first = make_board(), make_board(name=name, address=own_address())
    asking.shell(f"system heartbeat >>{name}")
    first.stop()
    with socket.create_server((first.address, 9008)):            # the old place is somebody else's, who says nothing
        make_board(name=name)
        assert asking.shell(f"genIO set_out 4 True >>{name}").startswith(" pin: 4")


@pytest.mark.slow
def test_a_node_without_a_beacon_is_found_by_mdns(make_board):
    asking = make_board(config={"appwd": PASSWORD})
    opened = make_board(name=own_name("open"), config={"beacon": False})
    locked = make_board(name=own_name("lock"), config={"beacon": False, "appwd": PASSWORD, "auth": True})
    assert asking.shell(f"system heartbeat >>{opened.name}.local") == "<3 heartbeat <3"
    assert "wants a password" in asking.shell(f"system heartbeat >>{locked.name}.local")
    assert asking.shell(f"system heartbeat >>{locked.address}") == "<3 heartbeat <3"
    assert asking.shell(f"system heartbeat >>{locked.name}.local") == "<3 heartbeat <3"


@pytest.mark.slow
def test_an_answer_to_another_question_or_of_no_form_is_nobody(make_board):
    """A liar hears the question and answers with all but what was asked."""
    asking, name = make_board(), own_name("lamp")
    with ear() as hearing, mouth() as liar, asking.session() as session:
        session._link.sendall(f"system clock >>{name}\n".encode())
        asker = eventually(lambda: [sender for data, sender in came(hearing) if name.encode() in data], bool)[0]
        values = (name, "u1", "127.0.0.1", 1, 0, "", False, "")
        for data in (b"", b"\xff" * 600, beacon.answer(TOKEN, values), beacon.question(TOKEN, name),
                     beacon.answer(TOKEN, ("other", *values[1:])), dns.reply(())):
            liar.sendto(data, asker)
        assert session._until_prompt() == f"{name} is not on this network; names are those of `devfid`"
    assert "Traceback" not in asking.console()


@pytest.mark.slow
def test_a_node_of_1_20_is_found_by_its_host_name(make_board):
    """Its firmware answers mDNS for the name; here a responder of the test does."""
    asking, name = make_board(), own_name("old")
    prompt = f"{name} $ ".encode()
    answers = {"system heartbeat": (b"<3 heartbeat <3\n", prompt)}
    stop = threading.Event()
    with Node120(answers, prompt) as node, group_member() as link:
        responder = threading.Thread(target=respond, args=(link, name, stop))
        responder.start()
        try:
            assert asking.shell(f"system heartbeat >>{name}.local:{node.port}") == "<3 heartbeat <3"
        finally:
            stop.set()
            responder.join(5)
    assert node.heard == ["system heartbeat"]


def respond(link, name, stop):
    """A responder that knows one host, at 127.0.0.1."""
    host = name.encode() + b".local"
    while not stop.is_set():
        with contextlib.suppress(TimeoutError, dns.DnsError):
            data, sender = link.recvfrom(1500)
            ident, is_answer, questions, _ = dns.questions(data)
            if not is_answer and (host, dns.A) in questions:
                records = (dns.record(host, dns.A, 10, socket.inet_aton("127.0.0.1")),)
                link.sendto(dns.reply(records, ident, (host, dns.A)), sender)


def test_asking_by_name_leaves_nothing_in_memory(make_board):
    """A task that ended with code of InterConnect in its hands would keep all of it, 10 KB."""
    asking = make_board(files={"modules/LM_probe.py": PROBE})
    with asking.session() as session:
        session.send("system heartbeat >>nosuch")
        session.send("probe used")
        before = int(session.send("probe used"))
        for _ in range(6):
            session.send("system heartbeat >>nosuch")
            assert int(session.send("probe used")) - before < 2048


# -- in the background
def test_sendcmd_says_where_its_answer_will_be(pair):
    asking, other = pair
    with asking.session() as session:
        mark = ".".join(other.address.split(".")[2:])
        for line in (f'intercon sendcmd host="{other.address}" cmd="system rssi"',
                     f'intercon sendcmd "{other.address}" "system rssi"',
                     f"intercon sendcmd {other.address} system rssi",
                     f"intercon sendcmd 'system rssi' host='{other.address}'"):
            assert session.send(line) == f" verdict: Task started: task show con.{mark}.system\n tag: con.{mark}.system"
            assert told(session, f"con.{mark}.system") == other.shell("system rssi").replace("\n", " ") + " "


def test_a_question_that_runs_is_busy(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as silent, asking.session() as session:
        line = f"intercon sendcmd 127.0.0.1:{silent.getsockname()[1]} system clock"
        assert session.send(line).startswith(" verdict: Task started")
        assert session.send(line).startswith(" verdict: Task is Busy\n tag: con.0.1:")


def test_no_more_than_ten_are_asked_at_once(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0), backlog=32) as silent, asking.session() as session:
        port = silent.getsockname()[1]
        verdicts = [session.send(f"intercon sendcmd 127.0.0.1:{port} word{number}") for number in range(11)]
    assert [" verdict: Task is Busy" in verdict for verdict in verdicts] == [False] * 10 + [True]


@pytest.mark.slow
def test_the_error_of_a_background_question_is_its_output(make_board):
    asking, name = make_board(), own_name("nobody")
    with asking.session() as session:
        session.send(f'intercon sendcmd host="{name}.local" cmd="hello"')
        assert told(session, f"con.{name}.hello").startswith(f"{name}.local is not on this network")


@pytest.mark.parametrize("words", ["", "host=127.0.0.1", "127.0.0.1", "127.0.0.1 ''", "127.0.0.1 'a\\nb' timeout=0"])
def test_sendcmd_says_what_it_takes(make_board, words):
    assert "takes host=" in make_board().shell(f"intercon sendcmd {words}")


def test_a_background_question_can_be_killed(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as silent, asking.session() as session:
        line = f"intercon sendcmd 127.0.0.1:{silent.getsockname()[1]} system clock"
        tag = session.send(line).rpartition("tag: ")[2]
        client, _ = silent.accept()
        with client:
            assert session.send(f"task kill {tag}") == f"Kill: {tag}|True"
            client.settimeout(20)
            assert client.recv(100) == b""


@pytest.mark.slow
def test_a_question_to_everybody_stays_on_this_machine(make_board):
    """The virtual board's broadcast is that of loopback."""
    asking, name = make_board(), own_name("lamp")
    with ear() as hearing:
        asking.shell(f"system clock >>{name}")
        assert {sender[0] for data, sender in came(hearing) if name.encode() in data} == {asking.address}
    assert EVERYBODY[0].startswith("127.")
