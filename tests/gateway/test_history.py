"""What is kept of the past: values and events, bounded, asked for, drawn and exported."""
import csv
import io
import time
import xml.etree.ElementTree as xml
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.device.wire import eventually
from tests.gateway.fleet_fakes import FakeFleet
from tests.gateway.running import Running, running_gateway
from toolkit.errors import UsageError
from toolkit.gateway.history import BOX, History, as_csv, as_svg, thinned

PARTS = ("api", "engine", "jobs", "history")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with FakeFleet(2) as fleet, running_gateway(tmp_path_factory.mktemp("history"), parts=PARTS, engine=None,
                                                rows=fleet.devices) as running:
        eventually(lambda: running.gateway.engine.state, lambda state: state == "up", 20)
        yield running


@pytest.fixture
def history(gateway: Running) -> History:
    return gateway.app.state.history


def tell(history: History, topic: str, data: dict) -> None:
    """An event, from the thread of the test."""
    history._chores[0].get_loop().call_soon_threadsafe(history._gateway.events.publish, topic, data)


def test_values_are_kept_and_told_as_json_csv_and_picture(gateway, history):
    now = time.time()
    points = [(now - 300 + number, float(number)) for number in range(200)]
    for at, value in [*points, *points[:5]]:              # a value that comes twice is kept once
        tell(history, "telemetry", {"uid": "micrfa000000OS", "metric": "warmth", "value": value, "at": at})
    with gateway.client("view") as client:
        place = "/api/v1/history/devices/fake0000"
        told = eventually(lambda: client.get(f"{place}/warmth").json()["points"], lambda rows: len(rows) >= 200)
        assert [tuple(row) for row in told] == points
        assert client.get(place).json() == [{"metric": "warmth", "at": points[-1][0], "value": 199.0}]
        some = client.get(f"{place}/warmth", params={"since": points[50][0], "until": points[59][0]}).json()["points"]
        assert [value for _, value in some] == list(range(50, 60))
        assert len(client.get(f"{place}/warmth", params={"most": 10}).json()["points"]) == 10
        rows = list(csv.DictReader(io.StringIO(client.get(f"{place}/warmth", params={"format": "csv"}).text)))
        assert len(rows) == 200 and rows[7]["value"] == "7.0" and rows[0]["time"].endswith("Z")
        drawn = client.get(f"{place}/warmth", params={"format": "svg", "most": 50})
        line = xml.fromstring(drawn.text).find("{http://www.w3.org/2000/svg}polyline")
        assert drawn.headers["content-type"] == "image/svg+xml" and len(line.attrib["points"].split()) == 50
        assert client.get(f"{place}/nothing").json()["points"] == []


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
