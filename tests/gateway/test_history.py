"""What is kept of the past: values and events, bounded, asked for, drawn and exported."""
import asyncio
import csv
import io
import json
import time
import xml.etree.ElementTree as xml
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.device.wire import eventually
from tests.gateway.fleet_fakes import FakeFleet
from tests.gateway.running import Running, running_gateway
from tests.toolkit.foreign import free_port
from toolkit.errors import UsageError
from toolkit.gateway.cloud.samples import stamp
from toolkit.gateway.history import BOX, MOST_METRICS, History, as_csv, as_svg, thinned
from toolkit.simulator import VirtualBoard

PARTS = ("api", "metrics", "engine", "jobs", "history", "cloud")
LEVEL = {"command": "dimmer status", "metric": "lamp_level", "value": "X"}
PATIENCE_S = 40


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    with VirtualBoard(config={"ntphost": "n/a", "socmax": 4, "devfid": "kept"}, mpy=True, heap="448K") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(board, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("history")
    (folder / "gateway").mkdir()
    (folder / "gateway" / "samples.json").write_text(json.dumps([LEVEL]))
    with FakeFleet(2) as fleet, running_gateway(
            folder, [f"{board.address}:{board.shell_port}"], PARTS, fleet.devices, engine=None, sample_s=1, watch_s=2,
            mqtt=f"127.0.0.1:{free_port()}", mqtt_users={"node": "secret"}) as running:
        with running.client() as client:
            client.post("/api/v1/devices/search")
        eventually(lambda: running.app.state.history.readings.are_taken, bool, PATIENCE_S)
        yield running


@pytest.fixture
def history(gateway: Running) -> History:
    return gateway.app.state.history


def loop(history: History) -> asyncio.AbstractEventLoop:
    return history._chores[0].get_loop()


def tell(history: History, topic: str, data: dict) -> None:
    """An event, from the thread of the test."""
    loop(history).call_soon_threadsafe(history._gateway.events.publish, topic, data)


def told(client, path, is_whole=bool, **params):
    """JSON of the history, as soon as it is whole."""
    found = eventually(lambda: client.get(f"/api/v1/history/{path}", params=params),
                       lambda answer: answer.status_code == 200 and is_whole(answer.json()), PATIENCE_S)
    return found.json()


def last(rows: list[dict]) -> dict[str, float]:
    return {row["metric"]: row["value"] for row in rows}


def test_values_are_kept_and_told_as_json_csv_and_picture(gateway, history):
    now = time.time()
    points = [(now - 300 + number, float(number)) for number in range(200)]
    for at, value in [*points, *points[:5]]:              # a value that comes twice is kept once
        tell(history, "telemetry", {"uid": "micrfa000000OS", "at": at, "values": {"warmth": value}})
    with gateway.client("view") as client:
        place = "/api/v1/history/devices/fake0000"
        series = told(client, "devices/fake0000/warmth", lambda series: len(series["points"]) >= 200)
        assert [tuple(row) for row in series["points"]] == points
        assert {"metric": "warmth", "at": points[-1][0], "value": 199.0} in client.get(place).json()
        some = client.get(f"{place}/warmth", params={"since": points[50][0], "until": points[59][0]}).json()["points"]
        assert [value for _, value in some] == list(range(50, 60))
        assert len(client.get(f"{place}/warmth", params={"most": 10}).json()["points"]) == 10
        rows = list(csv.DictReader(io.StringIO(client.get(f"{place}/warmth", params={"format": "csv"}).text)))
        assert len(rows) == 200 and rows[7]["value"] == "7.0" and rows[0]["time"].endswith("Z")
        drawn = client.get(f"{place}/warmth", params={"format": "svg", "most": 50})
        line = xml.fromstring(drawn.text).find("{http://www.w3.org/2000/svg}polyline")
        assert drawn.headers["content-type"] == "image/svg+xml" and len(line.attrib["points"].split()) == 50
        assert client.get(f"{place}/nothing").json()["points"] == []
        assert client.get("/api/v1/history/devices/nobody").status_code == 404


@pytest.mark.slow
def test_a_figure_of_a_node_that_the_config_names_is_in_metrics_and_in_the_history(gateway, board):
    board.shell("dimmer set_value 321 smooth=False")
    with gateway.client("view") as client:
        eventually(lambda: client.get("/metrics").text, lambda page: 'micros_lamp_level{device="kept"' in page,
                   PATIENCE_S)
        series = told(client, "devices/kept/lamp_level", lambda series: 321.0 in dict(series["points"]).values())
        rows = last(client.get("/api/v1/history/devices/kept").json())
        assert {"heap_used_pct", "flash_used_pct", "latency_ms", "alarms", "lamp_level"} <= set(rows)
        assert 0 < rows["heap_used_pct"] < 100
        sheet = client.get("/api/v1/history/devices/kept/lamp_level", params={"format": "csv"}).text
        assert [str(series["points"][-1][0]), "321.0"] in [row[1:] for row in csv.reader(io.StringIO(sheet))]
        drawn = client.get("/api/v1/history/devices/kept/lamp_level", params={"format": "svg"}).text
        assert "kept lamp_level" in drawn


@pytest.mark.slow
def test_what_a_node_tells_by_mqtt_is_in_the_history(gateway, board):
    place, user = gateway.gateway.settings.mqtt, {"user": "node", "password": "secret"}
    config = {"host": "127.0.0.1", "port": int(place.rpartition(":")[2]), **user, "every": 0.2}
    (board.dir / "mqtt-connect.cfg").write_text(json.dumps(config))
    board.shell("dimmer set_value 123 smooth=False")
    assert board.shell("mqtt connect") == f"connected to {place}"
    with gateway.client("view") as client:
        told(client, "devices/kept/dimmer.X", lambda series: 123.0 in dict(series["points"]).values())
        board.shell("dimmer set_value 456 smooth=False")
        told(client, "devices/kept/dimmer.X", lambda series: series["points"][-1][1] == 456.0)
    board.shell("mqtt disconnect")


def test_a_property_of_a_thing_is_told_as_the_values_of_nodes_are(gateway, history):
    items = [{"key": "temp [C]", "value": number + 0.5, "ts": stamp(time.time() - number)} for number in range(3)]
    items.append({"key": "word", "value": "text"})
    take = gateway.app.state.cloud.samples.take("thing-1", "property", items, 10, "an-ident")
    asyncio.run_coroutine_threadsafe(take, loop(history)).result(PATIENCE_S)
    with gateway.client("view") as client:
        assert last(told(client, "things/thing-1")) == {"temp [C]": 0.5}
        assert [value for _, value in told(client, "things/thing-1/temp%20%5BC%5D")["points"]] == [2.5, 1.5, 0.5]
        sheet = client.get("/api/v1/history/things/thing-1/temp [C]", params={"format": "csv"}).text
        assert [row[2] for row in csv.reader(io.StringIO(sheet))] == ["value", "2.5", "1.5", "0.5"]


def test_a_node_that_makes_up_metrics_takes_no_room_from_the_others(gateway, history):
    before = history.dropped
    for number in range(MOST_METRICS + 6):
        tell(history, "telemetry", {"uid": "micrMANYOS", "values": {f"m{number}": number}})
    eventually(lambda: (history.dropped - before, history.waiting), lambda now: now == (6, 0), PATIENCE_S)
    with gateway.client("view") as client:            # and one that no search has found goes by its uid
        told(client, "devices/micrMANYOS", lambda rows: len(rows) == MOST_METRICS)


def test_events_are_kept_beside(gateway, history):
    tell(history, "job.test", {"job": "x"})
    tell(history, "node.test", {})
    with gateway.client("view") as client:
        rows = eventually(lambda: client.get("/api/v1/history/events", params={"topics": "job.*"}).json(), bool)
    assert [(row["topic"], row["data"]) for row in rows] == [("job.test", {"job": "x"})]


def test_without_the_engine_values_wait_and_the_oldest_go(gateway):
    class Off:
        state = "down"

    history = History(Off(), gateway.gateway)
    for number in range(BOX + 10):
        history.keep("u", "m", number)
    assert (history.waiting, history.dropped) == (BOX, 10)


@pytest.mark.parametrize("metric, value", [("", 1.0), ("a\nb", 1.0), ("m" * 61, 1.0), ("m", float("nan")),
                                           ("m", float("inf"))])
def test_what_is_no_value_is_refused(gateway, history, metric, value):
    with pytest.raises(UsageError, match="a metric is up to 60 letters"):
        history.keep("u", metric, value)


POINTS = st.lists(st.tuples(st.floats(0, 1e9), st.floats(-1e6, 1e6)), max_size=60).map(sorted)


@given(POINTS, st.integers(2, 30))
def test_thinned_points_stay_within_the_others(points, most):
    found = thinned(points, most)
    assert len(found) <= most or len(points) <= most
    if points:
        low, high = min(value for _, value in points), max(value for _, value in points)
        assert all(low - 1e-6 <= value <= high + 1e-6 for _, value in found)


@given(POINTS)
def test_any_points_can_be_drawn_and_exported(points):
    assert xml.fromstring(as_svg(points, "a <b> & c")).tag.endswith("svg")
    assert len(as_csv(points).splitlines()) == len(points) + 1
