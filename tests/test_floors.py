"""The house rules that a machine can check: which floor may import which, and what nobody may call."""
import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "micrOS" / "source"
ROM = ROOT / "toolkit" / "simulator" / "rom"

FLOORS = {part: floor for floor, parts in (
    (0, "pure"),
    (1, "Analog Boot Clockwork ConfigHandler Debug Files Folders Incoming Inputs Join LogicalPins Logs Network PinMap "
        "Progress Saved Settings Sun Time TinyPLed Udp Watchdog Zone boards"),
    (2, "Background Baton Catalogue InterruptHandler Modules Periodic Pipes Scheduler Strays Suffixed TaskCommands "
        "TaskManager blocking queue sys_bus"),
    (3, "Beacon Commands CronCommands Crowd Discovery Http InterConnect InterpreterShell Introduction Jobs Login "
        "Mdns Notify Ntp Packages Peers Position Rejoin SocketServer Staging Transfer Unframed Update meter quec "
        "cloud device_cloud urequests usr vsoa"),
    (4, "Climate Common Compat DataLog Display Drives Lamp LampMore OledPages Part modules"),
    (5, "Activate Hooks Live Recovery Startup Paths Takeover main micrOS micrOSloader reset"),
) for part in parts.split()}
PURE_MAY_IMPORT = {"binascii", "gc", "hashlib", "json", "math", "micropython", "struct", "sys"}
EVALUATORS = {"eval", "exec", "execfile"}
EVALUATES = {ROM / "_boot.py": "runs boot.py and main.py, as firmware does"}
PRINTS = {SOURCE / "Debug.py": "the console writer", ROOT / "devToolKit.py": "the command line"}

DEVICE = sorted(SOURCE.rglob("*.py"))
HOST = sorted(path for path in [*(ROOT / "toolkit").rglob("*.py"), ROOT / "devToolKit.py"] if ROM not in path.parents)
EVERYTHING = [*DEVICE, *HOST, *sorted((ROOT / "device_cloud").rglob("*.py")), *sorted(ROM.rglob("*.py"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def imports(path: Path) -> Iterator[str]:
    """Dotted names of all imports, those inside functions too; a relative one starts with a dot."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def part(path: Path) -> str:
    """The piece of the house that a device file belongs to: its folder, or its own name at the root."""
    relative = path.relative_to(SOURCE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def part_imported(dotted: str) -> str:
    first = dotted.split(".")[0]
    return {"LM_": "modules", "LP_": "boards"}.get(first[:3], first)


def test_every_device_file_has_its_floor():
    assert {part(path) for path in DEVICE} == set(FLOORS)


@pytest.mark.parametrize("path", DEVICE, ids=name_of)
def test_imports_go_down_only(path):
    own = FLOORS[part(path)]
    upward = [name for name in imports(path) if FLOORS.get(part_imported(name), 0) > own]
    assert not upward


def test_no_two_parts_of_a_floor_import_each_other():
    uses = {part(path): {part_imported(name) for name in imports(path)} - {part(path)} for path in DEVICE}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        later = {name for name in uses.get(start, set()) if name not in seen}
        return goal in later or any(reaches(name, goal, seen | later) for name in later)

    assert [name for name in FLOORS if reaches(name, name, set())] == []


@pytest.mark.parametrize("path", sorted((SOURCE / "pure").glob("*.py")), ids=name_of)
def test_pure_knows_no_clock_pin_file_or_socket(path):
    foreign = [name for name in imports(path) if not name.startswith(".") and name not in PURE_MAY_IMPORT]
    assert not foreign
    assert "open" not in calls(path)


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_nothing_is_evaluated(path):
    assert path in EVALUATES or not EVALUATORS & set(calls(path))


def test_compile_only_checks_a_sent_module():
    assert [name_of(path) for path in DEVICE if "compile" in calls(path)] == ["micrOS/source/Incoming.py"]


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_only_commands_and_the_console_print(path):
    if path not in PRINTS and "commands" not in path.parts:
        assert "print" not in calls(path)


@pytest.mark.parametrize("path", HOST, ids=name_of)
def test_the_toolkit_takes_only_codecs_from_the_device(path):
    device = [name for name in imports(path) if name.startswith("micrOS")]
    assert [name for name in device if not name.startswith("micrOS.source.pure")] == []


@pytest.mark.parametrize("path", DEVICE, ids=name_of)
def test_the_device_knows_nothing_of_the_toolkit(path):
    assert not [name for name in imports(path) if name.split(".")[0] in ("toolkit", "tests")]


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_the_first_line_says_why_the_file_exists(path):
    assert ast.get_docstring(ast.parse(path.read_text())), "a docstring is missing"
