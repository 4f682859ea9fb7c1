"""The paths of the cloud do what openapi.json says, whatever is asked. SCHEMATHESIS_EXAMPLES=200 asks for longer."""
import os

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(60 + 10 * EXAMPLES)
def test_every_answer_is_documented_and_none_is_5xx(cloud, thing):
    schema = schemathesis.openapi.from_url(f"{cloud.url}/openapi.json").include(path_regex="/api/v1/thing")

    @schema.hook
    def map_path_parameters(context, parameters):
        for name in ("key", "owner"):
            if parameters and name in parameters and len(str(parameters[name])) % 3:
                parameters[name] = thing.key
        return parameters

    @schema.hook
    def map_body(context, body):
        if isinstance(body, dict) and isinstance(body.get("wait_s"), int | float):
            body["wait_s"] = min(body["wait_s"], 0.01)
        return body

    @schema.hook
    def map_query(context, query):
        return {name: 0 if name == "wait_s" else value for name, value in (query or {}).items()}

    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        def probe(case):
            case.call_and_validate(headers={"Authorization": f"Bearer {cloud.admin}"},
                                   excluded_checks=[positive_data_acceptance])

        probe()
        tried.append(operation.label)
    assert len(tried) >= 18, tried
