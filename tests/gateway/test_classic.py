"""The paths of 1.20, field by field; what they got wrong is right here."""
import time

import pytest


def told(api, path):
    response = api.get(path)
    assert response.status_code == 200, response.text
    return response.json()


def until(api, path, is_there, limit_s=20.0):
    """What a path tells once it tells it: 1.20 works in the background and answers at once."""
    deadline = time.monotonic() + limit_s
    while not is_there(answer := told(api, path)):
        assert time.monotonic() < deadline, answer
    return answer


@pytest.fixture
def fresh(gateway):
    """Nobody has looked at the nodes within the last minute."""
    gateway.app.state.classic.status.ended_at = -1e9
    gateway.app.state.classic.statuses.clear()


@pytest.fixture
def uid(gateway):
    return gateway.gateway.nodes.find("lamp0").uid


def test_the_overview_names_the_paths(api):
    overview = told(api, "/")
    assert list(overview) == ["micrOS gateway", "/list", "/search", "/status", "/sendcmd/<device>/<cmd>"]
    assert overview["micrOS gateway"] == "v1.1" and all(isinstance(text, str) for text in overview.values())


def test_a_browser_that_opens_the_front_is_sent_to_the_pages(api):
    response = api.get("/", headers={"Accept": "text/html,*/*"})
    assert (response.status_code, response.headers["location"]) == (307, "/docs")


def test_list_has_every_node_by_uid_with_address_port_and_name(api, boards, uid):
    listed = until(api, "/list/", lambda answer: len(answer["online"]) == 2)
    assert list(listed) == ["online", "offline", "gateway_metrics"]
    assert listed["online"][uid] == [boards[0].address, boards[0].shell_port, "lamp0"]
    assert list(listed["gateway_metrics"]) == ["status", "last[sec]"]
    assert listed["gateway_metrics"]["status"] in ("Done", "running")
    assert told(api, "/list")["online"].keys() == listed["online"].keys()


def test_search_starts_runs_and_is_done(api, boards, uid):
    found = until(api, "/search/", lambda answer: answer["gateway_metrics"]["status"] == "Done")
    assert list(found) == ["devices", "gateway_metrics"]
    assert found["devices"][uid] == [boards[0].address, boards[0].shell_port, "lamp0"]
    assert list(found["gateway_metrics"]) == ["status", "last[sec]", "qlimit[sec]"]
    assert found["gateway_metrics"]["qlimit[sec]"] == 30


def test_status_has_every_field_and_clears_no_alarm(api, boards, uid, fresh):
    boards[0].shell("system alarms test=True")
    status = until(api, "/status", lambda answer: len(answer["devices"]) == 2)
    row, metrics = status["devices"][uid], status["gateway_metrics"]
    assert list(row) == ["verdict", "fuid", "devip", "version", "alarms", "latency", "upython", "cpu_temp", "free_fs",
                         "free_ram"]
    assert list(row["alarms"]) == ["verdict", "log"]
    assert list(metrics) == ["status", "last[sec]", "qlimit[sec]", "device_count", "availablity[%]"]
    assert (metrics["qlimit[sec]"], metrics["device_count"], metrics["availablity[%]"]) == (60, 2, 100)
    assert (row["fuid"], row["devip"], row["version"]) == ("lamp0", boards[0].address, "2.0.0-0")
    assert row["verdict"] == "UNHEALTHY" and row["alarms"]["verdict"] == "NOK alarm: 1"
    assert any("TeSt ErRoR" in line for line in row["alarms"]["log"])
    assert 0 < row["latency"] < 10 and row["upython"].startswith("v1.") and float(row["cpu_temp"])
    assert "TeSt ErRoR" in boards[0].shell("system alarms")
    boards[0].shell("system alarms clean=True")


def test_free_means_free(api, boards, uid):
    status = until(api, "/status", lambda answer: len(answer["devices"]) == 2)
    used = {row.split(": ")[0]: float(row.split(": ")[1][:-2]) for row in boards[0].shell("system info").splitlines()
            if row.endswith("%")}
    free = {key: float(status["devices"][uid][key].removesuffix(" %")) for key in ("free_fs", "free_ram")}
    assert free["free_fs"] == pytest.approx(100 - used["FS usage"], abs=2)
    assert free["free_ram"] == pytest.approx(100 - used["Mem usage"], abs=25)


@pytest.mark.parametrize("path, words, response", (
    ("version", ["version"], "2.0.0-0"),
    ("rgb+color+10+20+30", ["rgb", "color", "10", "20", "30"], ["R: 10", "G: 20", "B: 30", "S: 1"]),
    ("rgb color 1 2 3 >json", ["rgb", "color", "1", "2", "3", ">json"], '{"R": 1, "G": 2, "B": 3, "S": 1}'),
))
def test_sendcmd_tells_command_device_latency_and_response(api, boards, uid, path, words, response):
    sent = told(api, f"/sendcmd/lamp0/{path}")
    assert list(sent) == ["cmd", "device", "latency", "response"]
    assert sent["cmd"] == words and 0 <= sent["latency"] < 10
    assert sent["device"] == [uid, boards[0].address, boards[0].shell_port, "lamp0"]
    assert sorted(sent["response"]) == sorted(response)          # a dict has no order on a node


def test_sendcmd_keeps_the_blanks_of_help(api):
    assert told(api, "/sendcmd/lamp0/rgb+help")["response"][0].startswith(" color")


def test_an_unknown_device_is_404_and_so_is_another_spelling(api):
    for name in ("nobody", "LAMP0", "lamp", "lamp0%20", "127.0.0.99"):
        response = api.get(f"/sendcmd/{name}/version")
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


def test_sendcmd_takes_operate_and_the_rest_view(gateway):
    with gateway.client("view") as viewer, gateway.client("operate") as operator, gateway.client(None) as stranger:
        assert viewer.get("/sendcmd/lamp0/version").status_code == 403
        assert operator.get("/sendcmd/lamp0/version").status_code == 200
        for path in ("/list/", "/search/", "/status"):
            assert viewer.get(path).status_code == 200
            assert stranger.get(path).status_code == 401
