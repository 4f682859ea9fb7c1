"""The electricity meter on a UART of the board: asked, set, joined with a TCP server, on wires that lose octets."""
import json
import random
import socket
import subprocess
import sys
import threading

import pytest

from micrOS.source.pure import quectel
from micrOS.source.pure.rfc1662 import RFC1662, encode
from tests.device import wire
from tests.device.conftest import QUIET
from toolkit.link.shell import ShellLink
from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.models.meter import Meter, SerialMeter

PORT = 1
MEGABYTE = 1 << 20
RECORD = 600                         # bytes of a numbered record; one frame each
CUTS = 10
WAIT_S = 30.0                        # on a busy machine


@pytest.fixture(scope="module")
def node():
    with VirtualBoard(config=QUIET, turn=True) as running:
        yield running


@pytest.fixture
def board(node):
    """The node, which has not met a meter yet."""
    yield node
    node.uart(PORT, baud=0)
    node.shell("meter passthrough", "meter serial uart=1 baud=115200 profile=quectel", "meter close")


@pytest.fixture
def meter(board):
    with SerialMeter(board, PORT) as meter:
        yield meter


def eventually(get, is_wanted):
    return wire.eventually(get, is_wanted, WAIT_S)


class Server:
    """The TCP server; keeps what comes, in a thread of its own."""

    def __init__(self):
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(10)
        self.port = self._door.getsockname()[1]
        self.heard = bytearray()
        self.link = None

    def accept(self):
        if self.link:
            self.link.close()
        self.link, _ = self._door.accept()
        self.link.settimeout(20)
        threading.Thread(target=self._listen, args=(self.link,), daemon=True).start()
        return self

    def hang_up(self):
        self.link.shutdown(socket.SHUT_RDWR)
        self.link.close()

    def _listen(self, link):
        try:
            while data := link.recv(65536):
                self.heard += data
        except OSError:
            pass

    def __enter__(self):
        return self

    def close(self):
        """Neither this connection nor another."""
        self._door.close()
        self.hang_up()

    def __exit__(self, *_):
        self._door.close()
        if self.link:
            self.link.close()


@pytest.fixture
def server():
    with Server() as server:
        yield server


def loaded(board):
    board.shell("meter load")
    eventually(lambda: board.shell("meter status"), lambda text: " up" in text)


def joined(board, server):
    """The meter and the server are joined, both up."""
    board.shell(f"meter passthrough 127.0.0.1 {server.port}")
    server.accept()
    is_up(board)


def is_up(board):
    return eventually(lambda: board.shell("meter status"), lambda text: text.count(" up") == 2)


def counts(board):
    return json.loads(board.shell("meter frames >json"))


def patiently(board, line, seconds=5):
    """The answer to a question whose time-outs pass fast."""
    with board.session() as session:
        session._link.sendall(line.encode() + b"\n")
        board.clock.run(seconds, grace_ms=20)
        return session._until_prompt()


def records(count):
    """Bytes of so many records: a number, and what only that number has."""
    return [number.to_bytes(4, "big") + random.Random(number).randbytes(RECORD - 4) for number in range(count)]


# -- asking


def test_a_value_is_asked_for_and_set(board, meter):
    assert board.shell("meter get 0x8005", "meter get 0x8003", "meter get 32775") == "12345678\n0x1f\nDEV1"
    assert board.shell("meter set 0x8007 lamp", "meter get 0x8007") == "set\nlamp"
    assert board.shell("meter set 0x8003 7", "meter set 0x2801 #0203ff") == "set\nset"
    assert (meter.values[0x8003], meter.values[0x2801]) == (b"\x07", b"\x03\xff")
    assert [info.hex() for _, command, info in meter.heard if command == 0xC1] == [
        "0780046c616d70", "03800107", "01280203ff"]


REFUSED = (
    ("meter get 0x1234", "the meter refuses 0x1234"),
    ("meter set 0x1234 1", "the meter refuses 0x1234"),
    ("meter get 0x12345", "an id is 0x0000-0xffff, got 0x12345"),
    ("meter get serial", "an id is 0x0000-0xffff, got serial"),
    ("meter set 0x8003 256", "a number is 0-255, got 256; say others as #<octets in hex>"),
    ("meter network 127.0.0.1 port=70000", "a server is <host> <port 1-65535>, got 127.0.0.1 70000"),
    ("meter passthrough 127.0.0.1", "a server is <host> <port 1-65535>, got 127.0.0.1 0"),
    ("meter passthrough 127.0.0.1 shell", "a server is <host> <port 1-65535>, got 127.0.0.1 shell"),
    ("meter serial baud=fast", "uart and baud are numbers, got 1 and fast"),
    ("meter serial profile=hdlc", "the profile is quectel or rfc1662, got hdlc"),
)


def test_what_cannot_be_is_refused_in_one_line(board, meter):
    for line, why in REFUSED:
        assert board.shell(line).endswith(": " + why), line


def test_a_uart_that_the_board_has_not_is_named_in_the_status(board):
    board.shell("meter serial uart=7")
    eventually(lambda: board.shell("meter status"), lambda text: "UART(7) does not exist" in text)


def test_a_silent_meter_is_asked_three_times_and_found_again(board, meter):
    meter.silent = True
    assert "gave no answer to 0x8005, asked 3 times" in patiently(board, "meter get 0x8005")
    assert len(meter.heard) == 3
    meter.silent = False
    assert board.shell("meter get 0x8005") == "12345678"
    assert (counts(board)["tries"], counts(board)["silences"]) == (4, 1)


def test_an_answer_that_is_harmed_on_its_way_is_asked_for_again(board, meter):
    meter.up.cut(at=5, count=1)
    assert patiently(board, "meter get 0x8005") == "12345678"
    assert meter.up.harmed == 1 and counts(board)["tries"] == 2


def test_an_answer_to_something_else_is_none(board, meter):
    loaded(board)
    meter.frame(0x2200, *quectel.image(0x8007, b"other"))
    eventually(lambda: counts(board)["strays"], lambda strays: strays == 1)
    assert board.shell("meter get 0x8005") == "12345678"


def test_the_meter_is_answered_its_name_its_signal_and_a_refusal(board, meter):
    loaded(board)
    is_asked = [(quectel.get(0x8007), "c4", "0780066e6f64653031"), (quectel.get(0x8003), "c4", "0380011f"),
                (quectel.get(0x2001), "c8", "0120010c"), (quectel.set_to(0x2003, b"\4\1\3\x11\x2a"), "c5", "0320010c"),
                (quectel.set_to(0x8002, b"\1\1", quectel.EVENT), "bf", "0100")]
    for message, command, info in is_asked:
        meter.frame(quectel.MODULE, *message)
        eventually(lambda: meter.heard[-1:], lambda heard, command=command, info=info: heard and (
            f"{heard[0][1]:02x}", heard[0][2].hex()) == (command, info))
    assert counts(board)["answers"] == len(is_asked)


def test_all_that_happens_is_on_the_bus(board, meter):
    with board.session() as watching:
        watching._link.sendall(b"bus watch messages=5 seconds=9\n")
        eventually(lambda: board.shell("bus topics"), lambda text: "*" in text)
        loaded(board)
        board.shell("meter get 0x8003")
        meter.frame(quectel.MODULE, *quectel.set_to(0x8002, b"\1\1", quectel.EVENT))
        lines = watching._until_prompt().split("\n")
    assert [line for line in lines if line.startswith("meter")] == [
        "meter.link: UART(1)", "meter.frame: (8704, 196, b'\\x03\\x80\\x01\\x1f')", "meter.value: (32771, b'\\x1f')",
        "meter.frame: (8704, 194, b'\\x02\\x80\\x01\\x01')", "meter.event: 32770"]


# -- harm on the line


def test_after_a_frame_that_was_cut_off_the_next_one_counts(board, meter):
    loaded(board)
    frame = encode(0x2200, *quectel.set_to(0x8002, b"\1\1", quectel.EVENT))
    for at in range(1, len(frame) - 1):              # without the end flag only, the next frame's is taken for it
        meter._put(frame[:at] + frame)
        eventually(lambda: len(meter.heard), lambda count, at=at: count == at)
    assert counts(board)["received"] == len(frame) - 2


def test_a_frame_swallowed_by_a_length_that_lies_comes_out_when_the_line_is_silent(board, meter):
    loaded(board)
    meter._put(b"\x7e\xff\x03\0\x22\x07\xff\xbf" + encode(0x2200, *quectel.get(0x8007)))
    eventually(lambda: meter.heard, bool)
    assert counts(board)["broken"] == 1


def test_a_wrong_baud_rate_gives_no_frame_and_the_right_one_all(board, meter):
    board.uart(PORT, baud=9600)
    assert "gave no answer" in patiently(board, "meter get 0x8005")
    assert meter.heard == []
    board.shell("meter serial baud=9600")
    assert board.shell("meter get 0x8005") == "12345678"


def test_the_cable_may_be_out_while_the_node_waits(board, meter):
    loaded(board)
    meter.unplug()
    assert "gave no answer" in patiently(board, "meter get 0x8005")
    meter.plug()
    assert board.shell("meter get 0x8005") == "12345678"


def test_a_frame_whose_end_came_while_the_board_was_held_up_is_whole(make_board):
    board = make_board(files={"modules/LM_held_up.py": wire.HELD_UP.format(where="""
    from LM_meter import _driver
    return _driver().receiver, lambda: _driver().link._stream.s.any()
""")})
    with SerialMeter(board, PORT) as meter:
        loaded(board)
        wire.say_in_two_halves(board, meter, encode(0x2200, *quectel.get(0x8007)))
        eventually(lambda: meter.heard, bool)
        assert (counts(board)["broken"], counts(board)["noise"]) == (0, 0)


def test_what_a_busy_board_does_not_read_in_time_is_lost_and_the_next_frame_counts(make_board):
    board = make_board(files={"modules/LM_hold.py": "import time\ndef f():\n    time.sleep_ms(600)\n"})
    with SerialMeter(board, PORT) as meter:
        board.shell("meter serial baud=2000000")
        loaded(board)
        board.uart(PORT, paced=True)
        holding = threading.Thread(target=board.shell, args=("hold f",))
        holding.start()
        eventually(board.console, lambda text: "hold loaded" in text)
        meter.say(bytes(50_000))
        holding.join()
        lost = eventually(lambda: board.uart(PORT), lambda facts: facts["overrun"] > 0 and facts["unread"] == 0)
        board.uart(PORT, paced=False)
        assert board.shell("meter get 0x8005") == "12345678"
        told = counts(board)
        assert lost["overrun"] > 0 and told["broken"] > 0 and told["received"] < meter.up.frames


def test_the_strict_profile_is_spoken_too(board):
    with SerialMeter(board, PORT, RFC1662) as meter:
        assert board.shell("meter serial profile=rfc1662", "meter set 0x8007 a~}b", "meter get 0x8007").endswith(
            "set\na~}b")
        assert meter.down.frames == 2


# -- joined with a server


def test_the_meters_bytes_reach_the_server_and_back(board, meter, server):
    joined(board, server)
    meter._put(bytes.fromhex("7eff0300210006bf0102037e7dd3c37e"))
    meter._put(bytes.fromhex("7eff0300210001bfc9e47e"))          # empty: nothing
    server.link.sendall(b"hello")
    eventually(lambda: bytes(server.heard), lambda heard: heard == b"\1\2\3\x7e\x7d")
    eventually(lambda: meter.heard_data(), lambda heard: heard == b"hello")
    assert meter.heard == [(0x2100, 0xBF, b"hello")]


def run(*jobs):
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_a_megabyte_each_way_at_once_is_exact(board, meter, server):
    joined(board, server)
    up, down = random.Random(1).randbytes(MEGABYTE), random.Random(2).randbytes(MEGABYTE)
    run(lambda: meter.say(up), lambda: server.link.sendall(down))
    eventually(lambda: len(server.heard), lambda count: count == MEGABYTE)
    eventually(lambda: len(meter.heard_data()), lambda count: count == MEGABYTE)
    assert bytes(server.heard) == up and meter.heard_data() == down
    told = counts(board)
    assert (told["received"], told["up"], told["sent"]) == (1024, 1024, meter.down.frames)
    assert not any(told[name] for name in ("broken", "noise", "up_lost", "down_lost"))


def test_ten_cuts_lose_only_frames_that_are_counted(board, meter, server):
    joined(board, server)
    sent = cut_ten_times(meter, server)
    eventually(lambda: counts(board)["down"], lambda _: meter.down.octets > 0 and _settled(board, meter, server))
    arrived, heard = survivors(sent, meter, server)
    told = counts(board)
    assert (told["received"], told["up"], told["up_lost"]) == (arrived, arrived, 0)
    assert heard + meter.down.harmed == told["sent"]
    assert told["broken"] and told["noise"]              # the board has seen that something was wrong


def cut_ten_times(meter, server):
    """A megabyte of records each way, over a cable that is out ten times in each; list of the records."""
    sent = records(MEGABYTE // RECORD)
    for way in (meter.up, meter.down):
        dice = random.Random(3)
        for cut in range(CUTS):
            way.cut(at=dice.randrange(cut * MEGABYTE // CUTS, (cut + 1) * MEGABYTE // CUTS - 5000),
                    count=dice.randrange(1, 3000))
    run(lambda: [meter.say(record) for record in sent], lambda: server.link.sendall(b"".join(sent)))
    return sent


def survivors(sent, meter, server):
    """(records, pieces) that came to the server and to the meter: none corrupted, doubled or reordered."""
    arrived = [bytes(server.heard[at:at + RECORD]) for at in range(0, len(server.heard), RECORD)]
    numbers = [int.from_bytes(record[:4], "big") for record in arrived]
    assert arrived == [sent[number] for number in numbers], "corrupted"
    assert numbers == sorted(set(numbers)), "doubled or reordered"
    assert len(arrived) + meter.up.harmed == len(sent) and meter.up.harmed >= CUTS
    down, at = b"".join(sent), 0
    for _, _, piece in meter.heard:
        found = down.find(piece, at)
        assert found >= 0, "corrupted, doubled or reordered"
        at = found + len(piece)
    assert meter.down.harmed >= CUTS
    return len(arrived), len(meter.heard)


def _settled(board, meter, server):
    """All that the server said went into the cable, all that the meter said came out of it and was handed on."""
    told = counts(board)
    if len(server.heard) != told["up"] * RECORD:
        return False
    return (meter.up.frames == MEGABYTE // RECORD and told["received"] + meter.up.harmed == meter.up.frames
            and told["sent"] == meter.down.frames and meter.down.octets > MEGABYTE)


def test_without_a_server_each_frame_is_counted_and_with_it_they_go_on(board, meter, server):
    joined(board, server)
    meter.say(b"before")
    eventually(lambda: bytes(server.heard), lambda heard: heard == b"before")
    server.hang_up()
    eventually(lambda: board.shell("meter status"), lambda text: "the other side has closed" in text)
    for _ in range(5):
        meter.say(b"lost")
    eventually(lambda: counts(board)["up_lost"], lambda lost: lost == 5)
    board.clock.run(2, grace_ms=20)
    server.accept()
    is_up(board)
    meter.say(b" after")
    eventually(lambda: bytes(server.heard), lambda heard: heard == b"before after")


def test_ten_lost_connections_corrupt_double_and_reorder_nothing(board, meter, server):
    joined(board, server)
    sent = records(110)
    for number, record in enumerate(sent):
        if number % 11 == 10:
            server.hang_up()
            eventually(lambda: board.shell("meter status"), lambda text: "closed" in text or "down" in text)
            meter.say(record)
            eventually(lambda: counts(board)["up_lost"], lambda lost, want=number // 11 + 1: lost == want)
            board.clock.run(2, grace_ms=20)
            server.accept()
            is_up(board)
        else:
            meter.say(record)
            eventually(lambda: len(server.heard), lambda size, want=RECORD * (number - number // 11 + 1):
                       size == want)
    assert bytes(server.heard) == b"".join(record for number, record in enumerate(sent) if number % 11 != 10)
    assert counts(board)["up"] == 100 and counts(board)["received"] == 110


def test_a_server_that_is_not_there_is_named_and_tried_again(board, meter):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    board.shell(f"meter passthrough 127.0.0.1 {port}")
    eventually(lambda: board.shell("meter status"), lambda text: f"127.0.0.1:{port} down: " in text
               and "not up yet" not in text)
    with socket.create_server(("127.0.0.1", port)) as door:
        door.settimeout(10)
        board.clock.run(2, grace_ms=20)
        door.accept()[0].close()


def test_how_it_is_joined_outlives_a_reboot(make_board, server):
    board = make_board(config={"boothook": "meter load"})
    with SerialMeter(board, PORT) as meter:
        joined(board, server)
        board.reset()
        board.wait_ready()
        server.accept()
        is_up(board)
        meter.say(b"again")
        eventually(lambda: bytes(server.heard), lambda heard: heard == b"again")


def test_close_lets_go_of_line_and_server(board, meter, server):
    joined(board, server)
    assert board.shell("meter close") == " meter: closed\n server: none"
    assert board.uart(PORT)["baud"] == 0
    assert board.shell("meter get 0x8005") == "12345678"         # opened again


def test_a_meter_behind_tcp_is_asked_the_same_way(board):
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(10)
        board.shell(f"meter network 127.0.0.1 {door.getsockname()[1]}")
        link, _ = door.accept()
        meter = Meter(link.sendall)
        hearing = threading.Thread(
            target=lambda: [meter.receive(data) for data in iter(lambda: link.recv(4096), b"")])
        hearing.start()
        eventually(lambda: board.shell("meter status"), lambda text: " up" in text)
        assert board.shell("meter get 0x8005") == "12345678"
        link.shutdown(socket.SHUT_RDWR)
        hearing.join()
        link.close()
        eventually(lambda: board.shell("meter status"), lambda text: "the other side has closed" in text)


def test_the_model_in_the_board_is_told_its_faults(board):
    board.uart(PORT, model="meter", facts={"flip": 1})
    assert "gave no answer" in patiently(board, "meter get 0x8005")
    told = board.uart(PORT, facts={"flip": 0})["model"]
    assert told["down"]["harmed"] == told["down"]["frames"] == 3
    assert board.shell("meter get 0x8005") == "12345678"


class Metered(VirtualBoard):
    """Started as people start it."""

    def __init__(self, *words, **options):
        super().__init__(**options)
        self._flags += ["--meter", *words]


def test_people_get_a_meter_that_tells_its_reading(server):
    with Metered() as board:
        joined(board, server)
        assert board.shell("meter get 0x8005") == "12345678"
        board.clock.advance(5)
        eventually(lambda: bytes(server.heard), lambda heard: heard.endswith(b"*kWh)\r\n"))


@pytest.fixture
def example():
    """examples/meter_server.py on a free port; gone with the test, or when that hangs."""
    words = [sys.executable, str(wire.ROOT / "examples" / "meter_server.py"), "0"]
    with subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        leash = threading.Timer(WAIT_S, running.kill)
        leash.start()
        yield running
        leash.cancel()
        running.kill()


def test_the_example_shows_what_the_meter_says(board, meter, example):
    port = example.stdout.readline().split("port ")[1].split(";")[0]
    board.shell(f"meter passthrough 127.0.0.1 {port}")
    is_up(board)
    assert example.stdout.readline().endswith("is here\n")
    meter.say(b"1.8.0(000001.234*kWh)\r\n")
    assert example.stdout.readline() == "1.8.0(000001.234*kWh)\n"
    example.stdin.write("hello\n")
    example.stdin.flush()
    eventually(lambda: meter.heard_data(), lambda heard: heard == b"hello\n")


def test_an_unknown_meter_is_refused():
    with pytest.raises(SimulatorError, match="--meter is one of .*meter.*, got 'gas'"), Metered("gas"):
        pass


# -- heap


def test_nothing_of_it_is_in_memory_before_it_is_asked_for(make_board):
    board = make_board(files={"modules/LM_memory.py": "import sys\ndef f():\n    return sorted(sys.modules)\n"})
    board.shell("version", "modules")
    kept = board.shell("memory f")
    assert not [name for name in ("meter", "rfc1662", "quectel", "crc", "usr", "sys_bus") if name in kept]


# -- for people


def simulate(folder, *words):
    return [sys.executable, str(wire.ROOT / "devToolKit.py"), "--simulate", "--address", "auto", "--dir",
            str(folder / "flash"), "--leash", "--meter", *words]


def test_a_person_hangs_a_meter_with_faults_on_a_virtual_board(tmp_path):
    words = simulate(tmp_path, "--meter-fault", "silent=true", "lose=0.01")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        address, port = json.loads(running.stdout.readline().removeprefix(b"ready "))["shell"]
        with ShellLink(address, port, timeout_s=WAIT_S) as link:
            assert "gave no answer to 0x8005, asked 3 times" in link.ask("meter get 0x8005")
        running.stdin.close()


@pytest.mark.parametrize("words, why", [(("dlms", "--meter-fault", "flip=1"), "a DLMS meter has no flip"),
                                        (("--meter-fault", "thirst=1"), "thirst"),
                                        (("--meter-fault", "silent=maybe"), "NAME=VALUE")])
def test_a_fault_that_no_meter_has_is_refused_in_one_line(tmp_path, words, why):
    done = subprocess.run(simulate(tmp_path, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WAIT_S)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and why in done.stderr
