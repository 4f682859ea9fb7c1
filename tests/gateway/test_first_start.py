"""`devToolKit.py` in a fresh clone, as a person starts it: it sets itself up, shows a token, finds boards, does things.

The clone's packages are one small wheel without an index, which leads to those of the environment of the tests.
FIRST_START=real has pip install the real ones, from wherever pip takes packages; the rest then has no network.
"""
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.commands import ALONE

ROOT = Path(__file__).parents[2]
OWN_NETWORK = ["unshare", "--map-root-user", "--net"]
PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"      # that has no packages of ours
REAL = os.environ.get("FIRST_START") == "real"
PROJECT = '[project]\ndependencies = ["first-start-parts"]\n[project.optional-dependencies]\ngateway = []\nsim = []\n'


def can_have_a_network():
    try:
        return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


def wheel(folder):
    """A package that is nothing but a way to the packages here. Source: PyPA, 'Binary distribution format'."""
    info = "first_start_parts-1.dist-info"
    with zipfile.ZipFile(folder / "first_start_parts-1-py3-none-any.whl", "w") as file:
        file.writestr("first_start_parts.pth", sysconfig.get_path("purelib") + "\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: first-start-parts\nVersion: 1\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What git would give, but for tests."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("toolkit", "micrOS", "device_cloud"):
        # what is compiled comes along, which saves a second; not what another process is compiling now
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    for name in ("devToolKit.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def start(clone, tmp_path_factory):
    """What was seen at a first start, see first_start.py."""
    if not can_have_a_network():
        pytest.skip("needs unshare and the right to use it: the gateway would call on boards of other tests")
    if subprocess.run([PYTHON, "-c", "import fastapi"], capture_output=True).returncode == 0:
        pytest.skip(f"{PYTHON} has the packages of the gateway already")
    aside = tmp_path_factory.mktemp("aside")
    opener = aside / "browser"
    opener.write_text(f'#!/bin/sh\necho "$1" > {aside}/opened\n')
    opener.chmod(0o700)
    environment = {**os.environ, "MICROS_DATA": str(aside / "data"), "BROWSER": f"{opener} %s", "PYTHONPATH": ""}
    before = ""
    if REAL:
        set_up = [PYTHON, "devToolKit.py", "--gateway", "--tokens"]
        before = subprocess.run(set_up, cwd=clone, env=environment, text=True, capture_output=True, timeout=500).stderr
    else:
        wheel(aside)
        (clone / "pyproject.toml").write_text(PROJECT)
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(aside)}
    done = subprocess.run([*OWN_NETWORK, sys.executable, "-m", "tests.gateway.first_start", clone, PYTHON], cwd=ROOT,
                          env=environment, text=True, capture_output=True, timeout=220)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = SimpleNamespace(**json.loads(done.stdout.splitlines()[-1]), folder=clone)
    seen.set_up = before or seen.said
    seen.opened = (aside / "opened").read_text() if (aside / "opened").exists() else ""
    return seen


pytestmark = [pytest.mark.slow, pytest.mark.timeout(740 if REAL else 240)]


def test_without_an_argument_at_a_terminal_it_says_what_it_does_and_opens_the_dashboard(start):
    assert start.said.splitlines()[0] == ALONE
    assert start.opened.startswith("file://") and "dashboard" in start.parts


def test_it_makes_the_clones_own_environment_and_installs_what_is_missing_into_it(start):
    assert f"going on in that of {start.folder}/env/venv" in start.set_up
    assert start.set_up.count("installing it, once") == 1
    assert (start.folder / "env/venv/bin/python").exists()


def test_the_token_is_shown_at_the_first_start_and_never_again(start):
    assert start.said.count(start.token) == 1
    assert "micros_" not in start.second and "nobody can enter" not in start.second


def test_the_second_start_installs_nothing(start):
    assert "installing" not in start.second


def test_its_own_search_finds_virtual_boards_of_this_machine(start):
    assert {"porch", "cellar"} <= set(start.found)


def test_a_command_is_run_and_a_dropped_module_can_be_called(start):
    assert start.dropped and start.answers == ["2.0.0-0", "hi Ada"]


def test_ctrl_c_ends_it(start):
    assert start.code == 130 and "Traceback" not in start.said + start.second


def test_without_a_terminal_no_argument_is_the_overview(clone):
    done = subprocess.run([PYTHON, "devToolKit.py"], cwd=clone, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("usage: ")
