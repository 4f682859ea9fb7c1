"""VSOA by name: position services and where they stand, and robots that follow a name from server to server."""
import socket
import threading

import pytest

from micrOS.source import vsoa as ours
from micrOS.source.pure import vsoa as wire
from tests.device.test_vsoa import WAIT_S, WELCOME, free_port, official, process
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.slow]
ROBOT = '''
import vsoa

client, told, ups = vsoa.Client(), [], []
client.onmessage = lambda client, url, payload, quick: told.append(url)
client.onconnect = lambda client, is_up, info: ups.append(is_up)


def go(url):
    client.robot(url, keepalive=60, reconn_delay=0.1)
    return "goes"


def subscribe(url):
    return str(client.subscribe(url))


def quick(url):
    return str(client.datagram(url, None, True))


def state():
    return str([ups, told, client.wanted])


def stop():
    client.close()
    return "stopped"
'''


class Names:
    """A position service of either package; names: {name: (address, port)}"""

    def __init__(self, package, **names):
        self.names, self.place, self.asked = names, ("127.0.0.1", free_port()), []
        service = package.Position(self.answer)
        threading.Thread(target=service.run, args=self.place, daemon=True).start()

    def answer(self, search, reply):
        self.asked.append(search["name"])
        found = self.names.get(search["name"])
        reply({"addr": found[0], "port": found[1], "domain": 2} if found else None)

    def __enter__(self):
        for package in (ours, official):
            package.pos(*self.place)
        eventually(lambda: ours.lookup("nobody") is None and bool(self.asked), bool)
        return self

    def __exit__(self, *_):
        ours.pos(None)


SERVER = "127.0.0.1", 3005


@pytest.fixture(scope="module")
def names():
    with Names(ours, myserv=SERVER) as made:
        yield made


@pytest.fixture
def unnamed(names, monkeypatch):
    """A position service that pos() does not name."""
    monkeypatch.delenv("VSOA_POS_SERVER", raising=False)
    monkeypatch.setenv("VSOA_POS_FILE", "/nowhere")
    ours.pos(None)
    yield names
    ours.pos(*names.place)


# -- where a position service stands


@pytest.mark.parametrize("package", [ours, official], ids=["ours", "official"])
def test_a_name_is_looked_up_at_either_position_service(package):
    with Names(package, myserv=SERVER) as names:
        assert ours.lookup("myserv") == SERVER and ours.lookup("other") is None
        if package is ours:
            assert official.lookup("myserv") == SERVER and official.lookup("other") is None
        assert ours.Client().connect("vsoa://other") == 3
        assert names.asked[-1] == "other"


def test_bad_questions_cost_the_position_service_nothing(names):
    ours.pos(*names.place)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        for wrong in (b"", b"{", b"[]", b"\xff", b'{"name": 3}', b'{"name": "raise"}'):
            link.sendto(wrong, names.place)
        names.names["raise"] = ("no address", 1)
        assert ours.lookup("raise") is None and ours.lookup("myserv") == SERVER


def test_a_position_service_may_be_named_by_the_name_of_its_host(names):
    ours.pos("localhost", names.place[1])
    assert ours.lookup("myserv") == SERVER
    ours.pos(*names.place)


def test_a_place_that_cannot_be_is_refused_at_once(names):
    for port in (0, 65536, "x"):
        with pytest.raises(ValueError, match=f"a port 1-65535 are wanted, got 127.0.0.1 {port}"):
            ours.pos("127.0.0.1", port)
    assert ours.lookup("myserv") == SERVER


@pytest.mark.parametrize("before", ["", "x:y,", " , ,:,", "127.0.0.1:0,127.0.0.1:65536,1:2:3:z,", "[::1]:x,"])
def test_the_environment_names_services_and_a_wrong_one_costs_only_itself(unnamed, monkeypatch, before):
    assert ours.lookup("myserv") is None
    for host in ("127.0.0.1", "localhost"):
        monkeypatch.setenv("VSOA_POS_SERVER", f"{before} {host}:{unnamed.place[1]}")
        assert ours.lookup("myserv") == SERVER


def test_a_file_names_services_and_a_wrong_line_costs_only_itself(unnamed, monkeypatch, tmp_path):
    (tmp_path / "vsoa.pos").write_text(f"# address port\n\n127.0.0.1 x\n127.0.0.1 {unnamed.place[1]}\n")
    monkeypatch.setenv("VSOA_POS_FILE", str(tmp_path / "vsoa.pos"))
    monkeypatch.setenv("VSOA_POS_SERVER", "x:y")
    assert ours.lookup("myserv") == SERVER and ours.lookup("other") is None


# -- robots


def test_a_robot_is_on_the_server_that_the_name_now_means_at_its_first_try_or_second():
    """Within 5 s: 1 s before each try, 2 s at most for the position service; not until it would have pinged again."""
    told, ups = [], []
    client = ours.Client()
    client.onmessage = lambda client, url, payload, quick: told.append(url)
    client.onconnect = lambda client, is_up, info: ups.append(is_up)
    with process("host") as second, Names(ours) as names:
        with process("official") as first:
            names.names["myserv"] = first
            client.robot("vsoa://myserv", keepalive=60)
            eventually(lambda: client.connected, bool)
            client.subscribe(["/m", "/n/"])
            client.fetch("/pub", payload=ours.Payload({"url": "/m"}))
            eventually(lambda: told[:], lambda urls: urls == ["/m"])
            names.names["myserv"] = second
            asked = names.asked.count("myserv")
        eventually(lambda: ups[:], lambda states: states == [True, False, True])
        assert names.asked.count("myserv") - asked <= 2
        client.fetch("/pub", payload=ours.Payload({"url": "/n/x"}))
        eventually(lambda: told[:], lambda urls: urls == ["/m", "/n/x"])
        client.close()
        assert not client.connected


def test_a_robot_leaves_a_server_that_is_silent_for_some_pings():
    pings, client = [], ours.Client()
    with socket.create_server(("127.0.0.1", 0)) as door:
        client.robot("vsoa://{}:{}".format(*door.getsockname()), keepalive=0.1)
        link, _ = door.accept()
        with link:
            link.settimeout(WAIT_S)
            receiver = wire.Receiver()
            assert receiver.feed(link.recv(4096))[0][0] == wire.SERVINFO
            link.sendall(WELCOME)
            while data := link.recv(4096):
                pings += receiver.feed(data)
        client.close()
    # four have to be lost, each for as long as one or two more are sent; ten are 1 s here, 30 s at the usual pace
    assert {packet[0] for packet in pings} == {wire.PINGECHO} and 4 <= len(pings) <= 10


# -- on a board


@pytest.fixture(scope="module")
def node():
    with VirtualBoard(mpy=True, files={"modules/LM_robot.py": ROBOT}, config={"ntphost": "n/a"}) as board:
        yield board


def test_a_board_knows_its_position_service_by_a_file_of_its_own(node, names):
    (node.dir / "etc").mkdir(exist_ok=True)
    (node.dir / "etc/vsoa.pos").write_text(f"127.0.0.1 x\n\nlocalhost {names.place[1]}\n")
    with process("host") as names.names["echo"]:
        assert node.shell("vsoa call vsoa://echo/echo [1,2]") == "[1, 2]"
    assert node.shell("vsoa call vsoa://nobody/echo") == "no reply: not found"


def test_a_robot_on_a_board_follows_a_name_with_its_subscriptions(node, names):
    (node.dir / "etc").mkdir(exist_ok=True)
    (node.dir / "etc/vsoa.pos").write_text("{} {}\n".format(*names.place))

    def told(place, url, state):
        assert ours.fetch("vsoa://{}:{}/pub".format(*place), payload=ours.Payload({"url": url}), timeout=WAIT_S)[2] == 0
        eventually(lambda: node.shell("robot state"), lambda said: said == str(state))

    with process("host") as second:
        with process("host") as names.names["robot"]:
            assert node.shell("robot go vsoa://robot") == "goes"
            eventually(lambda: node.shell("robot state"), lambda said: said == "[[True], [], []]")
            assert node.shell("robot subscribe bad", "robot subscribe /m").split() == ["True", "True"]
            eventually(lambda: node.shell("robot state"), lambda said: said == "[[True], [], ['/m']]")
            told(names.names["robot"], "/m", [[True], ["/m"], ["/m"]])
            names.names["robot"] = second
            asked = names.asked.count("robot")
        eventually(lambda: node.shell("robot state"), lambda said: said.startswith("[[True, False, True]"))
        assert names.asked.count("robot") - asked <= 2
        told(second, "/m", [[True, False, True], ["/m", "/m"], ["/m"]])
        assert node.shell("robot stop") == "stopped"
