"""The node as a VSOA server: its settings, files, password and TLS, and how many it serves in how little heap."""
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from micrOS.source import vsoa as ours
from micrOS.source.pure import vsoa as wire
from tests.device.test_vsoa import HELLO, OURS, ROOT, WAIT_S, Heard, Raw, free_port, is_up, official, process, rpc
from tests.device.test_vsoa_more import echoing, keys  # noqa: F401 - keys is a fixture
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.slow]
PORT, PASSWORD = 3111, "secret99"
HEAP = "import sys\n\ndef loaded():\n    return str([name for name in sys.modules if 'vsoa' in name])\n"


@pytest.fixture(scope="module")
def node():
    config = {"ntphost": "n/a", "vsoa": True, "vsoaport": PORT, "appwd": PASSWORD}
    with VirtualBoard(mpy=True, config=config) as board:
        yield board


@pytest.fixture
def heard(node):
    made = Heard(official, (node.address, PORT))
    assert made.code == 0
    yield made
    made.client.close()


def setting(board, key, value):
    assert board.shell("conf", f"{key} {value}", "noconf").strip() == "Saved"


# -- settings


def test_a_setting_is_read_and_written(heard, node):
    rows = (("socmax", 0, None, 0, 2), ("socmax", 1, {"value": 3}, 0, 3), ("socmax", 1, "2", 0, 2),
            ("appwd", 0, None, 0, "********"), ("appwd", 1, {"value": PASSWORD}, 0, "********"))
    for key, method, param, status, value in rows:
        header, payload = heard.ask(f"/conf/{key}", param, method=method)
        assert (header.status, payload.param) == (status, {"result": value}), key
    everything = heard.ask("/conf/")[1].param["result"]
    assert everything["vsoaport"] == PORT and everything["appwd"] == "********"
    assert node.shell("conf", "socmax", "noconf").strip() == "2"


def test_a_setting_that_is_refused_says_why(heard):
    rows = (("nothing", 0, None, 3, "no setting nothing; GET /conf/ has them all"),
            ("socport", 1, {"value": 99999}, 128, "socport takes 1 to 65535, got 99999"),
            ("socport", 1, None, 128, "socport takes a whole number, got None"),
            ("socport", 1, [1], 128, "socport takes a whole number, got [1]"))
    for key, method, param, status, why in rows:
        header, payload = heard.ask(f"/conf/{key}", param, method=method)
        assert (header.status, payload.param) == (status, {"error": why})


# -- files


def moved(heard, name, data=None, upto=None, **param):
    """What the stream of a file said to its end, or (status, error). data: to write; upto: bytes that are sent"""
    size = {} if data is None else {"size": len(data)}
    header, payload = heard.ask(f"/file/{name}", {"passwd": PASSWORD, **size, **param}, method=int(data is not None))
    if header.status:
        return header.status, payload.param["error"]
    said, over = [], threading.Event()

    def onlink(stream, is_connected):
        if not is_connected:
            over.set()
        elif data:                           # the public client resets a stream that is to send nothing
            stream.send(data[:upto])
            if upto is not None:
                stream.close()

    stream = heard.client.create_stream(header.tunid, onlink, lambda stream, data: said.append(bytes(data)))
    assert over.wait(WAIT_S) and stream
    return b"".join(said)


def test_a_file_goes_there_and_back(heard, node):
    for data in (b"", b"hello", os.urandom(50_000)):
        assert moved(heard, "x.bin", data) == b"ok\n"
        assert (node.dir / "x.bin").read_bytes() == data and moved(heard, "x.bin") == data


def test_the_stream_of_a_file_is_for_its_client_only(heard, node):
    (node.dir / "x.txt").write_bytes(b"mine")
    port = heard.ask("/file/x.txt", {"passwd": PASSWORD})[0].tunid
    with socket.create_connection((node.address, port), WAIT_S, ("127.0.0.2", 0)) as stranger:
        assert stranger.recv(100) == b""
    with socket.create_connection((node.address, port), WAIT_S) as own:
        assert own.recv(100) == b"mine"


def test_a_load_module_that_came_is_live_and_a_wrong_one_is_refused(heard):
    assert moved(heard, "LM_new.py", b"def x():\n    return 'new'\n") == b"ok\n"
    assert heard.ask("/new/x")[1].param == {"result": "new"}
    assert moved(heard, "LM_new.py", b"def x(:") == b"LM_new.py: does not compile, line 1: invalid syntax\n"
    assert heard.ask("/new/x")[1].param == {"result": "new"}


def test_a_file_that_is_cut_off_leaves_the_one_before(heard, node):
    assert moved(heard, "x.txt", b"before") == b"ok\n"
    assert moved(heard, "x.txt", b"after", upto=3) == b""
    assert eventually(lambda: moved(heard, "x.txt"), lambda said: said[0] != 128) == b"before"
    assert not (node.dir / "x.txt.new").exists()


def test_what_is_no_file_of_the_board_is_refused(heard, node):
    (node.dir.parent / "outside").write_text("of the host")
    rows = (("../outside", None, "a path inside / is needed"), ("../outside", b"1", "a path inside / is needed"),
            ("a/../../outside", None, "a path inside / is needed"), ("", None, "a path inside / is needed"),
            ("modules", None, "/modules is a folder"), ("nofolder/x", b"1", "there is no folder /nofolder"),
            ("modules", b"1", "there is a folder of this name"), ("none", None, "[Errno 2] ENOENT"))
    for name, data, why in rows:
        assert moved(heard, name, data) == (128, why), name
    assert moved(heard, "x", b"1", size="1")[0] == moved(heard, "x", b"1", size=-1)[0] == 128
    assert (node.dir.parent / "outside").read_text() == "of the host"


def test_files_want_the_password_where_the_node_is_open_too(heard):
    for wrong in (None, {}, {"passwd": "no"}, {"passwd": 1}, [PASSWORD]):
        header, payload = heard.ask("/file/node_config.json", wrong)
        assert header.status == 5 and "want the password" in payload.param["error"]


# -- password and place


def test_the_server_follows_its_settings(node):
    place = node.address, PORT
    setting(node, "auth", "True")
    assert eventually(lambda: Heard(ours, place).code, lambda code: code == 6)
    known = Heard(ours, place, passwd=PASSWORD)
    assert known.code == 0 and known.ask("/conf/socmax", {"value": 2}, method=1)[0].status == 0
    assert moved(known, "x.txt", b"1", passwd="") == b"ok\n"       # who has logged in need not say it again
    known.ask("/conf/appwd", {"value": "another99"}, method=1)
    assert eventually(lambda: Heard(ours, place, passwd="another99").code, lambda code: code == 0) == 0
    known.ask("/conf/appwd", {"value": PASSWORD}, method=1)
    known.ask("/conf/auth", {"value": False}, method=1)
    assert eventually(lambda: Heard(ours, place).code, lambda code: code == 0) == 0
    setting(node, "vsoaport", PORT + 1)
    eventually(lambda: (is_up((node.address, PORT + 1)), is_up(place)), lambda ups: ups == (True, False))
    setting(node, "vsoa", "False")
    eventually(lambda: is_up((node.address, PORT + 1)), lambda up: not up)
    setting(node, "vsoaport", PORT)
    setting(node, "vsoa", "True")
    eventually(lambda: is_up(place), bool)


def test_a_node_without_the_setting_does_not_load_the_package():
    with VirtualBoard(files={"modules/LM_heap.py": HEAP}, config={"ntphost": "n/a"}) as board:
        assert board.shell("heap loaded") == "[]"


# -- many


def test_eight_clients_in_192_kb_and_no_ninth():
    config = {"ntphost": "n/a", "vsoa": True, "vsoaport": PORT}
    with VirtualBoard(mpy=True, heap="192K", config=config) as board:
        raws = [Raw((board.address, PORT)) for _ in range(8)]
        for raw in raws:
            assert [row[2] for row in raw.say(HELLO + wire.encode(wire.SUBSCRIBE, url="/bus/all")).hear(2)] == [0, 0]
        for _ in range(5):
            for raw in raws:
                raw.say(rpc("/system/heartbeat", b"") + wire.encode(wire.PINGECHO))
            for raw in raws:
                assert [row[2] for row in raw.hear(2)] == [0, 0]
        raws[0].say(wire.encode(wire.DATAGRAM, url="/bus/all", param=b'{"message":7}'))
        for raw in raws:
            assert raw.hear()[0][5:7] == ("/bus/all", b'{"message":7}')
        with Raw((board.address, PORT)) as ninth:
            assert ninth.is_ended()
        assert "MemoryError" not in board.console()
        for raw in raws:
            raw.link.close()


def test_two_hundred_clients_of_a_host():
    with process("host") as place:
        raws = [Raw(place) for _ in range(200)]
        for raw in raws:
            raw.say(HELLO + wire.encode(wire.SUBSCRIBE, url="/m"))
        for raw in raws:
            assert [row[2] for row in raw.hear(2)] == [0, 0]
        raws[0].say(rpc("/pub", b'{"url":"/m"}'))
        for raw in raws:
            assert raw.hear()[0][5] in ("/m", "")
            raw.link.close()


# -- TLS of the board

SECURE = OURS + '''
import vsoa
from TaskManager import manager


def load(port):
    manager().start("vsoa.tls", build(vsoa, "").run("0.0.0.0", port, {"cert": "/cert.der", "key": "/key.der"}))
    return "up"


async def ask(address, port, name):
    client = vsoa.Client()
    code = await client.connect("vsoa://{}:{}".format(address, port), sslopt={"ca_cert": "/cert.der", "hostname": name})
    if code:
        return str(code)
    header, payload, code = await client.fetch("/echo", 0, vsoa.Payload({"a": 1}, b"x" * 5000))
    client.close()
    return str((code, payload.param, len(payload.data)))
'''


@pytest.fixture(scope="module")
def secure(keys):  # noqa: F811
    der = {f"{name}.der": Path(path + ".der").read_bytes() for name, path in zip(("cert", "key"), keys, strict=True)}
    with VirtualBoard(mpy=True, files={"modules/LM_peer.py": SECURE, **der}, config={"ntphost": "n/a"}) as board:
        board.shell(f"peer load {PORT}")
        eventually(lambda: is_up((board.address, PORT)), bool)
        yield board


@pytest.mark.parametrize("package", [ours, official], ids=["ours", "official"])
def test_a_board_serves_tls(secure, keys, package):  # noqa: F811
    heard = Heard(package, (secure.address, PORT), sslopt={"ca_cert": keys[0], "hostname": "localhost"})
    assert heard.code == 0 and heard.ask("/echo", [1], bytes(4000))[1].param == [1]
    assert heard.client.datagram("/d", None, True) is False
    header, said = heard.ask("/stream")[0], []
    stream = heard.client.create_stream(header.tunid, lambda *_: None, lambda stream, data: said.append(data))
    eventually(lambda: b"".join(map(bytes, said)), lambda text: text == b"server-says-hello")
    stream.close()
    heard.client.close()


def test_who_stalls_or_talks_nonsense_in_a_handshake_holds_up_nobody(secure, keys):  # noqa: F811
    place = secure.address, PORT
    assert Heard(ours, place, sslopt={}).code == 7
    with socket.create_connection(place), Raw(place) as nonsense:
        assert nonsense.say(b"GET / HTTP/1.0\r\n\r\n" * 3).is_ended()
        assert Heard(ours, place, sslopt={"ca_cert": keys[0], "hostname": "localhost"}).code == 0


@pytest.mark.parametrize("package", [ours, official], ids=["ours", "official"])
def test_a_board_asks_over_tls_and_only_whom_its_certificate_names(secure, keys, package):  # noqa: F811
    server, place = echoing(package, {"cert": keys[0], "key": keys[1]})
    assert secure.shell("peer ask {} {} localhost".format(*place)) == "(0, {'a': 1}, 5000)"
    assert secure.shell("peer ask {} {} other".format(*place)) == "7"
    assert secure.shell(f"peer ask 127.0.0.1 {free_port()} localhost") == "1"
    if package is ours:
        server.close()


# -- the command


def test_the_simulator_serves_vsoa_where_it_is_told(tmp_path):
    port = free_port()
    words = ["--simulate", "--address", "auto", "--dir", str(tmp_path / "flash"), "--vsoa-port", str(port), "--leash"]
    with subprocess.Popen([sys.executable, ROOT / "devToolKit.py", *words], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as running:
        address = json.loads(running.stdout.readline().removeprefix(b"ready "))["shell"][0]
        url = f"vsoa://{address}:{port}/conf/devfid"
        assert eventually(lambda: ours.fetch(url, timeout=1), lambda got: got[2] == 0)[1].param == {"result": "node01"}
        running.stdin.close()


# -- the examples


def told(node, folder, *words):
    """What examples/vsoa_node.py says to these words."""
    place = {"VSOA_NODE": f"vsoa://{node.address}:{PORT}", "VSOA_PASSWORD": PASSWORD}
    done = subprocess.run([sys.executable, ROOT / "examples" / "vsoa_node.py", *words], capture_output=True, text=True,
                          timeout=30, cwd=folder, env={**os.environ, **place, "PYTHONPATH": str(ROOT)})
    return (done.stdout + done.stderr).strip()


def test_the_example_of_a_client_uses_a_node(node, tmp_path):
    eventually(lambda: is_up((node.address, PORT)), bool)
    assert told(node, tmp_path, "call", "system/heartbeat") == "<3 heartbeat <3"
    assert told(node, tmp_path, "conf", "socmax", "3") == "3"
    assert told(node, tmp_path, "conf", "socmax", "no").endswith("{'error': 'socmax takes a whole number, got no'}")
    (tmp_path / "lamp.txt").write_bytes(bytes(30_000))
    assert told(node, tmp_path, "put", "lamp.txt") == "ok"
    assert told(node, tmp_path, "get", "lamp.txt") == "30000 bytes"


def test_the_example_of_a_server_serves_a_node(node):
    port = free_port()
    with subprocess.Popen([sys.executable, ROOT / "examples" / "vsoa_server.py", str(port)], stdout=subprocess.PIPE,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}) as running:
        try:
            assert running.stdout.readline().startswith(b"serving")
            ask = f"vsoa call vsoa://127.0.0.1:{port}/sum"
            assert eventually(lambda: node.shell(f"{ask} [1,2,3]"), lambda said: "no reply" not in said) == "{'sum': 6}"
            assert "2 {'error': 'a list of numbers" in node.shell(f"{ask} five")
        finally:
            running.kill()
