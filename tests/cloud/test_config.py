"""The settings of a thing: where they come from, what counts more, what cannot be used."""
import json
import uuid

import pytest

from micrOS.source.cloud.facade import Client

CLOUD = {"host": "cloud.example", "port": 8883, "token": "geheim"}


@pytest.fixture
def made(tmp_path):
    """Function that initializes a client of a file with these settings."""
    def make(told=None, given=None, app="app", change=None):
        if told is not None:
            (tmp_path / f"{app}-connect.cfg").write_text(told if isinstance(told, str) else json.dumps(told))
        client = Client(app, {"config_dir": str(tmp_path), **(given or {})})
        if change:
            change(client.config)
        assert client.initialize() == 0
        client.disconnect()
        return client

    return make


def test_the_program_counts_more_than_the_file_and_that_more_than_the_default(made):
    told = {"cloud": CLOUD, "qos_level": 0, "loop_time": 5, "validate_cloud_cert": "false"}
    config = made(told, {"loop_time": 7, "cloud": {"host": "other"}}).config
    assert (config.qos_level, config.loop_time, config.keep_alive, config.validate_cloud_cert) == (0, 7, 0, False)
    assert (config.cloud.host, config.cloud.port, config.cloud.nothing) == ("other", 8883, None)


def test_values_set_on_the_config_before_initialize_count(made):
    def change(config):
        config.keep_alive = 9
        config.cloud.token = "mine"
    config = made({"cloud": CLOUD}, change=change).config
    assert (config.keep_alive, config.cloud.token, config.cloud.host) == (9, "mine", "cloud.example")


def test_a_device_id_is_made_once_and_shared(made, tmp_path):
    one, other = made({"cloud": CLOUD}), made({"cloud": CLOUD}, app="other")
    ident = (tmp_path / "device_id").read_text()
    assert uuid.UUID(ident).version == 4
    assert (one.agent.thing, other.agent.thing) == (f"{ident}-app", f"{ident}-other")


@pytest.mark.parametrize(("told", "error", "words"), [
    (None, OSError, "app-connect.cfg"), ({"cloud": {"host": "x", "port": 1}}, KeyError, "cloud.token is missing"),
    ({}, KeyError, "cloud.host is missing"), ("[1]", ValueError, "a JSON object"), ("{", ValueError, "a JSON object"),
    ({"cloud": {**CLOUD, "port": "mqtt"}}, ValueError, "1-65535, got mqtt"),
    ({"cloud": {**CLOUD, "transport": "udp"}}, ValueError, "tcp, tls or wss")])
def test_what_cannot_be_used_is_named_and_no_secret_is(made, told, error, words):
    with pytest.raises(error, match=words) as raised:
        made(told)
    assert "geheim" not in str(raised.value)


def test_a_key_of_more_than_64_characters_is_refused(made):
    with pytest.raises(KeyError, match="take 63 characters, got 64"):
        made({"cloud": CLOUD}, app="a" * 28)


def test_offline_needs_no_file(tmp_path):
    client = Client("app", {"config_dir": str(tmp_path), "cloud": {"port": 1}}, offline=True)
    assert client.initialize() == 0 and client.telemetry_publish("x", 1) == 0 and client.connect(0.05) == 16
    assert client.is_alive() and not client.is_connected()
    client.disconnect()
    assert not client.is_alive()
