"""pure/sun.py as a board computes it: every float rounded to single precision at once. CPython only.

Its source is read as a tree; each float constant, operation and call is wrapped in a rounding, and the tree compiled.
So nothing slips through in double precision, as it would past a class of numbers (int / int, constants). Rounding a
double gives what + - * / give in single precision (53 >= 2 * 24 + 2 bits). Sines are rounded as if exact; the C library
of a board is off by a bit in the last place, which the 22-bit floats more than cover.
"""
import ast
import struct
from collections.abc import Callable
from pathlib import Path

SUN = Path(__file__).parents[2] / "micrOS" / "source" / "pure" / "sun.py"


def day_of(bits: int) -> Callable[..., tuple[int, int] | str]:
    """The function `day` with floats of so many bits: 24 as on ESP32 and RP2040, 22 cut off as on ESP8266."""
    mask = -1 << (24 - bits)

    def rounded(value: object) -> object:
        if not isinstance(value, float):
            return value
        (word,) = struct.unpack("<i", struct.pack("<f", value))
        return struct.unpack("<f", struct.pack("<i", word & mask))[0]

    tree = ast.fix_missing_locations(_Rounding().visit(ast.parse(SUN.read_text())))
    names: dict[str, object] = {"_rounded": rounded}
    exec(compile(tree, str(SUN), "exec"), names)  # noqa: S102  our own file, no text from outside
    day = names["day"]
    assert callable(day)
    return lambda latitude, longitude, days: day(rounded(latitude), rounded(longitude), days)


class _Rounding(ast.NodeTransformer):
    """Puts `_rounded(...)` around whatever may be a float."""

    def _wrapped(self, node: ast.expr) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("_rounded", ast.Load()), [node], [])

    visit_BinOp = visit_UnaryOp = visit_Call = _wrapped

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self._wrapped(node) if isinstance(node.value, float) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        """`pi` is a float too."""
        return [node, *ast.parse("pi = _rounded(pi)").body]
