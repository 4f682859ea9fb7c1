"""The papers say what the code does."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

from micrOS.make_docs import (
    CONFIG,
    MODULES,
    PICTURES,
    config_page,
    module_pictures,
    modules_page,
    settings,
)
from tests.device.test_modules_oled import pixels_of

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def test_config_md_is_generated_from_the_table():
    assert config_page() == CONFIG.read_text(), "run make docs"


def test_every_default_passes_its_own_rule():
    assert [row.key for row in settings() if not row.is_sound] == []


def test_each_test_that_their_readme_names_is_there():
    """`file::name`, or `::name` of the file before; `name*` is the beginning of one, `*` all."""
    known = {path.stem[5:]: re.findall(r"def test_(\w+)", path.read_text()) for path in TESTS.rglob("test_*.py")}
    missing, file = [], ""
    for named, name, star in re.findall(r"(\w*)::(\w*)(\*?)", (TESTS / "README.md").read_text().split("## When")[1]):
        file = named or file
        if not any(test.startswith(name) if star else test == name for test in known[file]):
            missing.append(f"{file}::{name}")
    assert missing == []


def test_importing_the_toolkit_prints_nothing():
    done = subprocess.run([sys.executable, "-c", "import toolkit"], capture_output=True, cwd=ROOT, timeout=30)
    assert done.stdout == done.stderr == b""


def test_modules_md_is_generated_from_the_modules():
    assert modules_page() == MODULES.read_text(), "run make docs"


@pytest.mark.slow
def test_pictures_of_modules_show_what_a_board_draws_now():
    drawn = module_pictures()
    assert {path.name for path in PICTURES.iterdir()} == set(drawn), "run make docs"
    for name, picture in drawn.items():
        kept = (PICTURES / name).read_bytes()
        assert (kept == picture if name.endswith(".svg") else pixels_of(kept) == pixels_of(picture)), "run make docs"
