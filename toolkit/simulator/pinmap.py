"""Logical pin names of a board, read from its LP_<board>.py without running it."""
import ast
from pathlib import Path

from toolkit.simulator.boards import BoardKind


def _number(node: ast.expr) -> int | None:
    """Value of `12` or `const(12)`; None for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const" and node.args:
        node = node.args[0]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):      # an LED that lights when low
        return _number(node.operand)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def names_in(text: str) -> dict[str, int]:
    """Literal `name = n` and `name = const(n)` of a pin table; {} when it does not parse."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {}
    found = {}
    for line in tree.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            number = _number(line.value)
            if number is not None:
                found[line.targets[0].id] = number
    return found


def logical_pins(board_dir: Path, kind: BoardKind, source: Path | None) -> dict[str, int]:
    """Name -> number of the first LP_<board>.py in the board's directory, else of the shipped one; {} without."""
    places = [board_dir / folder for folder in ("", "boards")] + ([source / "boards"] if source else [])
    for place in places:
        table = place / f"LP_{kind.name}.py"
        if table.is_file():
            return names_in(table.read_text(encoding="utf-8", errors="replace"))
    return {}
