"""QFrame applications of QuecPython run unchanged: seen on the UART, a TCP server, the console and the shell."""
import json
import re
from pathlib import Path

import pytest

from tests.device import wire
from tests.device.test_meter import Server

WAIT_S = 50.0
RELAY = (Path(__file__).parents[2] / "examples/qframe_relay.py").read_text()
# The samples of the introduction. From spec/quecpython.md B and E (M1-M5): imports, names, arguments and what must come
# of them. From QFrame's public README and demo.py, read and not copied: M5 loops under `__main__`, client before UART.
M1 = """
from usr.qframe import Application, CurrentApp
app = Application('DTU')
app.config.from_json('/usr/dev.json')
app.config['UART'] = {'port': 2, 'baudrate': 9600}
print('M1', CurrentApp() is app, app.config['UART']['baudrate'], app.config['TCP_SERVER']['port'])
"""
M2 = """
class AppExtensionABC(object):
    def __init__(self, name, app=None):
        self.name = name
        if app:
            self.init_app(app)
    def init_app(self, app):
        app.append_extesion(self)
        raise NotImplementedError
    def load(self):
        raise NotImplementedError
from usr.qframe import Application
made = Application('a')
try:
    AppExtensionABC('one', made)
except NotImplementedError:
    print('M2', made.one.name, list(made.extensions))
"""
M3 = """
from usr.qframe import Application, AppExtensionABC
class ExtensionClass(AppExtensionABC):
    def init_app(self, app):
        app.append_extension(self)
    def load(self):
        print('M3 load')
made = Application('a')
ext = ExtensionClass(made)
print('M3', made.ExtensionClass is ext)
app2 = Application('b')
ext = ExtensionClass()
ext.init_app(app2)
print('M4', app2.ExtensionClass is ext, hasattr(app2, 'nothing'))
try:
    app2.nothing
except AttributeError as error:
    print('M4', error)
app2.mainloop()
"""
M5 = """
import checkNet
from usr.qframe import Application, CurrentApp
from usr.qframe import TcpClient, Uart
from usr.qframe.logging import getLogger

logger = getLogger(__name__)

def poweron_print_once():
    checkNet.CheckNetwork('Sample DTU', '1.0.0').poweron_print_once()

class BusinessClient(TcpClient):
    def recv_callback(self, data):
        logger.info('to the uart')
        CurrentApp().uart.write(data)

class UartService(Uart):
    def recv_callback(self, data):
        logger.info('to the server')
        if data == b'mistake':
            raise ValueError('of the program')
        CurrentApp().client.send(data)

def create_app(name='DTU', config_path='/code/dev.json'):
    _app = Application(name)
    _app.config.from_json(config_path)
    client = BusinessClient('client')
    client.init_app(_app)
    uart = UartService('uart')
    uart.init_app(_app)
    return _app

app = create_app()

if __name__ == '__main__':
    poweron_print_once()
    app.mainloop()
    print('M5', 'mainloop is over', __name__)
"""
CODE = """
import code.business
from code.business import rfc1662resolver, CurrentApp
import usr.business
print('C', code.business is usr.business, usr.business.rfc1662resolver is rfc1662resolver, __name__)
import os
print('C', 'dev.json' in os.listdir('/code'), open('/code/dev.json').read() == open('/usr/dev.json').read())
with open('/code/new.txt', 'w') as file:
    file.write('x')
print('C', open('/usr/new.txt').read(), os.stat('/code/new.txt')[6])
os.remove('/code/new.txt')
print('C', 'new.txt' in os.listdir('/usr'))
"""
OUTSIDE = """
from usr.qframe import CurrentApp, G
for ask in (CurrentApp, G):
    try:
        ask()
    except RuntimeError as error:
        print('O', error)
from usr.qframe import Application
app = Application()
g = G()
g.set('a', 1); g.b = 2
print('G', g.get('a'), g.get('b'), g.get('c', 3), g.setdefault('a', 9), g.setdefault('d', 4), G().d, app.name)
"""
NETWORK = """
import net
from usr.qframe import Application
switch = net.setModemFun
def setModemFun(*args):
    print('cfun', args)
    return switch(*args)
net.setModemFun = setModemFun
app = Application('net')
@app.network.register_net_callback
def told(args):
    print('told', args)
@app.network.register_sim_callback
def sim(state):
    print('sim', state)
class After:
    name = 'after'
    def load(self):
        print('loaded after')
app.append_extension(After())
"""


def eventually(get, is_wanted):
    return wire.eventually(get, is_wanted, WAIT_S)


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def start(make_board):
    """Function: a board with a QFrame program, started from the shell."""
    def run(program, port=9, **options):
        dev = {"TCP_SERVER": {"host": "127.0.0.1", "port": port, "timeout": 5, "keep_alive": 1},
               "UART": {"port": 1, "baudrate": 9600, "bytesize": 8, "parity": 0, "stopbits": 1, "flowctl": 0}}
        board = make_board(files={"usr/program.py": program, "usr/dev.json": json.dumps(dev)}, **options)
        answer = board.shell("qframe start program")
        assert answer == "program runs", answer + board.console()
        return board
    return run


def said(board, *parts):
    """Console once it has all these."""
    return eventually(board.console, lambda text: all(part in text for part in parts))


def test_m1_reads_its_settings_and_is_the_current_application(start):
    said(start(M1), "M1 True 9600 9")


def test_m2_an_extension_of_the_papers_registers_under_the_misspelt_name_too(start):
    said(start(M2), "M2 one ['network', 'one']")


def test_m3_and_m4_an_extension_without_a_name_has_that_of_its_class(start):
    said(start(M3), "M3 True", "M4 True False", "M4 the application has no extension nothing", "M3 load")


def test_code_is_another_word_for_usr(start):
    said(start(CODE), "C True True __main__", "C True True", "C x 1", "C False")


def test_outside_of_an_application_there_is_none(start):
    text = said(start(OUTSIDE), "G 1 2 3 1 4 4 app")
    assert text.count("O Working outside of application context.") == 2


def test_m5_the_relay_carries_bytes_from_the_uart_to_the_server_and_back(start, server):
    board = start(M5, server.port)
    with board.cable(1) as line:
        server.accept()
        text = said(board, "M5 mainloop is over __main__")
        assert "PROJECT_NAME     : Sample DTU" in text and "PROJECT_VERSION  : 1.0.0" in text
        line.sendall(b"mistake")
        said(board, "recv_callback of uart: ValueError: of the program")
        line.sendall(bytes(range(256)))
        eventually(lambda: bytes(server.heard), lambda heard: heard == bytes(range(256)))
        server.link.sendall(b"hello" * 400)
        line.settimeout(WAIT_S)
        heard = b""
        while len(heard) < 2000:
            heard += line.recv(4096)
        assert heard == b"hello" * 400
    assert "extensions: network, client, uart" in board.shell("qframe status")
    text = board.console()
    assert "[network][INFO] network is ready" in text
    assert "][__main__][INFO] to the server" in text and "][__main__][INFO] to the uart" in text


def test_a_server_that_goes_is_found_again_and_what_came_meanwhile_is_lost(start, server):
    board = start(RELAY, server.port, turn=True)
    with board.cable(1) as line:
        server.accept()
        server.hang_up()
        said(board, "tcp server has closed", "[client][INFO] tcp connected")
        server.accept()
        line.sendall(b"there")
        eventually(lambda: bytes(server.heard), lambda heard: heard == b"there")


def test_a_server_that_is_not_there_is_tried_every_ten_seconds(start, server):
    port = server.port
    server.__exit__()
    board = start(RELAY, port, turn=True)
    said(board, "tcp connect failed")
    board.clock.run(31)
    tries = board.console().count("tcp connect failed")
    assert 3 <= tries - 1 <= 4


def test_stop_ends_its_threads_and_it_starts_again(start, server):
    board = start(RELAY, server.port)
    server.accept()
    assert board.shell("qframe start program").endswith("program runs; one at a time: qframe stop")
    assert board.shell("qframe stop") == "program is stopped"
    assert board.shell("qframe status") == "none runs"
    assert board.shell("qframe start program") == "program runs"
    with board.cable(1) as line:
        server.accept()
        line.sendall(b"again")
        eventually(lambda: bytes(server.heard), lambda heard: heard.endswith(b"again"))


def test_the_boards_main_starts_at_boot_beside_the_shell(make_board, server):
    dev = {"TCP_SERVER": {"host": "127.0.0.1", "port": server.port}, "UART": {"port": 1}}
    board = make_board(files={"usr/main.py": RELAY, "usr/dev.json": json.dumps(dev)})
    server.accept()
    assert board.shell("qframe status").startswith("main\nextensions: network, uart, server")
    assert "OK alarm: 0" in board.shell("system alarms")


def test_stop_leaves_the_programs_of_quec_run_alone(make_board):
    board = make_board(files={"usr/other.py": "import utime\nwhile True:\n    utime.sleep(1)\n",
                              "usr/main.py": "import utime\nutime.sleep(3600)\n"})
    board.shell("quec run other", "qframe start")
    assert "quec other: waits" in board.shell("qframe status")
    assert board.shell("qframe stop") == "main is stopped"
    board.shell("qframe start")
    assert "quec other: waits" in board.shell("qframe status")


def test_a_program_that_fails_says_so_on_the_shell(make_board):
    board = make_board(files={"usr/program.py": "from usr.qframe import Application\n"
                                                "Application('a').config.from_json('/usr/none.json')\n"})
    assert board.shell("qframe start program") == 'exec_lm_core LM_qframe->start: "/usr/none.json" not exists!'
    assert board.shell("qframe status") == "none runs"


def test_the_network_is_brought_back_by_ever_harder_rules(start):
    """B6: three attempts of a minute, three more behind a switched radio, then a restart; a return starts anew."""
    board = start(NETWORK, turn=True)
    said(board, "network is ready", "loaded after")
    board.network(False)
    board.clock.run(15)
    said(board, "told (1, 0)")
    board.clock.run(2 * 62)
    assert "cfun" not in said(board, "attempt 2")
    board.network(True)
    board.clock.run(40)
    eventually(board.console, lambda text: text.count("network is ready") == 2 and "told (1, 1)" in text)
    board.network(False)
    board.clock.run(8 * 62)
    text = eventually(board.console, lambda text: text.count("rst:0x") == 2)
    again = text.rpartition("network is ready")[2]
    assert re.findall(r"attempt \d|cfun \(\d, 0\)", again) == [
        "attempt 1", "attempt 2", "attempt 3", "attempt 4", "cfun (0, 0)", "cfun (1, 0)", "attempt 5", "cfun (0, 0)",
        "cfun (1, 0)", "attempt 6", "cfun (0, 0)", "cfun (1, 0)", "attempt 7"]


def test_the_sim_in_and_out_is_told_and_the_application_waits_for_it(start):
    board = start(NETWORK, config={"cstmpmap": "simdet:34"})
    assert "loaded after" not in board.console()
    board.pins[34] = 0
    said(board, "sim 1", "loaded after")
    board.pins[34] = 1
    said(board, "sim 0")
    board.pins[34] = 0
    eventually(board.console, lambda text: text.count("sim 1") == 2)
