"""The clock and who puts it right: time server, zone, place; all of them small servers of this test."""
import datetime
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.device.wire import eventually

BUDAPEST = "CET-1CEST,M3.5.0,M10.5.0/3"


def utc(*fields):
    return datetime.datetime(*fields, tzinfo=datetime.UTC).timestamp()


@pytest.fixture
def web():
    """Function that starts a web server which always answers the same text: text -> (address, paths asked for)."""
    servers = []

    def start(text, status=200):
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return ("127.0.0.1", server.server_port), asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def shows(board, text):
    return eventually(lambda: board.shell("system clock"), lambda clock: clock.startswith(text))


def test_the_time_server_sets_the_clock_at_boot_in_local_time(make_board):
    board = make_board(clock="unset", config={"ntphost": "pool.ntp.org", "utc": 330})
    now = datetime.datetime.fromtimestamp(board.ntp.time(), datetime.UTC) + datetime.timedelta(minutes=330)
    shows(board, f"{now.year}.{now.month}.{now.day}  {now.hour}:{now.minute}")
    assert abs(board.clock.rtc() - board.ntp.time() - 330 * 60) < 1
    assert "ntp" not in board.shell("task list")


def test_system_ntp_asks_again_and_tells_the_time(make_board):
    board = make_board(config={"tz": BUDAPEST})
    board.ntp.set(utc(2026, 7, 1, 10, 0, 0))
    assert board.shell("conf", "ntphost pool.ntp.org", "noconf", "system ntp").split("\n")[-1].startswith(
        "(True, (2026, 7, 1, 12, 0, ")


def test_the_uptime_does_not_jump_with_the_clock(make_board):
    board = make_board(config={"ntphost": "pool.ntp.org"})
    board.ntp.set(utc(2030, 1, 1, 0, 0, 0))
    board.shell("system ntp")
    assert "uptime: 0 0:0:" in board.shell("system info")


@pytest.mark.parametrize("mode", ["silent", "garbage"])
def test_a_server_that_tells_no_time_changes_nothing(make_board, mode):
    board = make_board(config={"ntphost": "pool.ntp.org"})
    eventually(board.ntp.asked, bool)
    board.ntp.mode(mode)
    board.ntp.set(utc(2040, 1, 1, 0, 0, 0))
    with board.session() as asking, board.session() as other:
        asking._link.sendall(b"system ntp\n")
        assert other.send("system heartbeat") == "<3 heartbeat <3"         # nobody waits
        answer = asking._until_prompt()
    assert answer.startswith("(False, 'ntp error: pool.ntp.org: ")
    assert not board.shell("system clock").startswith("2040")


def test_a_forged_answer_does_not_keep_the_true_one_from_being_heard(make_board):
    """Who does not know the question answers first."""
    board = make_board(clock="unset")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        board.world["time.test", 123] = server.getsockname()
        board.shell("conf", "ntphost time.test")             # asks at once
        question, asker = server.recvfrom(100)
        stamp = struct.pack(">II", int(utc(2040, 1, 1)) + 2208988800 - (1 << 32), 0)       # RFC 4330, section 3
        for origin in (b"12345678", question[40:48]):
            for data in (b"", b"\xff" * 600, b"\x24\x01" + bytes(22) + origin + bytes(8) + stamp):
                server.sendto(data, asker)
    shows(board, "2040.1.1  1:0:")


def test_a_silent_server_is_asked_again_until_it_answers(make_board):
    board = make_board(turn=True, clock="unset", config={"ntphost": "pool.ntp.org"})
    board.ntp.mode("silent")
    board.power_cycle()
    board.wait_ready()
    board.clock.run(60)
    assert board.shell("system clock").startswith("2000.1.1")
    assert board.ntp.asked() > 3
    board.ntp.mode("ok")
    board.clock.run(400)
    now = datetime.datetime.fromtimestamp(board.ntp.time(), datetime.UTC)
    assert board.shell("system clock").startswith(f"{now.year}.")


def test_a_node_that_opens_its_own_network_asks_nobody(make_board):
    board = make_board(config={"ntphost": "pool.ntp.org", "nwmd": "AP"})
    assert board.shell("system ifconfig").startswith("('AP'")
    assert board.ntp.asked() == 0


def test_utc_and_tz_move_the_clock_at_once(make_board):
    board = make_board()
    board.shell("system setclock 2026 7 1 12 0 0")
    board.shell("conf", "utc 120")
    shows(board, "2026.7.1  13:0:")
    board.shell("conf", "tz EST5EDT,M3.2.0,M11.1.0")
    shows(board, "2026.7.1  7:0:")
    board.shell("conf", "tz n/a")
    shows(board, "2026.7.1  13:0:")


def test_a_reset_keeps_clock_and_zone(make_board):
    board = make_board(config={"tz": BUDAPEST})
    board.shell("system setclock 2026 7 1 12 0 0")
    board.reset()
    board.wait_ready()
    shows(board, "2026.7.1  12:0:")


@pytest.mark.parametrize("text", ["Europe/Budapest", "CET-1CEST,M3.5.0", "x"])
def test_a_text_that_is_no_zone_is_refused(make_board, text):
    board = make_board()
    assert "tz takes n/a or a POSIX TZ string" in board.shell("conf", f"tz {text}")


@pytest.mark.parametrize("text", ["91,0", "0,181", "1", "a,b", "1,2,3"])
def test_a_text_that_is_no_position_is_refused(make_board, text):
    board = make_board()
    assert "position takes n/a or latitude,longitude" in board.shell("conf", f"position {text}")


PLACE = json.dumps({"lat": 47.4979, "lon": 19.0402, "timezone": "Europe/Budapest", "offset": 7200})
SUN = json.dumps({"results": {"sunrise": "2026-11-21T05:55:10+00:00", "sunset": "2026-11-21T15:01:20+00:00"},
                  "status": "OK"})


def started(make_board, place, sun="n/a", **config):
    """A node with cron that is told its place by the address `place`, and the sun by `sun`."""
    board = make_board(config={"poshost": "place.test", "sunhost": "n/a" if sun == "n/a" else "sun.test:80", **config})
    board.world["place.test"] = place
    if sun != "n/a":
        board.world["sun.test"] = sun
    board.shell("conf", "ntphost pool.ntp.org", "cron true")
    return board


def setting(board, key):
    return board.shell("conf", key).strip()


def test_with_cron_the_place_and_the_hours_from_utc_are_learned(make_board, web):
    address, asked = web(PLACE)
    board = started(make_board, address)
    eventually(lambda: setting(board, "utc"), lambda value: value == "120")
    assert setting(board, "position") == "47.50,19.04"
    assert set(asked) == {"/json/?fields=lat,lon,timezone,offset"}
    assert board.shell("system sun").startswith(" sun")


def test_a_place_and_a_zone_of_our_own_stay(make_board, web):
    address, asked = web(PLACE)
    board = started(make_board, address, position="1,2", tz="CET-1CEST")
    eventually(lambda: asked, bool)
    assert board.shell("system heartbeat") and setting(board, "position") == "1,2"
    assert setting(board, "utc") == "60" and setting(board, "tz") == "CET-1CEST"


def test_the_service_of_1_20_tells_the_sun_where_it_is_wanted(make_board, web):
    place, (sun, asked) = web(PLACE)[0], web(SUN)
    board = started(make_board, place, sun)
    eventually(lambda: (board.dir / "sun.pds").exists(), bool)
    assert (board.dir / "sun.pds").read_text() == "sunrise:7-55-10;sunset:17-1-20"
    assert asked == ["/json?lat=47.50&lng=19.04&date=today&formatted=0"]
    assert set(board.shell("system sun").split("\n")) == {" sunrise: (7, 55, 10)", " sunset: (17, 1, 20)"}


@pytest.mark.parametrize("text, status", [("no json", 200), ("{}", 200), ("[]", 200), (PLACE, 500), ("x" * 10000, 200)])
def test_an_answer_that_tells_no_place_changes_nothing(make_board, web, text, status):
    address, asked = web(text, status)
    board = started(make_board, address)
    eventually(lambda: asked, bool)
    eventually(board.console, lambda console: "[time] place.test: " in console)
    assert setting(board, "position") == "n/a" and setting(board, "utc") == "60"
    assert "cron" in board.shell("task list")
