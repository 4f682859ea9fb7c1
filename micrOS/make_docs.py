"""Rewrites the generated papers: CONFIG.md from the table of settings, the README's picture from a real session."""
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

TABLE = ROOT / "micrOS" / "source" / "Settings.py"
CONFIG = ROOT / "micrOS" / "CONFIG.md"
PICTURE = ROOT / "media" / "session.svg"
SESSION = ("hello", "rgb color r=10 g=60 b=100", "rgb status >json", "system heartbeat &&500", "task list")

HEAD = """# Settings

Generated from `micrOS/source/Settings.py` by `make docs`. Read and write them in the shell:

    node01 $ conf
    [configure] node01 $ soctout 60
    Saved
    [configure] node01 $ noconf

| key | type | default | takes | what it is |
|---|---|---|---|---|
"""


class Setting(NamedTuple):
    """A row of the table. is_sound: the default passes its own rule."""

    key: str
    kind: str
    default: str
    takes: str
    is_sound: bool


ON_BOARD = """
import json, sys
sys.path.append(%r)
import Settings
def takes(rule, default):
    if isinstance(rule, tuple):
        return ", ".join(rule) if isinstance(rule[0], str) else "%%s to %%s" %% rule
    return rule(":") if rule else "true, false" if isinstance(default, bool) else ""
for key, default, rule in Settings.SETTINGS:
    kind = str(type(default)).split("'")[1]
    sound = default == Settings.OFFLOADED or Settings.checked(key, default, default)[1] is None
    print(json.dumps([key, kind, str(default), takes(rule, default), sound]))
"""


def settings() -> list[Setting]:
    """The table as the board has it: read by the interpreter that it is written for."""
    start = "import micropython_run, sys; sys.exit(micropython_run.run_main(['micropython', *sys.argv[1:]]))"
    words = [sys.executable, "-c", start, "-c", ON_BOARD % str(TABLE.parent)]
    lines = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
    return [Setting(*json.loads(line)) for line in lines]


def config_page() -> str:
    """Text of CONFIG.md."""
    remarks = dict(re.findall(r'^    \("(\w+)",.*\),\s+# (.*)$', TABLE.read_text(), re.MULTILINE))
    rows = [f"| `{row.key}` | {row.kind} | `{row.default}` | {row.takes} | {remarks[row.key]} |" for row in settings()]
    return HEAD + "\n".join(rows) + "\n"


def picture() -> str:
    """A session with a virtual board as SVG, with no font from elsewhere."""
    from rich.console import Console
    from rich.text import Text

    sys.path.insert(0, str(ROOT))
    from toolkit.simulator import VirtualBoard
    console = Console(record=True, width=78, file=open("/dev/null", "w"))    # noqa: SIM115 (as long as we live)
    console.print(Text("$ telnet 127.0.0.1 9008", style="bold"))
    with VirtualBoard() as board, board.session() as session:
        for line in SESSION:
            console.print(Text("node01 $ ", style="green") + Text(line, style="bold white"))
            console.print(Text(session.send(line)))
    svg = console.export_svg(title="micrOS")
    return re.sub(r"\s*@font-face \{.*?\}\n", "\n", svg, flags=re.DOTALL)


if __name__ == "__main__":
    CONFIG.write_text(config_page())
    PICTURE.write_text(picture())
