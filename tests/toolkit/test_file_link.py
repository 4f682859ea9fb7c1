"""The file client against a stock WebREPL server."""
import pytest
from foreign import Node120, StockWebrepl, free_port

from toolkit.errors import LinkError, RefusedError, UsageError
from toolkit.link.webrepl import FileLink

SIZES = (0, 1, 125, 126, 4095, 4096, 4097, 100_000)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_can_be_got(size):
    content = bytes(at * 7 % 256 for at in range(size))
    with StockWebrepl() as server, FileLink("127.0.0.1", "secret", server.port) as link:
        assert link.put("data.bin", content) == size
        assert server.files == {"data.bin": content}
        assert link.get("data.bin") == content


def test_a_path_is_sent_with_progress(tmp_path):
    path = tmp_path / "LM_lamp.py"
    path.write_bytes(b"x" * 5000)
    steps = []
    with StockWebrepl() as server, FileLink("127.0.0.1", "secret", server.port) as link:
        link.put("LM_lamp.py", path, lambda done, total: steps.append((done, total)))
    assert steps == [(4096, 5000), (5000, 5000)]


def test_the_version_is_three_numbers():
    with StockWebrepl() as server, FileLink("127.0.0.1", "secret", server.port) as link:
        assert link.version() == (1, 20, 0)


def test_a_wrong_password_is_refused_and_not_told():
    with StockWebrepl(denied=b"\r\nAccess denied: hunter2\r\n") as server, pytest.raises(RefusedError) as caught:
        FileLink("127.0.0.1", "hunter2", server.port)
    assert "Access denied" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_refusal_gives_the_reason_of_the_node():
    with StockWebrepl(refuses={"LM_x.py": "no valid manifest"}) as server:
        with FileLink("127.0.0.1", "secret", server.port, "node01") as link:
            with pytest.raises(RefusedError, match="^node01 refused LM_x.py: no valid manifest$"):
                link.put("LM_x.py", b"pass")
            link.put("LM_y.py", b"pass")      # the link lives on


def test_a_refusal_without_a_reason_gives_the_code():
    with StockWebrepl(refuses={"LM_x.py": None}) as server, FileLink("127.0.0.1", "secret", server.port) as link:
        with pytest.raises(RefusedError, match="code 1, no reason given"):
            link.put("LM_x.py", b"pass")


def test_a_refusal_stops_a_large_file():
    class Full(StockWebrepl):
        def operate(self, take, send):
            take(82)
            send(b"WB\0\0")
            take(1)
            send(b"no space left", 1)
            send(b"WB\2\0")
            while True:
                take(1024)

    sent = []
    with Full() as server, FileLink("127.0.0.1", "secret", server.port, "node01") as link:
        with pytest.raises(RefusedError, match="^node01 refused big.bin: no space left$"):
            link.put("big.bin", bytes(8 << 20), lambda done, total: sent.append(done))
    assert sent[-1] < 8 << 20


def test_a_missing_file_is_refused():
    with StockWebrepl() as server, FileLink("127.0.0.1", "secret", server.port) as link:
        with pytest.raises(RefusedError, match="refused nothing.py"):
            link.get("nothing.py")


def test_a_long_name_is_not_sent():
    with StockWebrepl() as server, FileLink("127.0.0.1", "secret", server.port) as link, pytest.raises(UsageError):
        link.put("x" * 65, b"")


def test_a_second_client_learns_that_the_seat_is_taken():
    with StockWebrepl() as server:
        server.serve = lambda client: None
        with pytest.raises(RefusedError, match="another client"):
            FileLink("127.0.0.1", "secret", server.port)


def test_a_shell_is_no_webrepl():
    with Node120(greeting=b"node01 $ \r\n\r\n") as node, pytest.raises(LinkError, match="is no WebREPL"):
        FileLink("127.0.0.1", "secret", node.port)


def test_nobody_there_names_the_address():
    port = free_port()
    with pytest.raises(LinkError, match=f"127.0.0.1:{port} cannot be reached"):
        FileLink("127.0.0.1", "secret", port)


def test_a_password_is_one_line():
    with StockWebrepl() as server, pytest.raises(UsageError):
        FileLink("127.0.0.1", "a\rb", server.port)
