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
        self._hdlc = TcpMeter(lambda say: HdlcStation(self.device, say, self.faults))
        self.ports = {"wrapper": self._wrapper.port, "hdlc": self._hdlc.port}
        self.energy = f"{self.house.deci_wh(NOON) / 10:.1f} Wh"

    def hang_up(self):
        self._wrapper.hang_up()
        self._hdlc.hang_up()

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
                f"auth=none cipher=False title=\"\" wait_ms=3000 pdu=512 {words}")


def set_keys(board, keys=KEYS, title=TITLE):
    assert board.shell(f"meter secret ek=\"{keys[0].hex()}\" ak=\"{keys[1].hex()}\" title=\"{title}\"") == "kept"


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


def test_a_meter_is_read_inside_the_frames_of_the_other_driver(make_board, make_meter):
    board, meter = make_board(heap="512K"), make_meter()
    board.shell("meter serial uart=1")
    board.shell("meter dlms inside=True")

    def framed(say):
        return InFrames(lambda answer: HdlcStation(meter.device, answer), say)
    with cable(board, meter, framed):
        assert board.shell("meter read 1.0.1.8.0") == meter.energy
        assert board.shell("meter profile last=30").split("\n")[-1] == "30 rows"


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
    before = int(board.shell("probe used"))
    with Rude(octets) as rude:
        reach(board, rude, line, QUICK)
        failed(board)
    board.shell("probe used")
    assert int(board.shell("probe used")) - before < 24_000      # its first question may have loaded the module


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
    for _ in range(40):
        (last,) = counters(board, meter, 1)
        assert json.loads((board.dir / ".dlms.key").read_text())["counter"] > last


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


# -- memory
def test_3000_rows_stream_through_192_kb_and_leave_nothing(make_board, make_meter):
    board = make_board(heap="192K", mpy=True, files={"LM_probe.py": PROBE})
    meter = make_meter(rows=3000)
    reach(board, meter)
    board.shell("meter profile last=3")
    board.shell("probe used")
    before = int(board.shell("probe used"))
    for _ in range(3):
        lines = board.shell("meter profile").split("\n")
        assert lines[-1] == "3000 rows" and len(lines) == 3002
        assert lines[1][:19] == "2023-12-02 06:15:00" and lines[3000][:19] == "2024-01-02 12:00:00"
    assert int(board.shell("probe used")) - before < 1024


def test_nothing_of_it_is_in_memory_before_it_is_asked_for(make_board):
    board = make_board(files={"LM_probe.py": "import sys\ndef loaded():\n    return sorted(sys.modules)\n"})
    loaded = board.shell("probe loaded")
    assert "meter" not in loaded and "axdr" not in loaded and "cosem" not in loaded
