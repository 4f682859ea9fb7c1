"""/api/v1 against virtual boards: what a node tells, what changes it, what is refused and how."""
import json

import httpx
import pytest
from websockets.sync.client import connect

GREET = b'''"""Greets."""


def hi(name="you"):
    return "hi " + name


def help():
    return "hi name=<Ada,Bob>",
'''
FORGETS_HELP = b'"""No help."""\nimport time\n\n\ndef wait():\n    time.sleep(5)\n'
D = "/api/v1/devices/lamp0"


def problem(response, status):
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    told = response.json()
    assert {"type", "title", "status", "detail", "kind"} <= set(told) and told["status"] == status
    return told


def ask(api, command, device="lamp0"):
    return api.post(f"/api/v1/devices/{device}/commands", json={"command": command}).json()


def test_devices_are_listed_with_all_that_is_known(api, boards):
    rows = {row["name"]: row for row in api.get("/api/v1/devices").json()}
    lamp = rows["lamp0"]
    assert (lamp["address"], lamp["port"], lamp["state"]) == (boards[0].address, boards[0].shell_port, "up")
    assert lamp["version"] == "2.0.0-0" and lamp["uid"].startswith("micr") and lamp["last_seen"] > 1e9
    for tag in (lamp["uid"], lamp["address"], f"{lamp['address']}:{lamp['port']}"):
        assert api.get(f"/api/v1/devices/{tag}").json()["uid"] == lamp["uid"]


def test_a_command_is_answered_and_one_that_fails_says_so(api):
    done = ask(api, "rgb color 10 20 30 >json")
    assert done["ok"] and json.loads(done["text"]) == {"R": 10, "G": 20, "B": 30, "S": 1}
    assert (done["name"], done["command"]) == ("lamp0", "rgb color 10 20 30 >json")
    refused = ask(api, "rgb colour 1")
    assert not refused["ok"] and "no function colour" in refused["text"]


@pytest.mark.parametrize("command", ("conf", "exit", " ", "two\nlines", "x" * 2048, "nul\0"))
def test_what_is_no_command_is_422_with_the_reason(api, command):
    problem(api.post(f"{D}/commands", json={"command": command}), 422)


def test_a_get_answers_what_only_reads_and_refuses_the_rest(api):
    assert api.get(f"{D}/commands", params={"command": "version"}).json()["text"] == "2.0.0-0"
    problem(api.get(f"{D}/commands", params={"command": "rgb toggle"}), 403)


def test_health_has_memory_flash_and_alarms(api):
    health = api.get(f"{D}/health", params={"max_age_s": 0}).json()
    assert 0 < health["heap_used_pct"] < 100 and 0 < health["flash_used_pct"] < 100
    assert health["alarms"] == 0 and health["cpu_temp_c"] > 0 and health["uptime_s"] >= 0


def test_a_setting_is_set_and_a_bad_value_is_refused_in_the_nodes_words(api):
    before = api.get(f"{D}/config/soctout").json()["value"]
    assert api.put(f"{D}/config/soctout", json={"value": 77}).json()["value"] == 77
    told = problem(api.put(f"{D}/config/soctout", json={"value": "soon"}), 422)
    assert told["detail"] == "Failed to save: soctout takes a whole number, got soon"
    assert api.get(f"{D}/config/soctout").json()["value"] == 77
    api.put(f"{D}/config/soctout", json={"value": before})


def test_a_setting_tells_what_it_takes(api):
    rows = {row["key"]: row for row in api.get(f"{D}/config").json()}
    assert (rows["soctout"]["least"], rows["soctout"]["most"], rows["soctout"]["default"]) == (5, 86400, 100)
    assert rows["nwmd"]["choices"] == ["n/a", "STA", "AP"] and rows["auth"]["default"] is False
    assert all(row["doc"] for row in rows.values()) and rows["appwd"]["default"] is None


def test_a_secret_is_never_shown_and_a_line_break_is_no_value(api):
    rows = {row["key"]: row for row in api.get(f"{D}/config").json()}
    assert rows["appwd"]["value"] == "********" and rows["appwd"]["secret"]
    assert rows["hwuid"]["fixed"] and not rows["socmax"]["fixed"]
    told = problem(api.put(f"{D}/config/appwd", json={"value": "tiny secret"}), 422)
    assert "tiny secret" not in json.dumps(told)
    problem(api.put(f"{D}/config/soctout", json={"value": "1\nreboot"}), 422)
    problem(api.put(f"{D}/config/hwuid", json={"value": "x"}), 422)
    problem(api.put(f"{D}/config/nothing", json={"value": "x"}), 404)


def test_modules_say_which_are_loaded_and_help_has_every_parameter(api):
    ask(api, "rgb status")
    modules = {row["name"]: row for row in api.get(f"{D}/modules").json()}
    assert modules["rgb"]["loaded"] and not modules["servo"]["loaded"] and "color" in modules["rgb"]["functions"]
    rgb = api.get(f"{D}/help/rgb").json()
    color = next(each for each in rgb["functions"] if each["name"] == "color")
    assert [each["name"] for each in color["parameters"]] == ["r", "g", "b", "smooth", "force"]
    assert rgb["source"] == "node"
    assert color["parameters"][3]["choices"] == ["True", "False"]
    servo = api.get(f"{D}/help/servo").json()
    assert servo["source"] == "catalogue" and servo["functions"]
    assert "servo" not in [row["name"] for row in api.get(f"{D}/modules").json() if row["loaded"]]     # nor is it now
    assert {each["name"] for each in api.get(f"{D}/help").json()} == set(modules)
    problem(api.get(f"{D}/help/nothing"), 404)


def test_a_module_is_loaded_by_a_post_and_by_no_get(api, gateway):
    def is_loaded():
        return next(row["loaded"] for row in api.get(f"{D}/modules").json() if row["name"] == "buzzer")

    assert api.get(f"{D}/help/buzzer", params={"load": "true"}).json()["source"] == "catalogue" and not is_loaded()
    with gateway.client("view") as viewer:
        problem(viewer.post(f"{D}/help/buzzer"), 403)
    assert not is_loaded()
    with gateway.gateway.events.subscribe("command") as heard:
        assert api.post(f"{D}/help/buzzer").json()["source"] == "node" and is_loaded()
        assert [event.data["command"] for event in heard._box] == ["buzzer help"]
    problem(api.post(f"{D}/help/nothing"), 404)


def test_a_task_is_seen_heard_and_killed(api):
    ask(api, "system heartbeat &&100")
    assert {"tag": "system.heartbeat", "active": True} in api.get(f"{D}/tasks").json()
    assert api.get(f"{D}/tasks/system.heartbeat").json()["tag"] == "system.heartbeat"
    assert "True" in api.delete(f"{D}/tasks/system.heartbeat").json()["text"]
    problem(api.delete(f"{D}/tasks/no.such"), 404)


def test_a_dropped_module_can_be_called_at_once_and_is_not_sent_twice(api, gateway):
    with gateway.gateway.events.subscribe("drop.*") as heard:
        first = api.post(f"{D}/files", files=[("files", ("LM_greet.py", GREET))]).json()
        topics = [event.topic for event in heard._box]
    assert first["done"] and not first["findings"]
    assert [(row["name"], row["sent"]) for row in first["files"]] == [("modules/LM_greet.py", True)]
    assert topics[-1] == "drop.done" and "drop.progress" in topics
    assert ask(api, 'greet hi "Ada"')["text"] == "hi Ada"
    hi = next(each for each in api.get(f"{D}/help/greet").json()["functions"] if each["name"] == "hi")
    assert hi["parameters"] == [{"name": "name", "default": None, "choices": ["Ada", "Bob"]}]
    again = api.post(f"{D}/files", files=[("files", ("LM_greet.py", GREET))]).json()
    assert not again["files"][0]["sent"]
    assert "modules/LM_greet.py" in [row["name"] for row in api.get(f"{D}/files").json()["files"]]


def test_a_module_with_findings_is_sent_only_when_forced(api):
    held = api.post(f"{D}/files", files=[("files", ("LM_waits.py", FORGETS_HELP))]).json()
    assert not held["done"] and not held["files"]
    assert {row["rule"] for row in held["findings"]} and all(row["file"] == "LM_waits.py" for row in held["findings"])
    assert api.post(f"{D}/files?force=true", files=[("files", ("LM_waits.py", FORGETS_HELP))]).json()["done"]


@pytest.mark.parametrize("name", ("../LM_x.py", "/LM_x.py", ".boot", "a b.py", "usr/../../x", "x" * 80))
def test_a_name_that_leaves_its_place_is_422(api, name):
    problem(api.post(f"{D}/files", files=[("files", (name, b"x = 1"))]), 422)


def test_events_tell_of_commands_and_hide_secrets(gateway, api):
    with gateway.client("view") as listener:
        with listener.stream("GET", "/api/v1/events", params={"topics": "command", "most": 2}) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            ask(api, "rgb toggle")
            ask(api, "telegram send token=abc")
            rows = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert [row["command"] for row in rows] == ["rgb toggle", "***"]
    assert stream.headers["content-type"].startswith("text/event-stream")


def test_the_bus_of_a_node_can_be_listened_to(api):
    with api.stream("GET", f"{D}/bus", params={"topic": "news", "seconds": 20}) as stream:
        lines = stream.iter_lines()
        next(lines)
        while True:          # the watcher subscribes when it has come, which nothing tells from outside
            ask(api, "bus publish news 7")
            if "1 subscriber" in ask(api, "bus publish news 8")["text"]:
                break
        heard = next(line for line in lines if line.startswith("data: "))
    assert json.loads(heard[6:])["topic"] == "news"


def test_the_console_is_a_session_of_its_own(gateway, boards):
    url = gateway.url.replace("http", "ws") + f"{D}/console"
    with connect(url, additional_headers={"Authorization": f"Bearer {gateway.admin}"}, proxy=None) as console:
        assert console.recv(10) == "lamp0 $ "
        console.send("conf\n")
        assert console.recv(10).endswith("[configure] lamp0 $ ")
        console.send("noconf\nversion\n")
        said = ""
        while said.count("lamp0 $ ") < 2:
            said += console.recv(10)
        assert "2.0.0-0\n" in said


@pytest.mark.parametrize("headers", ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "micros_session=a.1.b"}))
def test_no_console_without_a_token(gateway, headers):
    with pytest.raises(Exception, match="403"):
        connect(gateway.url.replace("http", "ws") + f"{D}/console", additional_headers=headers, proxy=None)


def test_the_answers_are_the_same_by_cli_and_rest(api, boards):
    assert ask(api, "system info")["text"].splitlines()[3:6] == boards[0].shell("system info").splitlines()[3:6]


def test_a_deleted_node_is_back_after_the_next_search(api):
    assert api.delete("/api/v1/devices/lamp1").status_code == 204
    problem(api.get("/api/v1/devices/lamp1"), 404)
    assert api.post("/api/v1/devices/search").json()["nodes"] == 2
    assert api.get("/api/v1/devices/lamp1").status_code == 200


def test_what_is_not_there_is_a_problem_too(api):
    problem(api.get("/api/v1/nothing"), 404)
    assert problem(api.patch("/api/v1/devices"), 405)["detail"] == "this path takes GET, not PATCH"
    told = problem(api.post(f"{D}/commands", content=b"{"), 422)
    assert told["errors"]
    assert isinstance(api.get("/api/v1/gateway"), httpx.Response)
