"""A web server of a test with an update for a node."""
import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def package(**files: bytes) -> bytes:
    """A set as cloud/board_update.py takes it."""
    rows = "".join(f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}\n" for name, data in files.items())
    return b"micrOS set 1\n" + rows.encode() + b"\n" + b"".join(files.values())


@contextlib.contextmanager
def served(body: bytes) -> Iterator[str]:
    """Its URL."""
    class Talk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/new.set"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
