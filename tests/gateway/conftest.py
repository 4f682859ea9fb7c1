"""A gateway with two virtual boards for all quiet tests of a process, and one of a test's own with fake nodes."""
import importlib.util
import os
from contextlib import ExitStack

import pytest

from toolkit.simulator import VirtualBoard

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "httpx", "websockets")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]

if not MISSING:
    from tests.gateway.fakes import running as running_fakes
    from tests.gateway.running import running_gateway


class Absent(pytest.File):
    """A file of tests that cannot even be imported here."""

    def collect(self):
        pytest.skip(f"the gateway's extra is not installed ({', '.join(MISSING)}): "
                    "pip install -e '.[dev]'", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    return Absent.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(scope="package", autouse=True)
def data(tmp_path_factory):
    """The user's data folder of all these tests."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "MICROS_DATA", str(folder))
        yield folder


@pytest.fixture(scope="package")
def boards(data):
    """Two nodes, lamp0 and lamp1."""
    quiet = {"ntphost": "n/a", "socmax": 8}
    with ExitStack() as stack:
        yield [stack.enter_context(VirtualBoard(config={**quiet, "devfid": f"lamp{number}"})) for number in range(2)]


@pytest.fixture(scope="package")
def gateway(data, boards, tmp_path_factory):
    hosts = [f"{board.address}:{board.shell_port}" for board in boards]
    with running_gateway(tmp_path_factory.mktemp("gateway"), hosts, sample_s=1, watch_s=2) as running:
        with running.client() as client:
            client.post("/api/v1/devices/search")
        yield running


@pytest.fixture
def api(gateway):
    with gateway.client() as client:
        yield client


@pytest.fixture
def make_gateway(tmp_path):
    """make_gateway(*fakes, **settings) -> (Running, client, do): a gateway of the test's own that knows these nodes."""
    with ExitStack() as stack:
        def make(*nodes, **settings):
            do = stack.enter_context(running_fakes(*nodes))
            hosts = [f"{node.address}:{node.port}" for node in nodes]
            chosen = {"watch_s": 3600, "parts": ("classic", "api"), **settings}
            gateway = stack.enter_context(running_gateway(tmp_path, hosts, **chosen))
            client = stack.enter_context(gateway.client())
            client.post("/api/v1/devices/search")
            return gateway, client, do

        yield make
