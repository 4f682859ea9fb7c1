"""The boards of tests/device, and the modules of people who know micrOS 1.20."""
import pytest

from tests.compat.guests import guests
from tests.device.conftest import make_board, spec  # noqa: F401 - fixtures


@pytest.fixture
def node(make_board):      # noqa: F811 - the fixture
    """Function that starts a node with all guests in /modules; further settings and files are merged in."""
    def start(files=(), **options):
        return make_board(files={**guests(), **dict(files)}, **options)
    return start
