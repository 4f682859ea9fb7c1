"""Who may do what: tokens, roles, the cookie of a browser, and other sites' pages."""
import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.gateway.fakes import FakeNode
from toolkit.errors import UsageError
from toolkit.gateway import access as access_file
from toolkit.gateway.access import COOKIE, Access, NotKeptError
from toolkit.gateway.api_virtual import _pin
from toolkit.gateway.job_work import shown
from toolkit.gateway.reading import role_for

D = "/api/v1/devices/lamp0"


def test_a_token_is_shown_once_and_only_its_hash_is_kept(tmp_path):
    access = Access(tmp_path)
    assert access.is_new()
    token = access.make("operate", "test")
    kept = (tmp_path / "tokens.json").read_text()
    assert token not in kept and "micros_" not in kept
    assert (tmp_path / "tokens.json").stat().st_mode & 0o77 == 0
    assert Access(tmp_path).caller(token).role == "operate"


def test_a_role_may_what_lesser_ones_may(tmp_path):
    access = Access(tmp_path)
    may = {role: [access.caller(access.make(role)).may(what) for what in ("view", "operate", "admin")]
           for role in ("view", "operate", "admin")}
    assert may == {"view": [True, False, False], "operate": [True, True, False], "admin": [True, True, True]}
    with pytest.raises(UsageError, match="one of view, operate, admin"):
        access.make("root")


def test_a_token_made_by_another_process_counts_at_once_and_a_revoked_one_no_more(tmp_path):
    running, beside = Access(tmp_path), Access(tmp_path)
    token = beside.make("view")
    assert running.caller(token)
    cookie = running.cookie(running.caller(token))
    assert running.of_cookie(cookie).role == "view"
    beside.revoke(beside.tokens()[0].ident)
    assert running.caller(token) is None and running.of_cookie(cookie) is None


@pytest.mark.parametrize("change", (lambda value: value[:-1] + "0", lambda value: value.replace(".", ".9", 1),
                                    lambda value: "x" + value[1:], lambda value: "", lambda value: "." * 300))
def test_a_cookie_that_was_touched_is_none(tmp_path, change):
    access = Access(tmp_path)
    value = access.cookie(access.caller(access.make("admin")))
    assert value[-1] == "0" or access.of_cookie(change(value)) is None


def test_tokens_that_cannot_be_read_stop_the_start_and_say_so(tmp_path):
    (tmp_path / "tokens.json").write_text("{broken")
    with pytest.raises(UsageError, match="holds no tokens"):
        Access(tmp_path)


@pytest.mark.parametrize("name", ("tokens.json", "cookie.key"))
def test_a_file_that_is_none_stops_the_start_and_is_named(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(NotKeptError, match=rf"{name} cannot be read: Is a directory"):
        Access(tmp_path)


@pytest.mark.parametrize("method, path, body, least", (
    ("GET", "/api/v1/devices", None, "view"), ("GET", D, None, "view"), ("GET", f"{D}/tasks", None, "view"),
    ("GET", "/metrics", None, "view"), ("GET", f"{D}/config", None, "view"),
    ("POST", f"{D}/commands", {"command": "version"}, "view"),
    ("POST", f"{D}/commands", {"command": "rgb status"}, "operate"),
    ("POST", f"{D}/commands", {"command": "webrepl"}, "admin"),
    ("POST", f"{D}/commands", {"command": "job 1 webrepl"}, "admin"),
    ("POST", f"{D}/commands", {"command": 'intercon sendcmd host="127.0.0.9" cmd="lmpacman listlm"'}, "admin"),
    ("GET", "/sendcmd/lamp0/rgb+status", None, "operate"), ("GET", "/sendcmd/lamp0/lmpacman+listmods", None, "admin"),
    ("GET", "/metrics/lamp0/system+info", None, "view"), ("GET", "/metrics/lamp0/rgb+status", None, "operate"),
    ("DELETE", f"{D}/tasks/no.such", None, "operate"), ("POST", "/api/v1/devices/search", None, "operate"),
    ("PUT", f"{D}/config/socmax", {"value": 8}, "admin"), ("GET", "/api/v1/tokens", None, "admin"),
    ("POST", f"{D}/files", None, "admin"),
))
def test_each_path_takes_its_role(gateway, method, path, body, least):
    roles = ("view", "operate", "admin")
    with gateway.client(None) as stranger:
        assert stranger.request(method, path, json=body).status_code == 401
    for role in roles:
        with gateway.client(role) as client:
            is_allowed = client.request(method, path, json=body).status_code not in (401, 403)
            assert is_allowed == (roles.index(role) >= roles.index(least)), role


@pytest.mark.parametrize("command, role", (
    ("intercon sendcmd host=lamp1 cmd='lmpacman dellm rgb'", "admin"), ("intercon sendcmd lamp1 webrepl", "admin"),
    ("cron add 12:00:00!lmpacman dellm rgb", "admin"), ('cloud rule gone "lmpacman dellm rgb"', "admin"),
    ("cloud upload /node_config.json", "admin"), (r'intercon sendcmd lamp1 "lm\u0070acman dellm rgb"', "admin"),
    (r'intercon sendcmd lamp1 "lm\u005cu0070acman dellm rgb"', "admin"),
    ("cloud telemetry lux 3", "operate"), ("intercon sendcmd lamp1 rgb toggle", "operate"), ("modules", "view"),
))
def test_a_command_inside_of_a_command_takes_its_role(command, role):
    assert role_for(command) == role


def test_nobody_is_trusted_by_address_or_by_what_a_proxy_says(gateway):
    with gateway.client(None) as stranger:
        told = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
        assert stranger.get("/api/v1/devices", headers=told).status_code == 401


def test_a_browser_enters_with_a_cookie_that_scripts_cannot_read(gateway):
    with gateway.client(None) as browser:
        entered = browser.post("/api/v1/session", json={"token": gateway.admin})
        assert entered.json()["role"] == "admin"
        set_cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in set_cookie and "samesite=strict" in set_cookie and gateway.admin not in set_cookie
        assert browser.get("/api/v1/session").json()["role"] == "admin"
        browser.delete("/api/v1/session")
        assert COOKIE not in browser.cookies and browser.get("/api/v1/session").status_code == 401
        assert browser.post("/api/v1/session", json={"token": "wrong"}).status_code == 401


def test_another_sites_page_gets_nothing_through_a_browser(gateway):
    with gateway.client(None) as browser:
        browser.post("/api/v1/session", json={"token": gateway.admin})
        other, own = {"Origin": "http://evil.example"}, {"Origin": gateway.url}
        assert browser.post(f"{D}/commands", json={"command": "version"}, headers=other).status_code == 401
        assert browser.post(f"{D}/commands", json={"command": "version"}, headers=own).status_code == 200
        asked = browser.options(f"{D}/commands", headers={**other, "Access-Control-Request-Method": "POST"})
        assert not [name for name in asked.headers if name.startswith("access-control")]


def test_a_picture_in_another_ports_page_moves_nothing(gateway):
    """A strict cookie goes to all ports of a host, and a picture is asked for without an origin."""
    with gateway.client(None) as browser:
        browser.post("/api/v1/session", json={"token": gateway.admin})
        for path in ("/sendcmd/lamp0/rgb+status", "/metrics/lamp0/rgb+status"):
            for told in ({}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}):
                assert browser.get(path, headers=told).status_code == 403, (path, told)
            for told in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": gateway.url}):
                assert browser.get(path, headers=told).status_code == 200, (path, told)
        assert browser.get("/sendcmd/lamp0/version").status_code == 200


def test_who_may_not_begin_a_run_may_not_stop_it(make_gateway):
    gateway, admin, _ = make_gateway(FakeNode("node01", "micr01OS"), parts=("api", "runs"))
    run = admin.post("/api/v1/devices/node01/update", json={}).json()["id"]
    with gateway.client("operate") as operator:
        assert operator.delete(f"/api/v1/runs/{run}").status_code == 403
    assert admin.delete(f"/api/v1/runs/{run}").status_code == 200


def test_a_widget_takes_the_role_of_its_command_since_another_may_press_it(make_gateway):
    node = FakeNode("node01", "micr01OS")
    node.answers.update({"guimeta": "n/a"})
    gateway, _, _ = make_gateway(node, parts=("api", "api_layout"))
    with gateway.client("operate") as operator:
        for command, status in (("lmpacman ls", 403), ("rgb on", 422)):       # this node saves nothing; it was asked to
            widgets = [{"kind": "button", "label": "Lamp", "command": command}]
            assert operator.put("/api/v1/devices/node01/layout", json={"widgets": widgets}).status_code == status
    assert not [line for line in node.heard if "lmpacman" in line]


def test_a_job_does_not_tell_the_secret_in_its_command():
    assert shown("command", {"command": "vsoa load password=hunter2"}) == {"command": "***"}


def test_a_console_ends_with_its_token(gateway, monkeypatch):
    monkeypatch.setattr(access_file, "LOOK_S", 0.02)
    access = gateway.gateway.access
    headers = {"Authorization": f"Bearer {access.make('admin', 'lent')}"}
    with connect(gateway.url.replace("http", "ws") + f"{D}/console", additional_headers=headers, proxy=None) as console:
        assert console.recv(10) == "lamp0 $ "
        access.revoke(next(token.ident for token in access.tokens() if token.label == "lent"))
        with pytest.raises(ConnectionClosed):
            console.recv(10)


def test_a_pin_of_a_virtual_board_is_a_number_or_a_name():
    assert [_pin(text) for text in ("2", "dim_1", "\u00b2")] == [2, "dim_1", "\u00b2"]


def test_tokens_are_made_listed_and_revoked_by_an_admin(api, gateway):
    made = api.post("/api/v1/tokens", json={"role": "view", "label": "prometheus"}).json()["token"]
    row = next(each for each in api.get("/api/v1/tokens").json() if each["label"] == "prometheus")
    assert set(row) == {"ident", "role", "label", "made_at"} and made not in json.dumps(row)
    assert api.delete(f"/api/v1/tokens/{row['ident']}").status_code == 204
    assert api.delete(f"/api/v1/tokens/{row['ident']}").status_code == 404
    assert gateway.gateway.access.caller(made) is None
