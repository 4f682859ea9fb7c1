"""Every test here has its own data folder, and no boards on loopback but its own. What is compiled, all share."""
import os

import pytest

from toolkit import discover


@pytest.fixture(scope="package")
def compiled(tmp_path_factory):
    """The cache of all tests of a run, on every worker."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"


@pytest.fixture(scope="package", autouse=True)
def shared_cache(compiled):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROS_CACHE", str(compiled))
        yield


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MICROS_PASSWORD", raising=False)
    monkeypatch.setattr(discover, "LOOPBACK", ())
    return tmp_path / "data"
