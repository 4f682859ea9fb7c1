"""Tests keep their hands off the user's data folder."""
import pytest


@pytest.fixture(scope="package", autouse=True)
def data_folder(tmp_path_factory):
    """What the toolkit caches during the tests; the boards' own processes see it too."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROS_DATA", str(folder))
        yield folder
