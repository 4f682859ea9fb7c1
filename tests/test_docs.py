"""The papers say what the code does."""
import subprocess
import sys
from pathlib import Path

from micrOS.make_docs import CONFIG, config_page, settings

ROOT = Path(__file__).parent.parent


def test_config_md_is_generated_from_the_table():
    assert config_page() == CONFIG.read_text(), "run make docs"


def test_every_default_passes_its_own_rule():
    assert [row.key for row in settings() if not row.is_sound] == []


def test_importing_the_toolkit_prints_nothing():
    done = subprocess.run([sys.executable, "-c", "import toolkit"], capture_output=True, cwd=ROOT, timeout=30)
    assert done.stdout == done.stderr == b""
