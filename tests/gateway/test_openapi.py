"""The gateway does what its openapi.json says, whatever is asked: schemathesis, against two virtual boards.

SCHEMATHESIS_EXAMPLES=200 asks for longer.
"""
import os

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
STREAMS = (r"/events$", r"/bus$")                # have no end; test_api listens to them
DEVICES = ("lamp0", "lamp1", "lamp1", None)      # None: what schemathesis made up


def operations(url):
    """Those of the running gateway, most of the time of a node that is there."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for pattern in STREAMS:
        schema = schema.exclude(path_regex=pattern)

    @schema.hook
    def map_path_parameters(context, path_parameters):
        if path_parameters and "device" in path_parameters:
            known = DEVICES[len(str(path_parameters["device"])) % len(DEVICES)]
            path_parameters["device"] = known or path_parameters["device"]
        return path_parameters

    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(60 + 10 * EXAMPLES)
def test_every_answer_is_documented_and_none_is_5xx(gateway, api):
    tried = []
    for operation in operations(gateway.url):
        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        def probe(case):
            # a node may refuse what the schema allows, so that is not looked at
            case.call_and_validate(headers={"Authorization": f"Bearer {gateway.admin}"},
                                   excluded_checks=[positive_data_acceptance])

        probe()
        tried.append(operation.label)
    api.post("/api/v1/devices/search")           # it has forgotten nodes, too
    assert len(tried) > 25, tried


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
