"""What tests of load modules ask a board, and what a module's source says of itself."""
import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "micrOS" / "source" / "modules"
CALLED = "exec_lm_core LM_{}->{}: "
NO_WORDS = "{}() takes 0 positional arguments but 1 were given"
ONE_WORD = "{}() takes 1 positional arguments but 2 were given"


def told(board, line):
    """{key: text} of an answer that prints a dictionary."""
    return dict(row.strip().split(": ", 1) for row in board.shell(line).split("\n"))


def fails(board, line, text):
    """A call fails with this one line."""
    module, function = line.split()[:2]
    assert board.shell(line) == CALLED.format(module, function) + text


def alarms(board):
    """Texts of the alarms, which are then deleted."""
    lines = board.shell("system alarms").split("\n")[:-1]
    board.shell("system alarms clean=True")
    return [line.split("[ERR] ", 1)[1] for line in lines if "[ERR]" in line]


def missing(pins):
    """What a call says that needs pins (`a, b`) which the rp2 map lacks."""
    return pins + (" have no pin on rp2; name them in cstmpmap" if "," in pins else
                   " has no pin on rp2; name one in cstmpmap")


def functions_of(name):
    """The public functions of a module."""
    tree = ast.parse((SOURCE / f"LM_{name}.py").read_text())
    return {node.name for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_"}


def names_in_help(board, name):
    """Functions that the help of a module begins its rows with."""
    return {row.split()[0] for row in ast.literal_eval(board.shell(f"{name} help >json"))}
