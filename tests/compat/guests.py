"""Load modules as people write them for micrOS 1.20, put onto a board in the four ways they come."""
import subprocess
import tempfile
from pathlib import Path

from toolkit.compile import cross_compiler

MODULES = Path(__file__).parent / "modules"
WAYS = tuple((folder, kind) for folder in ("", "modules/") for kind in ("py", "mpy"))      # "": the root


def guests(folder: str = "modules/", kind: str = "py", compiler: Path | None = None) -> dict[str, bytes]:
    """{path on the board: content} of all modules. kind: "py", or "mpy" made by a compiler, ours by default."""
    return {f"{folder}{source.stem}.{kind}": source.read_bytes() if kind == "py" else compiled(source, compiler)
            for source in sorted(MODULES.glob("LM_*.py"))}


def compiled(source: Path, compiler: Path | None = None) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch, "out.mpy")
        subprocess.run([compiler or cross_compiler(), "-o", result, "-s", source.name, source], check=True)
        return result.read_bytes()
