"""The documented names, the same on a board and on a host, and what of them no other test calls."""
import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud.conftest import APP, KINDS, settings
from tests.cloud.responder import Responder, eventually, rows

pytestmark = pytest.mark.slow
NAMES = {
    "": """Client,status_string,identity,osal,ota_handler,relay,DEFAULT_CONFIG_DIR,DEFAULT_CONFIG_FILE,
        DEFAULT_KEEP_ALIVE,DEFAULT_LOOP_TIME,DEFAULT_THREAD_COUNT,LOGCRITICAL,LOGERROR,LOGWARNING,LOGINFO,LOGDEBUG,
        LOGNOTSET,STATUS_SUCCESS,STATUS_INVOKED,STATUS_BAD_PARAMETER,STATUS_BAD_REQUEST,STATUS_EXECUTION_ERROR,STATUS_EXISTS,STATUS_FULL,
        STATUS_FILE_OPEN_FAILED,STATUS_IO_ERROR,STATUS_NO_MEMORY,STATUS_NO_PERMISSION,STATUS_NOT_EXECUTABLE,
        STATUS_NOT_FOUND,STATUS_NOT_INITIALIZED,STATUS_OUT_OF_RANGE,STATUS_PARSE_ERROR,STATUS_TIMED_OUT,STATUS_TRY_AGAIN,
        STATUS_NOT_SUPPORTED,STATUS_FAILURE""",
    "client": """connect,disconnect,is_connected,is_alive,initialize,telemetry_publish,attribute_publish,alarm_publish,
        event_publish,location_publish,telemetry_read_last_sample,attribute_read_last_sample,action_register_callback,
        action_register_command,action_deregister,action_progress_update,action_acknowledge,file_upload,file_download,
        diag_ping,diag_time,update_thing_details,log_level,log,critical,error,warning,info,debug""",
    "identity": "Identity", "relay": "create_relay,stop_relays,relay_version", "ota_handler": "OTAHandler",
    "osal": "execl,os_name,os_version,os_kernel,system_reboot,system_shutdown"}


@pytest.fixture(scope="module")
def thing(kind: str, cloud: Responder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Initialized, but not connected. All parts of a board's agent in turn take a larger heap."""
    options = {"heap": "320K"} if kind == "board" else {}
    made = KINDS[kind](tmp_path_factory.mktemp("thing"), settings(cloud), "golden_names.py", **options)
    try:
        made.call("make", "." if kind == "board" else str(made.folder))
        yield made
    finally:
        made.stop()


def test_before_initialize_each_method_says_that_it_is_too_early(thing):
    assert thing.call("early") == [13] * 19 + [0]


def test_the_documented_names_are_there(thing):
    for part, words in NAMES.items():
        words = words.replace("\n", "").replace(" ", "").split(",")
        for first in range(0, len(words), 8):        # a line of the shell is short
            assert thing.call("missing", part, ",".join(words[first:first + 8])) == []
    assert thing.call("missing", "", "no_such,STATUS_NONE") == ["no_such", "STATUS_NONE"]


def echo(server: socket.socket) -> None:
    """The local side of the recorded relays: the second one it ends itself."""
    for is_first in (True, False):
        with server.accept()[0] as link, contextlib.suppress(OSError):
            link.sendall(b"echo:" + link.recv(1000))
            if is_first:
                link.recv(1000)


def test_relays_say_the_bytes_that_were_recorded(thing, cloud):
    """Each frame of the cloud's, and then what the recording has of the device's."""
    frames = [(row["dir"], {"text": 1, "binary": 2, "close": 8}[row["ws"]],
               bytes.fromhex(row["hex"]) if "hex" in row else row["text"].encode()) for row in rows("34", conn="relay")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=echo, args=(server,), daemon=True).start()
        for first, last in ((0, 3), (3, 7)):
            way = relayed(thing, cloud, server.getsockname()[1])
            wanted = converse(way, frames[first:last])
            way.say(*((b"DISCONNECTED-581273", 2) if first else (b"\x03\xe8", 8)))
            eventually(lambda way=way: way.is_over)
            assert way.heard == [*wanted, (8, b"\x03\xe8")]


def relayed(thing: Any, cloud: Responder, port: int) -> Any:
    """The cloud's end of a relay."""
    url = f"ws://localhost:{cloud.file_port}/relay?x=1"
    eventually(lambda: thing.call("relay", url, "localhost", port) == 0)         # once the one before is over
    return eventually(lambda: cloud.relays.qsize() and cloud.relays.get_nowait())


def converse(way: Any, frames: list[tuple[str, int, bytes]]) -> list[tuple[int, bytes]]:
    """Say what the cloud says, wait for what the device says to it: that is given back."""
    wanted: list[tuple[int, bytes]] = []
    for source, opcode, payload in frames:
        if source == "cloud->device":
            way.say(payload, opcode)
        else:
            wanted.append((opcode, payload))
            eventually(lambda: way.heard[:len(wanted)] == wanted)
    return wanted


def test_what_a_system_is_called_and_what_a_board_refuses(thing, kind):
    name, version, kernel, relay, ident, is_running, command, *levels = thing.call("system")
    assert name and version and kernel and (kind == "host" or name == "micrOS") and relay == "2.0.0"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}", ident) and is_running is False
    assert command == (18 if kind == "board" else 0) and levels == [50, 40, 30, 20, 10, 0]


@pytest.mark.parametrize("kind", ["board"], indirect=True, scope="module")
def test_a_board_has_no_programs_no_off_and_no_proxy(thing):
    assert thing.call("refusals") == [18, 18, 0]
    assert "cloud.restart" in thing.board.shell("task list")
    thing.board.shell("task kill cloud.restart")
    text = "a board goes to its cloud without a proxy: take `proxy` out of the configuration"
    thing.write("far-connect.cfg", thing.read(f"{APP}-connect.cfg")[:-1] + b', "proxy": {"type": "HTTP", "host": "x"}}')
    assert text in thing.board.shell("cloud connect far")
