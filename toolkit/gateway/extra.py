"""Gets what the gateway needs beyond Python itself, and for a clone an environment of its own to put it into."""
from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from toolkit.errors import ToolkitError, UsageError

PACKAGE = "micrOSDevToolKit"
EXTRAS = ("gateway", "sim")          # the second for virtual boards
# Besides the toolkit's own. Without these there is no gateway; what else the extras bring makes parts of it, which
# are left out one by one.
MUST = ("fastapi", "uvicorn", "prometheus-client", "python-multipart", "websockets")
PAGES = ("nicegui",)
CHECKOUT = Path(__file__).resolve().parents[2]
# The package is in no registry: what has its name there is of others.
BY_HAND = f"in a checkout of micrOS\n  python3 -m venv env/venv && env/venv/bin/pip install -e '.[{','.join(EXTRAS)}]'"


def missing(also: Iterable[str] = ()) -> list[str]:
    """Packages that the gateway cannot do without and that are not installed. also: more of them."""
    names = [*map(_name, _rows().get("", [])), *MUST, *also]
    return [name for name in names if not _is_here(name)]


def requirements() -> list[str]:
    """What the toolkit and its extras are made of, as pip takes it: of the checkout, else of the installed package."""
    rows = _rows()
    return [row for part in ("", *EXTRAS) for row in rows.get(part, [])]


def is_system_python() -> bool:
    """No virtual environment: nothing is to be installed here, the system stays as it is."""
    return sys.prefix == sys.base_prefix


def own_python() -> Path:
    """The Python of the checkout's env/venv, the place of `make run`; made where it is not there.

    Raises UsageError without a checkout, ToolkitError when it cannot be made.
    """
    if not _project().is_file():
        raise UsageError(f"the gateway needs more packages, and this Python is the system's own: start it {BY_HAND}\n"
                         "  env/venv/bin/python devToolKit.py --gateway")
    folder = CHECKOUT / "env" / "venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _make(folder)
    return python


def go_on_in(python: Path) -> NoReturn:
    """This command line again, by another Python."""
    words = [str(python), str(CHECKOUT / "devToolKit.py"), *sys.argv[1:]]
    if os.name == "nt":                  # exec gives the terminal back to the shell there
        sys.exit(subprocess.call(words))
    os.execv(python, words)


def install() -> None:
    """By pip into this environment, its progress to stderr: a token may be wanted of stdout. Raises ToolkitError."""
    done = subprocess.run([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *requirements()],
                          stdout=2, check=False)
    importlib.invalidate_caches()
    site.addsitedir(sysconfig.get_path("purelib"))       # what has come may have .pth files, which a start reads
    if done.returncode or missing():
        raise ToolkitError(f"pip could not install what the gateway needs ({', '.join(missing()) or 'see above'}): "
                           f"is this machine online? Start it again later, or {BY_HAND}")


def _make(folder: Path) -> None:
    done = None
    try:
        done = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False)
    finally:
        if done is None or done.returncode:      # half of it would be taken for all of it the next time
            shutil.rmtree(folder, ignore_errors=True)
    if done.returncode:
        raise ToolkitError(f"python3 -m venv {folder} has failed, see above; on Debian and Ubuntu it takes "
                           "apt install python3-venv")


def _project() -> Path:
    return CHECKOUT / "pyproject.toml"


def _rows() -> dict[str, list[str]]:
    """Extra -> its requirements; "" for those of the toolkit itself."""
    if _project().is_file():
        table = tomllib.loads(_project().read_text(encoding="utf-8"))["project"]
        return {"": table.get("dependencies", []), **table.get("optional-dependencies", {})}
    rows: dict[str, list[str]] = {}
    for row in importlib.metadata.requires(PACKAGE) or []:
        extra = re.search(r"extra == ['\"](\w+)['\"]", row)
        rows.setdefault(extra[1] if extra else "", []).append(_without_extra(row))
    return rows


def _without_extra(row: str) -> str:
    """`x>=1; (a or b) and extra == "sim"` is `x>=1; (a or b)`."""
    return re.sub(r"(?:;| and) *extra == ['\"]\w+['\"] *$", "", row).strip()


def _name(row: str) -> str:
    found = re.match(r"[\w.-]+", row)
    return found[0] if found else row


def _is_here(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
