"""--telnet: a port of loopback leads to a node, byte for byte."""
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from foreign import Node120, free_port

from toolkit.commands import main

simulator = pytest.importorskip("toolkit.simulator")
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@contextlib.contextmanager
def forwarded(device, *words):
    """(port, process) of a --telnet that runs; ended by Ctrl-C if it is still there."""
    process = subprocess.Popen([sys.executable, "devToolKit.py", "--telnet", device, *words], cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert select.select([process.stdout], [], [], 20)[0]
        line = process.stdout.readline()
        port = re.search(r"type: telnet 127\.0\.0\.1 (\d+)", line)
        assert port, line + process.stderr.read()
        yield int(port[1]), process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        for pipe in (process.stdout, process.stderr):
            pipe.close()


class Client:
    def __init__(self, port):
        self.link = socket.create_connection(("127.0.0.1", port), 10)

    def until(self, end):
        received = b""
        while not received.endswith(end):
            data = self.link.recv(4096)
            if not data:
                return received + b"<<EOF>>"
            received += data
        return received

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()


@pytest.fixture(scope="module")
def board():
    with simulator.VirtualBoard(name="node79", config={"socmax": 3}) as running:
        yield running


@pytest.fixture
def way(board):
    with forwarded(board.address) as (port, _):
        yield port


def test_a_client_talks_to_the_node(way):
    with Client(way) as client:
        assert client.until(b"$ ") == b"node79 $ "
        client.link.sendall(b"system heartbeat\r\n")
        assert client.until(b"$ ") == b"<3 heartbeat <3\nnode79 $ "
        client.link.sendall(b"exit\n")
        assert client.until(b"never").endswith(b"Bye!\n\n<<EOF>>")


def test_several_clients_have_a_session_each(way):
    with Client(way) as one, Client(way) as other:
        assert one.until(b"$ ") == other.until(b"$ ") == b"node79 $ "
        one.link.sendall(b"conf\n")
        assert one.until(b"$ ") == b"[configure] node79 $ "
        other.link.sendall(b"version\n")
        assert other.until(b"$ ").endswith(b"\nnode79 $ ")


def test_a_client_that_closes_its_side_gets_its_answers(way):
    with Client(way) as client:
        client.link.sendall(b"system heartbeat\nexit\n")
        client.link.shutdown(socket.SHUT_WR)
        assert b"<3 heartbeat <3\n" in client.until(b"<<never>>")


def test_telnet_negotiation_passes(way):
    with Client(way) as client:
        client.until(b"$ ")
        client.link.sendall(b"\xff\xfb\x18hello\r\n")
        assert client.until(b"$ ").startswith(b"hello:node79:")


def test_a_node_that_has_gone_is_told_to_the_client():
    with Node120() as node, forwarded(f"127.0.0.1:{node.port}") as (port, _):
        node.__exit__()
        with Client(port) as client:
            told = client.until(b"<<never>>").decode()
    assert "cannot be reached" in told and told.endswith("\n<<EOF>>")


def test_ctrl_c_ends_it_though_a_client_is_there(board):
    with forwarded(board.address) as (port, process), Client(port) as client:
        client.until(b"$ ")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read().strip() == ""


def test_it_listens_on_loopback_only(way):
    listening = Path("/proc/net/tcp")
    if not listening.exists():
        pytest.skip("only Linux tells it this way")
    rows = [line.split()[1] for line in listening.read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert f"0100007F:{way:04X}" in rows and f"00000000:{way:04X}" not in rows


def test_a_port_may_be_chosen_and_must_be_free(board, capsys):
    with forwarded(board.address, "--port", str(free_port())) as (port, _):
        assert main(["--telnet", board.address, "--port", str(port)]) == 2
    assert "--port" in capsys.readouterr().err
    assert main(["--telnet", board.address, "--port", "65536"]) == 2


def test_an_unknown_node_is_exit_code_3(capsys):
    assert main(["--telnet", "nobody"]) == 3
    assert main(["--telnet", f"127.0.0.1:{free_port()}"]) == 4
    assert os.linesep not in capsys.readouterr().out
