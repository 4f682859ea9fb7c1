"""What the tests of a run share: compiled Python, and memory instead of the disk for what is temporary."""
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fuzz.effort import IS_LONG

MEMORY = Path("/dev/shm")
ROOM_BYTES = 512 << 20         # some dozens of boards; a container often has 64 MiB in all


settings.register_profile("suite", derandomize=not IS_LONG)         # the dice are for `make fuzz`
settings.load_profile("suite")


def pytest_configure(config):
    """Where Python keeps nothing compiled, each board's process would compile the simulator for itself.

    A shell starts what runs behind it deaf to Ctrl-C, and so would be all that the tests end by it.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(config.rootpath / ".pytest_cache" / "bytecode")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


@pytest.fixture(scope="session", autouse=True)
def memory(tmp_path_factory):
    """To make the 300 files of a board takes a disk longer than all else at its start."""
    tmp_path_factory.getbasetemp()             # stays where it is
    with pytest.MonkeyPatch.context() as patch:
        if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
            patch.setenv("TMPDIR", str(MEMORY))
            patch.setattr(tempfile, "tempdir", None)
        yield
