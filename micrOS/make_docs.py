"""Rewrites the generated papers: CONFIG.md from the table of settings, MODULES.md from the load modules, and pictures.

Pictures show what virtual boards do: a session for the README, displays and strips for the catalogue.
"""
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))            # run as a script, this finds the toolkit beside it

TABLE = ROOT / "micrOS" / "source" / "Settings.py"
CONFIG = ROOT / "micrOS" / "CONFIG.md"
MODULES = ROOT / "micrOS" / "MODULES.md"
PICTURE = ROOT / "media" / "session.svg"
PICTURES = ROOT / "toolkit" / "docs" / "pictures"
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

MODULES_HEAD = """# Load modules

Generated from `micrOS/source` by `make docs`. Each is a word in the shell: `rgb color r=10 g=60 b=100`. On the node
`rgb help` tells more. `devToolKit.py --docs` writes a page to search in: what every function takes and gives, the pins
of each board, pictures.

"""
DRAWN = {                                # chip at 0x3C, and what is said to the module that draws on it
    "oled": ("ssd1306", (
        "rect 0 0 128 64", "text 'living room' 8 6", "line 8 17 119 17", "text '21.5 C' 8 26", "text '41 %' 8 40",
        *(f"rect {66 + 9 * at} {54 - high} 6 {high} fill=True" for at, high in enumerate((8, 14, 22, 28, 19, 11))))),
    "oled_sh1106": ("sh1106", (
        "line 8 34 36 10", "line 36 10 64 34", "rect 14 34 45 25", "rect 22 42 10 17", "rect 40 40 12 9",
        "line 46 40 46 48", "line 40 44 51 44", "line 0 59 127 59", "text 'light on' 60 48",
        *(f"pixel {x} {y}" for x, y in ((84, 8), (100, 14), (116, 6), (92, 20))))),
}
CLOCK_S = 1777903510                     # 2026-05-04 14:05:10
STRIPS = {                               # module -> the frames of its picture: what is said before each
    "neopixel": (("load_n_init", "color 255 120 20 smooth=False"),
                 tuple(f"segment {at * 10} {255 - at * 10} {120 + 4 * at} {at}" for at in range(24))),
    "neoeffects": (("rainbow br=90",), ("meteor 0 160 255",) * 9, ("cycle 255 60 0",) * 5, ("shader 8 6",)),
}


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


def modules_page() -> str:
    """Text of MODULES.md."""
    from toolkit.docs.catalogue import CONVENTIONS, read
    text = MODULES_HEAD
    for group, found in read(TABLE.parent).groups():
        text += f"## {group}\n\n| module | what it is | functions | pins |\n|---|---|---|---|\n"
        for module in found:
            functions = " ".join(f"`{row.name}`" for row in module.functions if row.name not in CONVENTIONS)
            pins = " ".join(f"`{pin}`" for pin in module.pins)
            text += f"| `{module.name}` | {module.purpose} | {functions} | {pins} |\n"
        text += "\n"
    return text.rstrip("\n") + "\n"


def module_pictures() -> dict[str, bytes]:
    """{file name: content}: what displays and strips show when a virtual board draws on them."""
    from toolkit.simulator import VirtualBoard
    from toolkit.simulator.chips.png import png
    found = {}
    with VirtualBoard(config={"ntphost": "n/a", "utc": 0}, heap="512K") as board:
        for name, (kind, lines) in DRAWN.items():
            board.chip(0x3C, kind)
            board.shell(*(f"{name} {line}" for line in (*lines, "show")))
            found[f"{name}.png"] = png(board.display(), 3)
        board.chip(0x3C, "ssd1306")
        board.clock.set(CLOCK_S)
        board.shell("oled_ui pageui")
        found["oled_ui.png"] = png(board.display(), 3)
        for name, frames in STRIPS.items():
            rows = []
            for lines in frames:
                board.shell(*(f"{name} {line}" for line in lines))
                rows.append(board.pixels("neop"))
            found[f"{name}.svg"] = strips(rows).encode()
    return found


def strips(rows: list[list[tuple[int, ...]]]) -> str:
    """An SVG with a line of pixels for each row; a screen shows little light darker than an eye sees a lamp."""
    dots = "".join(f'<circle cx="{16 + 24 * x}" cy="{18 + 30 * y}" r="9" fill="rgb{tuple(map(_on_screen, color))}"/>'
                   for y, row in enumerate(rows) for x, color in enumerate(row))
    width, height = 8 + 24 * len(rows[0]), 6 + 30 * len(rows)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f'<rect width="{width}" height="{height}" rx="8" fill="#080c14"/>{dots}</svg>\n')


def _on_screen(channel: int) -> int:
    return round(24 + 231 * (channel / 255) ** 0.6)


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
    MODULES.write_text(modules_page())
    PICTURE.write_text(picture())
    for name, data in module_pictures().items():
        (PICTURES / name).write_bytes(data)
