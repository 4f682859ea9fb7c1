"""Where an image comes from, and which one is refused: a server of our own on loopback."""
import hashlib
import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from toolkit import images
from toolkit.boards import board_named
from toolkit.errors import BadHashError, UsageError
from toolkit.images import ImageError, image_of
from toolkit.simulator.firmware import image

BOARD = replace(board_named("esp32c3"), sha256=None)
IMAGE = image("esp32c3")


class Server(ThreadingHTTPServer):
    """Serves `content`; asked: paths; promised: a Content-Length that is not kept."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.promised, self.asked = IMAGE, 0, []


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.server.content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.promised or len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *words):
        pass


@pytest.fixture
def server(monkeypatch):
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv(images.PLACE_VARIABLE, f"http://127.0.0.1:{server.server_port}/firmware/")
        yield server
        server.shutdown()
        thread.join()


def fetch(board=BOARD, file=None):
    """(content of the image, warnings, last progress)"""
    warnings, progress = [], [None]
    path = image_of(board, file, warnings.append, lambda *seen: progress.append(seen))
    return path.read_bytes(), warnings, progress[-1]


def pinned(content):
    return replace(BOARD, sha256=hashlib.sha256(content).hexdigest())


def test_an_image_is_downloaded_once(server):
    assert fetch(pinned(IMAGE)) == (IMAGE, [], (len(IMAGE), len(IMAGE)))
    assert fetch(pinned(IMAGE)) == (IMAGE, [], None)
    assert server.asked == [f"/firmware/{BOARD.image_name}"]


def test_a_download_with_another_hash_than_the_pinned_one_is_refused_and_not_kept(server):
    with pytest.raises(BadHashError, match="expected sha256 .*, got "):
        fetch(pinned(b"the real one"))
    assert not images.cached(BOARD).exists()


def test_an_image_that_changed_in_the_cache_is_refused_and_fetched_anew(server):
    fetch(pinned(IMAGE))
    images.cached(BOARD).write_bytes(IMAGE[:-1] + b"?")
    with pytest.raises(BadHashError):
        fetch(pinned(IMAGE))
    assert fetch(pinned(IMAGE))[0] == IMAGE


def test_an_image_nobody_vouches_for_is_trusted_on_first_use_with_a_warning(server, data):
    first, again = fetch(), fetch()
    found = hashlib.sha256(IMAGE).hexdigest()
    assert len(first[1]) == 1 and found in first[1][0]
    assert again[1] == []
    assert json.loads((data / images.KNOWN).read_text()) == {BOARD.image_name: found}


def test_once_trusted_no_other_content_is_taken_under_that_name(server):
    fetch()
    images.cached(BOARD).unlink()
    server.content = image("esp32c3", 4096)
    with pytest.raises(BadHashError):
        fetch()


def test_the_log_in_page_of_a_hotel_is_not_trusted(server):
    server.content = b"<html>welcome</html>"
    with pytest.raises(ImageError, match="is no firmware"):
        fetch()
    server.content = IMAGE
    assert fetch()[0] == IMAGE


def test_a_damaged_list_of_trusted_images_trusts_nothing(server, data):
    fetch()
    (data / images.KNOWN).write_text("{")
    with pytest.raises(ImageError, match="cannot be read any more; delete it"):
        fetch()


def test_a_file_of_the_users_needs_no_network(tmp_path):
    own = tmp_path / "own.bin"
    own.write_bytes(IMAGE)
    assert fetch(pinned(b"another"), own) == (IMAGE, [], None)


@pytest.mark.parametrize("content, why", (
    (b"", "is no firmware: expected an ESP32-C3 image"),
    (b"<html>not found</html>", "is no firmware"),
    (image("esp32"), "is for another chip \\(id 0x0\\): esp32c3 takes"),
    (image("rp2"), "is no firmware"),
))
def test_a_file_for_another_chip_is_refused(tmp_path, content, why):
    own = tmp_path / "own.bin"
    own.write_bytes(content)
    with pytest.raises(ImageError, match=why):
        fetch(file=own)


@pytest.mark.parametrize("name", ("esp32", "tinypico", "esp32s2", "esp32s3", "esp32c3", "esp32c6", "rp2"))
def test_the_image_of_every_board_is_told_from_the_others(tmp_path, name):
    own = tmp_path / "own.bin"
    own.write_bytes(image(name))
    images.check(board_named(name), own)


def test_a_file_that_is_not_there_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="--image .*none.bin cannot be read"):
        fetch(file=tmp_path / "none.bin")


def test_without_the_image_on_the_server_the_way_out_is_told(server):
    server.content = None
    with pytest.raises(ImageError, match="_C3-.* cannot be downloaded: the server says 404 .*--image FILE"):
        fetch()


def test_a_download_that_breaks_off_is_not_kept(server):
    server.promised = len(IMAGE) + 1
    with pytest.raises(ImageError, match="cannot be downloaded"):
        fetch()
    assert not images.cached(BOARD).exists()


def test_without_a_server_the_way_out_is_told(server, monkeypatch):
    monkeypatch.setenv(images.PLACE_VARIABLE, "http://127.0.0.1:1/")
    with pytest.raises(ImageError, match="cannot be downloaded: .*--image FILE"):
        fetch()


def test_what_has_no_end_is_no_firmware(server, monkeypatch):
    monkeypatch.setattr(images, "MOST_BYTES", 1 << 20)
    server.content = bytes(3 << 20)
    with pytest.raises(ImageError, match="over 1 MiB"):
        fetch()


def test_the_official_place_is_encrypted(monkeypatch):
    monkeypatch.delenv(images.PLACE_VARIABLE, raising=False)
    assert images.place() == "https://micropython.org/resources/firmware/"
