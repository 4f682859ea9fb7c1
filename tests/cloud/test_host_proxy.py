"""The way to the cloud leads through a proxy: each kind, with a login, with TLS inside, and one that refuses."""
import pytest

from tests.cloud.conftest import THING
from tests.cloud.hosting import certificate_of, connected, made
from tests.cloud.proxies import LOGIN, Proxy
from tests.cloud.responder import TOKEN, Responder, eventually

KINDS = ("SOCKS4", "SOCKS5", "HTTP")


@pytest.mark.parametrize("has_login", [False, True], ids=["open", "login"])
@pytest.mark.parametrize("kind", KINDS)
def test_messages_and_files_go_through_a_proxy(tmp_path, cloud, kind, has_login):
    cloud.files["f"] = bytes(5000)
    with Proxy(kind, has_login) as proxy, connected(tmp_path, cloud, proxy=proxy.settings()) as client:
        assert client.diag_ping() == 0
        assert client.file_download("f", str(tmp_path / "f"), True, timeout=10) == 0
        assert {port for _, port in proxy.places} == {cloud.port, cloud.file_port}
        assert (tmp_path / "f").read_bytes() == bytes(5000)


@pytest.mark.parametrize("kind", KINDS)
def test_tls_inside_of_a_proxy_looks_at_the_certificate_of_the_cloud(tmp_path, kind):
    paths = certificate_of(tmp_path)
    with Responder(paths) as cloud, Proxy(kind) as proxy, \
            connected(tmp_path, cloud, cloud={"transport": "tls", "file_xfer_host": "localhost"},
                      proxy=proxy.settings(), ca_bundle_file=paths[0]) as client:
        cloud.files["f"] = b"abc"
        assert client.file_download("f", str(tmp_path / "f"), True, timeout=10) == 0


def test_a_websocket_goes_through_a_proxy(tmp_path):
    paths = certificate_of(tmp_path)
    with Responder(paths, is_websocket=True) as cloud, Proxy("HTTP") as proxy, \
            connected(tmp_path, cloud, cloud={"transport": "wss"}, proxy=proxy.settings(),
                      ca_bundle_file=paths[0]) as client:
        assert client.diag_ping() == 0 and proxy.places == [("localhost", cloud.port)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_refuses_is_status_16_and_no_secret_in_the_log(tmp_path, cloud, kind):
    place = tmp_path / "log"
    with Proxy(kind, True, is_refusing=True) as proxy:
        client = made(tmp_path, cloud, proxy=proxy.settings(), log_file=str(place))
        assert client.connect(0.3) == 16 and client.is_alive() and not client.is_connected()
        proxy.is_refusing = False
        assert client.connect(10) == 0
        client.disconnect()
    said = place.read_text()
    assert "the proxy says" in said and TOKEN not in said and LOGIN[1] not in said


def test_a_login_that_the_proxy_does_not_know_is_status_16(tmp_path, cloud):
    with Proxy("SOCKS5", True) as proxy:
        client = made(tmp_path, cloud, proxy={**proxy.settings(), "password": "guess"}, log_file=str(tmp_path / "log"))
        assert client.connect(0.3) == 16 and proxy.places == []
        client.disconnect()
    assert "guess" not in (tmp_path / "log").read_text()


def test_a_proxy_that_dies_is_come_back_to(tmp_path, cloud):
    with Proxy("SOCKS5") as proxy, connected(tmp_path, cloud, proxy=proxy.settings()) as client:
        before = client.agent.link.ups
        cloud.drop()
        eventually(lambda: client.agent.link.ups > before)
        assert client.agent.thing == THING and len(proxy.places) == 2
