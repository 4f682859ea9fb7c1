"""Gets what the gateway needs beyond the toolkit itself: the packages of its extra, into the environment that runs."""
from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError

EXTRA = "gateway"
PACKAGE = "micrOSDevToolKit"
# Without these there is no gateway; what else the extra brings makes parts of it, which are left out one by one.
MODULES = ("fastapi", "uvicorn", "h11", "prometheus_client", "python_multipart", "websockets")
_CHECKOUT = Path(__file__).resolve().parents[2]


def missing() -> list[str]:
    """Modules that the gateway cannot do without and that are not installed."""
    return [name for name in MODULES if importlib.util.find_spec(name) is None]


def requirements() -> list[str]:
    """What the extra is made of: of the checkout, else of the installed package."""
    project = _CHECKOUT / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        return [str(row) for row in table.get("optional-dependencies", {}).get(EXTRA, [])]
    rows = importlib.metadata.requires(PACKAGE) or []
    return [row.partition(";")[0].strip() for row in rows if re.search(rf"extra == ['\"]{EXTRA}['\"]", row)]


def install() -> None:
    """By pip, which tells its own progress. Raises UsageError outside a virtual environment: the system stays as is."""
    wanted = requirements()
    if sys.prefix == sys.base_prefix:
        raise UsageError("the gateway needs more packages, and this Python is the system's own: make an environment\n"
                         f"  python3 -m venv micros && micros/bin/pip install '{PACKAGE}[{EXTRA}]'\n"
                         "  micros/bin/devToolKit.py --gateway")
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *wanted], check=False)
    importlib.invalidate_caches()
    if done.returncode or missing():
        raise ToolkitError(f"pip could not install what the gateway needs ({', '.join(missing()) or 'see above'}): "
                           f"is this machine online? Later: {sys.executable} -m pip install '{PACKAGE}[{EXTRA}]'")
