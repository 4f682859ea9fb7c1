"""The gateway does what its openapi.json says, whatever is asked: schemathesis, against virtual boards and a fleet.

SCHEMATHESIS_EXAMPLES=200 asks for longer.
"""
import os
import re

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

from tests.device.wire import eventually  # noqa: E402
from tests.gateway.fleet_fakes import FakeFleet  # noqa: E402
from tests.gateway.running import running_gateway  # noqa: E402

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
FEWER = (EXAMPLES + 1) // 2                      # of what takes longer
STREAMS = (r"/api/v1/events$", r"/bus$")         # have no end; test_api listens to them
DEVICES = ("lamp0", "lamp1", "lamp1", None)      # None: what schemathesis made up
JOBS = ("j-1", "j-1", None)
FLEET = ("api", "engine", "jobs", "history", "cloud", "runs", "api_layout", "api_virtual", "api_usb")
OF_THE_FLEET = re.compile(r"/api/v1/(jobs|history|runs|virtual|usb|tags|selection|engine|apps)\b"
                          r"|/devices/{device}/(tags|layout|apps|update|backup|restore)\b")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(100 + 20 * EXAMPLES),
              pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")]


def known(**rows):
    """A hook for schemathesis: most of the time a name of what is there. rows: parameter -> such names."""
    def map_path_parameters(context, path_parameters):
        for name in rows.keys() & (path_parameters or {}).keys():
            told = path_parameters[name]
            path_parameters[name] = rows[name][len(str(told)) % len(rows[name])] or told
        return path_parameters

    return map_path_parameters


def probed(gateway, schema, examples):
    """Asks every operation of a schema. Returns their labels; raises for an answer that is not documented, or 5xx."""
    tried = []
    for pattern in STREAMS:
        schema = schema.exclude(path_regex=pattern)
    found = [each.ok() for each in schema.get_all_operations()]
    for operation in sorted(found, key=lambda each: each.method == "delete"):      # of what the others are asked about
        @given(case=operation.as_strategy())
        @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        def probe(case):
            # a node may refuse what the schema allows, so that is not looked at
            case.call_and_validate(headers={"Authorization": f"Bearer {gateway.admin}"},
                                   excluded_checks=[positive_data_acceptance])

        probe()
        tried.append(operation.label)
    return tried


def test_every_answer_is_documented_and_none_is_5xx(gateway, api):
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
    schema.hook(known(device=DEVICES))
    tried = probed(gateway, schema, EXAMPLES)
    api.post("/api/v1/devices/search")           # it has forgotten nodes, too
    assert len(tried) > 25, tried


@pytest.fixture
def fleet(tmp_path, data):
    """A gateway with an engine, three nodes, a job and a virtual board."""
    with FakeFleet(3) as fakes:
        with running_gateway(tmp_path, parts=FLEET, engine=None, rows=fakes.devices) as gateway:
            eventually(lambda: gateway.gateway.engine.state, lambda state: state == "up", 30)
            with gateway.client() as client:
                job = {"kind": "command", "selection": "all", "command": "tally hit", "id": "j-1"}
                assert client.post("/api/v1/jobs", json=job).status_code == 201
                assert client.post("/api/v1/virtual", json={"name": "shed"}).status_code == 201
            yield gateway


def test_every_answer_of_the_fleets_paths_is_documented_and_none_is_5xx(fleet):
    schema = schemathesis.openapi.from_url(f"{fleet.url}/openapi.json").include(path_regex=OF_THE_FLEET)
    schema = schema.exclude(path="/api/v1/virtual", method="POST")       # starts a board, as the fixture has
    schema.hook(known(device=("fake0001", "fake0002", None), job=JOBS, name=("shed", None, None)))
    tried = probed(fleet, schema, FEWER)
    assert len(tried) > 35, tried


def test_every_path_says_what_its_errors_look_like(api):
    described = api.get("/openapi.json").json()
    assert "Problem" in described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            assert {"401", "422"} <= set(answers), (method, path)
            for status, answer in answers.items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
