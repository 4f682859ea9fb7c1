"""Rewrites the generated papers: CONFIG.md from the table of settings, the README's picture from a real session."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from micrOS.source import Settings  # noqa: E402 (after the path)

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


def rule_text(rule: object, default: object) -> str:
    """What a key takes, in words."""
    if callable(rule):
        return str(rule(""))
    if isinstance(rule, tuple):
        return ", ".join(rule) if isinstance(rule[0], str) else f"{rule[0]} to {rule[1]}"
    return "true, false" if isinstance(default, bool) else ""


def config_page() -> str:
    """Text of CONFIG.md."""
    remarks = dict(re.findall(r'^    \("(\w+)",.*\),\s+# (.*)$', TABLE.read_text(), re.MULTILINE))
    rows = [f"| `{key}` | {type(default).__name__} | `{default}` | {rule_text(rule, default)} | {remarks[key]} |"
            for key, default, rule in Settings.SETTINGS]
    return HEAD + "\n".join(rows) + "\n"


def picture() -> str:
    """A session with a virtual board as SVG, with no font from elsewhere."""
    from rich.console import Console
    from rich.text import Text

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
