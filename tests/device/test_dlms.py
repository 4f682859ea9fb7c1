"""A DLMS meter read by a node: over TCP, a UART and the frames of the other driver; in every way it can go wrong."""
import contextlib
import itertools
import json
import socket
import struct
import threading

import pytest

from micrOS.source.pure import quectel
from micrOS.source.pure.rfc1662 import QUECTEL, RECEIVERS, encode
from tests.device.test_meter import Server, eventually, patiently
from toolkit.simulator import VirtualBoard
from toolkit.simulator.models.dlms_meter import DlmsMeter, Security
from toolkit.simulator.models.dlms_meter_lines import Faults, HdlcStation, Opening, TcpMeter, WrapperLine, serve_stream
from toolkit.simulator.models.dlms_meter_objects import House, house_objects

NOON = 1_704_196_800.0                       # 2024-01-02 12:00 UTC
KEYS = (bytes(range(16)), bytes(range(0xD0, 0xE0)))
TITLE = "4d4d4d0000bc614e"
LLS, GMAC = 1, 5
COUNTERS = itertools.count(1, 10_000)
QUICK = "wait_ms=250"
PROBE = """
import gc

def used():
    gc.collect()
    return gc.mem_alloc()
"""


class Meter:
    """One that listens on both lines; `faults` are of either."""

    def __init__(self, rows=200, **security):
        self.house = House(lambda: NOON)
        self.faults = Faults()
        # one node meets many meters with the same keys: each counts on where the last one was
        security.setdefault("counter", next(COUNTERS))
        self.device = DlmsMeter(house_objects(self.house, rows), Security(**security))
        self._wrapper = TcpMeter(lambda say: WrapperLine(self.device, say, self.faults))
        self.said = []                       # octets of each frame over HDLC
        self._hdlc = TcpMeter(lambda say: HdlcStation(self.device, self._noted(say), self.faults))
        self.ports = {"wrapper": self._wrapper.port, "hdlc": self._hdlc.port}
        self.energy = f"{self.house.deci_wh(NOON) / 10:.1f} Wh"

    def _noted(self, say):
        def noted(octets):
            self.said.append(len(octets))
            say(octets)
        return noted

    def close(self):
        self._wrapper.close()
        self._hdlc.close()


@pytest.fixture
def make_meter():
    made = []

    def make(**options):
        made.append(Meter(**options))
        return made[-1]
    yield make
    for meter in made:
        meter.close()


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(heap="512K", files={"LM_probe.py": PROBE}, config={"ntphost": "n/a"}) as running:
        yield running


def reach(board, meter, line="wrapper", words=""):
    board.shell(f"meter dlms host=127.0.0.1 port={meter.ports[line]} line={line} inside=False opening=False "
                f"auth=none cipher=False title=\"\" wait_ms=3000 pdu=512 frames=1 information=128 {words}")


def set_keys(board, keys=KEYS, title=TITLE):
    assert board.shell(f"meter secret ek=\"{keys[0].hex()}\" ak=\"{keys[1].hex()}\" title=\"{title}\"") == "kept"


def used(board):
    """Twice: the first question may have loaded the module."""
    return int(board.shell("probe used", "probe used").split()[-1])


LINES = ("wrapper", "hdlc")


@pytest.mark.parametrize("line", LINES)
def test_values_come_with_their_units(board, make_meter, line):
    meter = make_meter()
    reach(board, meter, line)
    assert board.shell("meter read 1.0.1.8.0.255") == meter.energy
    assert board.shell("meter read 1-0:32.7.0") == "230.0 V"
    assert board.shell("meter read 0.0.96.1.0") == "SN12345678"
    assert board.shell("meter read 1.0.1.8.0 attribute=3") == "(-1, 30)"
    assert board.shell("meter energy").split("\n")[0].strip() == "import: " + meter.energy
    assert len(board.shell("meter read 0.0.96.1.9")) == 1400


@pytest.mark.parametrize("words, most, frames", [("", 128, 6), ("frames=3", 128, 6), ("information=600", 600, 2),
                                                 ("frames=7 information=300", 300, 3)])
def test_a_long_value_comes_in_frames_as_large_as_the_node_takes(board, make_meter, words, most, frames):
    meter = make_meter()
    reach(board, meter, "hdlc", f"pdu=1024 {words}")
    meter.said.clear()
    assert len(board.shell("meter read 0.0.96.1.9")) == 1400
    assert most < max(meter.said) < most + 16 and sum(size > 70 for size in meter.said) == frames


class GuruxLine:
    """The server of gurux-dlms on a connection; it takes whole frames, as they come on loopback."""

    def __init__(self, meter, say):
        self._meter, self._say = meter, say

    def feed(self, octets):
        answer = self._meter.hear(octets)
        if answer:
            self._say(answer)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("auth", ["none", "lls"])
def test_a_node_reads_the_meter_of_another_author(board, make_meter, line, auth):
    pytest.importorskip("gurux_dlms")
    from gurux_dlms.enums import InterfaceType

    from tests.simulator.gurux_meter import LONG, GuruxMeter

    interface = {"wrapper": InterfaceType.WRAPPER, "hdlc": InterfaceType.HDLC}[line]
    password = b"12345678" if auth == "lls" else None
    meter = make_meter()
    with TcpMeter(lambda say: GuruxLine(GuruxMeter(interface, password), say)) as foreign:
        meter.ports[line] = foreign.port
        board.shell('meter secret password="12345678"')
        reach(board, meter, line, f"auth={auth} pdu=128")
        assert board.shell("meter read 1.0.1.8.0") == "123456.7 Wh"
        assert board.shell("meter read 1.0.1.8.0 attribute=3") == "(-1, 30)"
        assert board.shell("meter read 0.0.96.1.9") == LONG.hex()          # in blocks of 128 octets


ADDRESSES = (("address=1", "03"), ("address=1 octets=2", "0201"), ("address=1 physical=17", "0223"),
             ("address=1 physical=17 octets=4", "00020023"), ("address=1000 physical=5000", "0ed04e11"))


@pytest.mark.parametrize("words, octets", ADDRESSES)
def test_a_meter_has_an_address_of_one_two_or_four_octets(board, make_meter, words, octets):
    meter = make_meter()
    with TcpMeter(lambda say: HdlcStation(meter.device, say, address=bytes.fromhex(octets))) as line:
        meter.ports["hdlc"] = line.port
        reach(board, meter, "hdlc", "physical=-1 octets=0 " + words)
        assert board.shell("meter read 1.0.1.8.0") == meter.energy
        reach(board, meter, "hdlc", "address=1 physical=-1 octets=0")


@pytest.mark.parametrize("line", LINES)
def test_the_clock_is_read_and_set(board, make_meter, line):
    meter = make_meter()
    reach(board, meter, line)
    assert board.shell("meter clock") == "2024-01-02 12:00:00"
    assert board.shell("meter clock 2024-02-29T08:00") == "2024-02-29 08:00:00"
    assert board.shell("meter clock") == "2024-02-29 08:00:00"


def test_the_switch_opens_and_closes(board, make_meter):
    meter = make_meter()
    reach(board, meter)
    assert board.shell("meter disconnect") == "disconnected" and not meter.house.is_on
    assert board.shell("meter reconnect") == "connected" and meter.house.is_on


def test_the_objects_are_listed(board, make_meter):
    meter = make_meter()
    reach(board, meter)
    lines = board.shell("meter objects").split("\n")
    assert lines[-1] == f"{len(meter.device.objects)} objects"
    assert "1.0.1.8.0.255          register" in lines


@pytest.mark.parametrize("line", LINES)
def test_rows_of_a_profile_are_chosen_by_time_or_number(board, make_meter, line):
    meter = make_meter()
    reach(board, meter, line)
    lines = board.shell("meter profile from=2024-01-02T11:30 to=2024-01-02T12:00").split("\n")
    assert lines[0] == "0.0.1.0.0.255; 1.0.1.8.0.255; 1.0.32.7.0.255"
    assert [row[:19] for row in lines[1:-1]] == [f"2024-01-02 {time}:00" for time in ("11:30", "11:45", "12:00")]
    assert lines[-2] == f"2024-01-02 12:00:00; {meter.energy}; 230.0 V"
    assert board.shell("meter profile last=2").split("\n")[1:] == [*lines[2:4], "2 rows"]
    assert board.shell("meter profile from=2030-01-01").split("\n")[-1] == "0 rows"


def ways():
    return (({"least": LLS}, "auth=lls"), ({"least": GMAC, "keys": KEYS}, "auth=gmac"),
            ({"keys": KEYS, "must_cipher": True}, "cipher=True"),
            ({"least": GMAC, "keys": KEYS, "must_cipher": True}, "auth=gmac cipher=True"))


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("security, words", ways())
def test_every_way_of_security_is_spoken(board, make_meter, line, security, words):
    meter = make_meter(**security)
    reach(board, meter, line, words)
    board.shell('meter secret password="12345678"')
    set_keys(board)
    assert board.shell("meter read 1.0.1.8.0") == meter.energy
    assert board.shell("meter profile last=60").split("\n")[-1] == "60 rows"
    assert board.shell("meter disconnect") == "disconnected"


# -- on a UART
def cable(board, meter, make=None):
    """The meter on the cable of UART(1)."""
    return serve_stream(board.cable(1), make or (lambda say: HdlcStation(meter.device, say, meter.faults)))


def test_a_meter_hangs_on_the_uart(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter()
    board.shell("meter dlms uart=1 baud=9600")
    with cable(board, meter):
        assert board.shell("meter read 1.0.1.8.0") == meter.energy
        assert board.uart(1)["baud"] == 0        # it lets go of the line


def test_an_optical_head_opens_at_300_baud_and_goes_on_at_what_the_meter_says(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter()
    board.shell("meter dlms uart=1 opening=True")
    seen = []

    def opening(say):
        def faster(baud):
            seen.append((board.uart(1)["bits"], board.uart(1)["baud"], baud))
        return Opening(HdlcStation(meter.device, say), say, faster)
    with cable(board, meter, opening):
        assert board.shell("meter read 1.0.1.8.0") == meter.energy
    assert seen == [(7, 300, 9600)]


def test_a_meter_is_read_inside_the_frames_of_the_other_driver_and_then_they_go_on_to_the_server(
        make_board, make_meter):
    board, meter, says = make_board(heap="512K"), make_meter(), []
    board.shell("meter serial uart=1", "meter dlms inside=True")

    def framed(say):
        says.append(say)
        return InFrames(lambda answer: HdlcStation(meter.device, answer), say)
    with cable(board, meter, framed), Server() as server:
        board.shell(f"meter passthrough 127.0.0.1 {server.port}")
        server.accept()
        assert board.shell("meter read 1.0.1.8.0") == meter.energy
        assert board.shell("meter profile last=30").split("\n")[-1] == "30 rows"
        says[0](encode(quectel.TRANSPARENT, quectel.SERIA_NET, b"for the server", QUECTEL))
        eventually(lambda: bytes(server.heard), lambda heard: heard == b"for the server")


class InFrames:
    """What is between the other driver and a DLMS line: 0x2100 frames."""

    def __init__(self, make, say):
        self._receiver = RECEIVERS[QUECTEL]()
        self._line = make(lambda data: say(encode(quectel.TRANSPARENT, quectel.SERIA_NET, data, QUECTEL)))

    def feed(self, octets):
        for protocol, _, data in self._receiver.feed(octets):
            if protocol == quectel.TRANSPARENT:
                self._line.feed(bytes(data))


# -- refused
@pytest.mark.parametrize("security, words, why", [
    ({"least": LLS}, "auth=none", "mechanism is required"),
    ({"least": LLS, "password": b"other"}, "auth=lls", "authentication failure"),
    ({"least": GMAC, "keys": (bytes(16), KEYS[1])}, "auth=gmac", "other keys"),
    ({"keys": (bytes(16), KEYS[1])}, "cipher=True", "no reason given"),
    ({"keys": KEYS}, "cipher=True title=\"4142434445464748\"", "calls itself"),
    ({"keys": KEYS, "title": bytes.fromhex(TITLE)}, "cipher=True", "not recognized"),
    ({}, "auth=gmac", "not recognized"),
])
def test_who_is_refused_reads_the_reason(board, make_meter, security, words, why):
    meter = make_meter(**security)
    reach(board, meter, "wrapper", words)
    board.shell('meter secret password="12345678"')
    set_keys(board)
    answer = board.shell("meter read 1.0.1.8.0")
    assert answer.startswith("exec_lm_core LM_meter->read: ") and why in answer
    assert "Wh" not in answer


@pytest.mark.parametrize("line, why", [
    ("meter read 1.2.3", "an OBIS code is like"), ("meter read 1.0.99.99.99", "object undefined"),
    ("meter profile from=yesterday", "a moment is like"), ("meter profile since=2024-01-01", "takes from="),
    ("meter clock 2024-13-01", "1 to 12"), ("meter dlms speed=3", "is none of"),
    ("meter dlms auth=md5", "one of none, lls, gmac"), ("meter dlms pdu=3", "64 to 65535"),
    ("meter secret ek=00 ak=00", "32 hex digits"), ("meter secret ek=00", "set together"),
    ("meter secret title=xyz", "16 hex digits"), ("meter secret title=1234567812345678", "16 hex digits in quotes"),
    ("meter secret password=00000000", "in quotes"), ("meter dlms title=1234", "16 hex digits in quotes"),
    ("meter secret counter=-1", "never used again"),
    ("meter readings 1.0.1.8.0 seconds=0", "seconds is a number above 0, got 0"),
    ("meter readings 1.0.1.8.0 seconds=often", "seconds is a number above 0, got often"),
    ("meter readings energy", "an OBIS code is like 1.0.1.8.0.255, got energy"),
])
def test_a_slip_gets_one_line_that_says_what_is_right(board, make_meter, line, why):
    reach(board, make_meter())
    answer = board.shell(line)
    assert why in answer and "\n" not in answer


def test_keys_that_are_not_known_are_asked_for(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter()
    reach(board, meter, "wrapper", "cipher=True")
    assert "set ek, ak and title first" in board.shell("meter read 1.0.1.8.0")


def test_no_secret_is_shown(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter(least=GMAC, keys=KEYS)
    reach(board, meter, "wrapper", "auth=gmac")
    set_keys(board)
    board.shell("meter secret password=verysecret")
    board.shell("meter read 1.0.1.8.0")
    shown = board.console() + board.shell("meter dlms") + board.shell("system alarms") + board.shell("meter status")
    assert "verysecret" not in shown and KEYS[0].hex() not in shown and KEYS[1].hex() not in shown


# -- faults
def recovers(board, meter):
    meter.faults.__dict__.update(vars(Faults()))
    assert board.shell("meter read 1.0.1.8.0") == meter.energy


def failed(board, line="meter read 1.0.1.8.0"):
    """The last line of the answer, which says why."""
    answer = board.shell(line).split("\n")[-1]
    assert answer.startswith("exec_lm_core") and "Wh" not in answer
    return answer


@pytest.mark.parametrize("line", LINES)
def test_a_silent_meter_is_an_error_and_the_next_question_is_answered(board, make_meter, line):
    meter = make_meter()
    reach(board, meter, line, QUICK)
    meter.faults.silent = True
    assert "gave no answer" in failed(board)
    recovers(board, meter)


@pytest.mark.parametrize("line", LINES)
def test_a_meter_that_falls_silent_amid_blocks_is_an_error(board, make_meter, line):
    meter = make_meter()
    reach(board, meter, line, QUICK)
    meter.device.reset_after = 3
    failed(board, "meter profile")
    assert meter.device.restarts == 1
    recovers(board, meter)


@pytest.mark.parametrize("fault", ["damage", "lose", "deaf"])
def test_over_hdlc_a_damaged_or_lost_frame_is_said_again(board, make_meter, fault):
    meter = make_meter()
    reach(board, meter, "hdlc", QUICK)
    setattr(meter.faults, fault, 2)
    assert board.shell("meter read 1.0.1.8.0") == meter.energy


@pytest.mark.parametrize("fault", ["damage", "lose", "deaf"])
def test_over_tcp_a_damaged_or_lost_answer_is_an_error(board, make_meter, fault):
    meter = make_meter()
    reach(board, meter, "wrapper", QUICK)
    setattr(meter.faults, fault, 1)
    failed(board)
    recovers(board, meter)


@pytest.mark.parametrize("line", LINES)
def test_a_slow_meter_is_waited_for(board, make_meter, line):
    meter = make_meter()
    reach(board, meter, line)
    meter.faults.delay_s = 0.05
    assert board.shell("meter read 1.0.1.8.0") == meter.energy


def test_a_meter_that_does_not_take_the_connection_is_an_error(make_board):
    board = make_board(heap="512K", turn=True)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as door, contextlib.ExitStack() as queue:
        for _ in range(3):                   # whoever comes now is not even refused
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(door.getsockname())
        board.shell(f"meter dlms host=127.0.0.1 port={door.getsockname()[1]} line=wrapper")
        assert "does not take the connection" in patiently(board, "meter read 1.0.1.8.0", 11)


def test_a_meter_that_is_not_there_is_an_error(board, make_meter):
    meter = make_meter()
    reach(board, meter)
    meter.close()
    assert "exec_lm_core LM_meter->read: " in board.shell("meter read 1.0.1.8.0")


def test_a_replayed_answer_is_told_and_not_shown(board, make_meter):
    meter = make_meter(keys=KEYS)
    reach(board, meter, "wrapper", "cipher=True")
    set_keys(board)
    assert board.shell("meter read 1.0.1.8.0") == meter.energy
    meter.device.replays = True
    assert "a replay" in failed(board)
    meter.device.replays = False
    recovers(board, meter)


class Rude:
    """Answers any connection with these octets, and stays."""

    def __init__(self, octets):
        self._door = socket.create_server(("127.0.0.1", 0))
        self.ports = {"wrapper": self._door.getsockname()[1], "hdlc": self._door.getsockname()[1]}
        self._octets, self._links = octets, []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                link, _ = self._door.accept()
            except OSError:
                return
            self._links.append(link)
            link.recv(4096)
            link.sendall(self._octets)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for link in [*self._links, self._door]:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()


AARE = "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000101dffff0007"


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("octets", [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(5000), b"\x7e" * 3000, b"\0\x01\0\x01\0\x10\xff\xff" + bytes(3000),
    b"\0\x01\0\x01\0\x10\0\x05\x61\x84\xff\xff\xff", struct.pack(">4H", 1, 1, 16, 4) + b"\x61\x02\xa2\x00",
    struct.pack(">4H", 1, 1, 16, 43) + bytes.fromhex(AARE)])
def test_a_server_that_is_no_meter_is_an_error_and_costs_nothing(board, octets, line):
    with Rude(octets) as rude:
        reach(board, rude, line, "wait_ms=100")
        before = used(board)
        failed(board)
    assert used(board) - before < 12_000             # the first question of all makes what stays


# -- counters
def counters(board, meter, count):
    """The invocation counters that the meter has heard last, after each of so many readings."""
    heard = []
    for _ in range(count):
        assert board.shell("meter read 1.0.1.8.0") == meter.energy
        heard.append(meter.device.security.heard[bytes.fromhex(TITLE)])
    return heard


def test_counters_only_grow_over_reboots_and_power_cuts(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter(keys=KEYS, must_cipher=True)
    reach(board, meter, "wrapper", "cipher=True")
    set_keys(board)
    heard = counters(board, meter, 3)
    for restart in (board.reset, board.power_cycle, board.reset):
        restart()
        board.wait_ready()
        heard += counters(board, meter, 2)
    assert heard == sorted(set(heard))


def test_a_counter_is_kept_before_it_is_used(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter(keys=KEYS, must_cipher=True)
    reach(board, meter, "wrapper", "cipher=True")
    set_keys(board)
    kept = set()
    for _ in range(24):
        (last,) = counters(board, meter, 1)
        kept.add(json.loads((board.dir / ".dlms.key").read_text())["counter"])
        assert max(kept) > last
    assert len(kept) > 1


def test_a_lost_key_file_is_an_error_not_a_new_beginning(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter(keys=KEYS, must_cipher=True)
    reach(board, meter, "wrapper", "cipher=True")
    set_keys(board)
    last = counters(board, meter, 1)[0]
    (board.dir / ".dlms.key").write_text("{torn")
    board.reset()
    board.wait_ready()
    assert "cannot be read" in board.shell("meter read 1.0.1.8.0")
    assert meter.device.security.heard[bytes.fromhex(TITLE)] == last


def test_keys_that_come_back_do_not_begin_anew(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter(keys=KEYS, must_cipher=True)
    reach(board, meter, "wrapper", "cipher=True")
    set_keys(board)
    before = counters(board, meter, 2)
    set_keys(board, (bytes(16), bytes(16)))
    set_keys(board)
    assert counters(board, meter, 1)[0] > before[-1]


# -- on the bus
def test_readings_are_told_on_the_bus_and_a_silent_meter_once(board, make_meter):
    meter = make_meter()
    reach(board, meter, "wrapper", QUICK)
    with board.session() as listener:
        assert board.shell("meter readings 1.0.1.8.0 1.0.99.99.99 seconds=0.05") == "2 values every 0.05 s"
        heard = listener.send("bus watch meter.reading messages=4 seconds=5").split("\n")
    assert heard[0] == f"meter.reading: ('1.0.1.8.0.255', '{meter.energy}')"
    assert heard[1] == "meter.reading: ('1.0.99.99.99.255', 'the meter says: object undefined')"
    meter.faults.silent = True
    with board.session() as listener:
        heard = listener.send("bus watch meter.link messages=1 seconds=5").split("\n")
        assert heard[0].startswith("meter.link: the meter gave no answer")
        assert listener.send("bus watch meter.link messages=1 seconds=1") == "0 messages"
    board.shell("meter readings")
    meter.faults.silent = False
    assert board.shell("meter read 1.0.1.8.0") == meter.energy


# -- memory: a board of 192 KB
@pytest.fixture(scope="module")
def small():
    with VirtualBoard(heap="192K", mpy=True, files={"LM_probe.py": PROBE}, config={"ntphost": "n/a"}) as running:
        yield running


SAMPLE_OCTETS = 4096


def with_heap(board, line):
    """(lines, heap in use after each few thousand octets of them)"""
    with board.session() as session, board.session() as other:
        session._link.sendall(line.encode() + b"\n")
        text, told = b"", []
        while not text.endswith(b"$ "):
            text += session._link.recv(65536)
            if len(text) > len(told) * SAMPLE_OCTETS:
                told.append(int(other.send("probe used")))
    return text.decode().split("\n")[:-1], told


@pytest.mark.parametrize("line, words", [("wrapper", ""), ("wrapper", "auth=gmac cipher=True")])
def test_3000_rows_stream_through_192_kb_with_a_flat_heap_and_leave_nothing(small, make_meter, line, words):
    meter = make_meter(rows=3000, keys=KEYS)
    reach(small, meter, line, words)
    set_keys(small)
    small.shell("meter profile last=3")
    before = used(small)
    lines, told = with_heap(small, "meter profile")
    assert lines[-1] == "3000 rows" and len(lines) == 3002
    assert lines[1][:19] == "2023-12-02 06:15:00" and lines[3000][:19] == "2024-01-02 12:00:00"
    amid = told[len(told) // 10:-len(told) // 10]
    assert len(amid) > 5 and max(amid) - min(amid) < 4096
    assert used(small) - before < 1024


def test_the_heaviest_ways_fit_into_192_kb(small, make_meter):
    meter = make_meter(least=GMAC, keys=KEYS, must_cipher=True)
    reach(small, meter, "hdlc", "auth=gmac cipher=True")
    set_keys(small)
    assert small.shell("meter clock 2024-02-29T08:00") == "2024-02-29 08:00:00"
    assert small.shell("meter profile from=2024-01-02T11:30 last=9").split("\n")[-1] == "9 rows"
    assert small.shell("meter disconnect") == "disconnected"


@pytest.mark.parametrize("octets, answer", [(3000, 3000 * "00"), (8000, "memory"), (9000, "more than 8192 octets")])
def test_a_value_that_is_too_large_is_told_in_one_line_and_the_node_goes_on(small, make_meter, octets, answer):
    meter = make_meter()
    meter.device.objects[1, bytes((0, 0, 96, 1, 9, 255))].attributes[2] = (9, bytes(octets))
    reach(small, meter)
    said = small.shell("meter read 0.0.96.1.9")
    assert answer in said and "\n" not in said
    assert small.shell("meter read 1.0.1.8.0") == meter.energy


def test_nothing_of_it_is_in_memory_before_it_is_asked_for(make_board):
    board = make_board(files={"LM_probe.py": "import sys\ndef loaded():\n    return sorted(sys.modules)\n"})
    loaded = board.shell("probe loaded")
    assert "meter" not in loaded and "axdr" not in loaded and "cosem" not in loaded
