"""Every test here has its own data folder, and no boards on loopback but its own."""
import pytest

from toolkit import discover


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MICROS_PASSWORD", raising=False)
    monkeypatch.setattr(discover, "LOOPBACK", ())
    return tmp_path / "data"
