"""Quectel's cloud as A9 has it, spoken by a server of the test: programs come, logs go, every code is reached."""
import hashlib
import io
import json
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.device.wire import eventually

PROGRAM = """
from usr.bin.guard import GuardContext
context = GuardContext()
context.refresh()
cloud = context.get_server("cloud")
cloud.subscribe(lambda sender, message: print("# code", message["msg_type"], message["message"]["code"]))
"""
LOGS = PROGRAM + 'cloud.commit_log("a line")\n'
BINARY = """
from usr.bin.cloud_service import CloudService
cloud = CloudService("u", "m", "p")
cloud.set_enable(CloudService.BIN_UPGRADE, True)
cloud.set_enable(CloudService.SH_UPGRADE, False)
cloud.subscribe(lambda sender, message: print("# code", message["msg_type"], message["message"]["code"]))
cloud.start()
"""


class Cloud(ThreadingHTTPServer):
    """answers: {path: (status, bytes or dict)}; asked: [(method, path, query, headers, body)]"""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Talk)
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.asked = []
        self.answers = {
            "/v1/oauth/token": (200, {"data": {"access_Token": "secret"}}),
            "/v2/oauth/token": (200, {"data": {"access_Token": "secret2"}}),
            "/v1/fota/fw": (200, {"code": 300}),
            "/v1/fota/status/report": (200, {}),
            "/v1/fota/msg/report": (200, {}),
        }

    def offer(self, file="app_main2.py", content=b"print('new')\n", **more):
        self.answers["/" + file] = (200, content)
        self.answers["/v1/fota/fw"] = (200, {"code": 200, "action": 1, "url": f"{self.base}/{file}",
                                             "targetVersion": "V2", **more})

    def reports(self):
        return [json.loads(body)["code"] for _, path, _, _, body in self.asked if path == "/v1/fota/status/report"]


class Talk(BaseHTTPRequestHandler):
    server: Cloud

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        self.server.asked.append((self.command, place.path, query, dict(self.headers), body))
        status, answer = self.server.answers.get(place.path, (404, b""))
        answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def cloud():
    server = Cloud()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def code(make_board, cloud):
    """Function: (board, code) of a program's first look into the cloud."""
    def look(program=PROGRAM, files=(), before=None, **params):
        config = {"params": {"uid": "u", "module_type": "m", "pk": "p", "url": cloud.base + "/v1", **params}}
        board = make_board(files={"usr/program.py": program, "usr/etc/app_config/cloud/config.json": json.dumps(config),
                                  **dict(files)}, mpy=True)
        if before:
            before(board)
        assert board.shell("quec run program") == "program runs", board.console()
        told = eventually(lambda: re.search(r"# code \d (\d+)\r", board.console()), bool)
        return board, told.group(1)
    return look


def archive(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return data.getvalue()


def settled(board, at_least=1):
    return eventually(board.console, lambda text: text.count("# code") >= at_least)


def test_nothing_new_is_3002_and_the_question_is_that_of_the_contract(code, cloud):
    board, got = code()
    assert got == "3002"
    _, _, query, _, _ = cloud.asked[0]
    imei = query["imei"]
    assert len(imei) == 15 and query["secret"] == hashlib.md5(f"QUEC{imei}TEL".encode()).hexdigest()
    _, path, query, headers, _ = cloud.asked[1]
    assert path == "/v1/fota/fw" and headers["access_token"] == "secret"
    assert set(query) == {"version", "imei", "moduleType", "battery", "rsrp", "uid", "pk"}
    assert (query["version"], query["moduleType"], query["battery"], query["uid"], query["pk"]) == (
        "V1.0.0", "m", "100", "u", "p")


def test_a_new_file_waits_and_counts_at_the_next_start(code, cloud):
    cloud.offer(md5=hashlib.md5(b"print('new')\n").hexdigest())
    board, got = code()
    assert got == "3001" and cloud.reports() == [3, 4, 6]
    assert not (board.dir / "usr/main2.py").exists()
    assert json.loads((board.dir / "usr/ota_config.json").read_text())["version"] == "V2"
    cloud.answers["/v1/fota/fw"] = (200, {"code": 300})
    board.reset()
    board.wait_ready()
    board.shell("quec run program")
    eventually(cloud.reports, lambda reports: reports == [3, 4, 6, 7])
    assert (board.dir / "usr/main2.py").read_text() == "print('new')\n"
    assert not (board.dir / "usr/.updater").exists()
    eventually(lambda: json.loads((board.dir / "usr/ota_config.json").read_text())["flag"], lambda flag: flag == "0")


def test_a_zip_brings_several_files(code, cloud):
    cloud.offer("app_all.zip", archive({"main2.py": "x = 1\n" * 200, "lib/b.py": "", "lib/c.py": "y = 2\n"}))
    board, got = code()
    assert got == "3001"
    board.reset()
    board.wait_ready()
    board.shell("quec run program")
    assert (board.dir / "usr/main2.py").read_text() == "x = 1\n" * 200
    assert (board.dir / "usr/lib/c.py").read_text() == "y = 2\n"


def test_with_reboot_set_the_board_restarts(code, cloud):
    cloud.offer()
    config = {"params": {"uid": "u", "module_type": "m", "pk": "p", "url": cloud.base + "/v1", "reboot": True}}
    board, _ = code(PROGRAM + "print('# code', 1, 0)\n", {"usr/etc/app_config/cloud/config.json": json.dumps(config)})
    eventually(lambda: board.info()["starts"], lambda starts: starts == 2)


CODES = (        # what is wrong, the code; first: a change of the server
    ("4001", lambda cloud: cloud.answers.update({"/v1/oauth/token": (403, {})})),
    ("4001", lambda cloud: cloud.answers.update({"/v1/oauth/token": (200, b"no json")})),
    ("4002", lambda cloud: cloud.offer(url="")),
    ("4003", lambda cloud: cloud.offer(url=cloud.base + "/gone_x.py")),
    ("4005", lambda cloud: cloud.offer(action=9)),
    ("3002", lambda cloud: cloud.offer(action=0)),
    ("3002", lambda cloud: cloud.answers.update({"/v1/fota/fw": (500, b"")})),
    ("4006", lambda cloud: cloud.offer(md5="0" * 32)),
    ("4028", lambda cloud: cloud.offer("app_x.zip", b"no zip")),
    ("4028", lambda cloud: cloud.offer("app_x.zip", _spoiled())),
    ("4029", lambda cloud: cloud.offer("app_x.zip", archive({}))),
    ("4029", lambda cloud: cloud.offer("app_x.zip", archive({"../up.py": "x"}))),
    ("4029", lambda cloud: cloud.offer("noname.py")),
)


def _spoiled():
    data = bytearray(archive({"a.py": "x = 1\n" * 50}))
    data[40] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize("wanted, change", CODES)
def test_each_fault_of_the_cloud_has_its_code_and_leaves_nothing(code, cloud, wanted, change):
    change(cloud)
    board, got = code()
    assert got == wanted
    assert not (board.dir / "usr/.updater").exists()
    assert json.loads((board.dir / "usr/ota_config.json").read_text())["version"] == "V1.0.0"


def test_a_missing_parameter_is_4004(code):
    assert code(uid="")[1] == "4004"


def test_a_cloud_that_cannot_be_reached_is_4024(code, cloud):
    assert code(url="http://127.0.0.1:9/v1")[1] == "4024"


def test_a_configuration_that_cannot_be_read_is_4022(code):
    assert code(files={"usr/ota_config.json": "broken"})[1] == "4022"


def test_a_configuration_that_cannot_be_written_is_4021(code):
    assert code(files={"usr/ota_config.json.new/in_the_way": ""})[1] == "4021"


def test_a_place_that_cannot_be_written_is_4025(code, cloud):
    cloud.offer()
    assert code(files={"usr/.updater": "a file in the way"})[1] == "4025"


def test_no_network_is_4023(code):
    assert code(before=lambda board: board.network(False))[1] == "4023"


def test_firmware_is_not_the_clouds_4026(code):
    assert code(BINARY)[1] == "4026"


def test_a_package_that_cannot_be_read_is_4027(make_board):
    board = make_board(files={"usr/program.py": """
from usr.bin.components import OTA
try:
    OTA._unzip()
except OTA.OtaError as error:
    print("# code", error)
"""})
    board.shell("quec run program")
    assert eventually(board.console, lambda text: "# code" in text).split("# code")[1].split()[0] == "4027"


def test_a_log_line_is_committed_with_20000(code, cloud):
    board, _ = code(LOGS)
    text = settled(board, 2)
    assert "# code 1 20000" in text
    _, _, query, _, _ = next(row for row in cloud.asked if row[1] == "/v2/oauth/token")
    assert query["pk"] == "p" and query["grantType"] == "1" and len(query["imei"]) == 15
    _, _, _, headers, body = next(row for row in cloud.asked if row[1] == "/v1/fota/msg/report")
    told = json.loads(body)
    assert headers["access_token"] == "secret2"
    assert told["reportMsg"] == "a line" and set(told) == {
        "imei", "version", "reportMsg", "battery", "signalStrength", "cellInfos"}


def test_a_refused_log_line_is_4007(code, cloud):
    cloud.answers["/v1/fota/msg/report"] = (500, b"")
    board, _ = code(LOGS)
    assert "# code 1 4007" in settled(board, 2)


def test_level_three_waits_for_reload(make_board, cloud):
    config = {"level": 3, "params": {"uid": "u", "module_type": "m", "pk": "p", "url": cloud.base + "/v1"}}
    board = make_board(files={"usr/program.py": PROGRAM + "print('#', cloud.status(), cloud.get_app_code())\n"
                              "import sys_bus\nsys_bus.subscribe('go', lambda *_: context.reload())\n",
                              "usr/etc/app_config/cloud/config.json": json.dumps(config)},
                       mpy=True)
    board.shell("quec run program")
    eventually(board.console, lambda text: "# 0 None" in text)
    assert not cloud.asked
    board.shell("bus publish go")
    eventually(board.console, lambda text: "# code 1 3002" in text)
