"""Compiled sets side by side, one for each kind of firmware."""
import hashlib

import pytest

from toolkit.errors import UsageError
from toolkit.sets import Firmware, build_for, firmware, manifest_of

KINDS = (                    # sys.implementation._mpy of boards, what it means
    (6 | 3 << 8 | 10 << 10, Firmware(6, 3, "xtensawin"), "mpy6.3-xtensawin"),
    (6 | 3 << 8 | 4 << 10, Firmware(6, 3, "armv6m"), "mpy6.3-armv6m"),
    (6 | 2 << 8 | 2 << 10, Firmware(6, 2, "x64"), "mpy6.2-x64"),
    (6, Firmware(6, 0, ""), "mpy6.0"),
    (6 | 99 << 10, Firmware(6, 0, ""), "mpy6.0"),
)


@pytest.mark.parametrize("mpy, kind, name", KINDS)
def test_a_node_tells_what_it_loads(mpy, kind, name):
    assert firmware(mpy) == kind and kind.name == name


def test_an_old_firmware_says_which_compiler_it_needs():
    with pytest.raises(UsageError, match="takes .mpy files of version 5, this mpy-cross writes 6"):
        firmware(5)


def test_two_sets_lie_side_by_side_with_their_manifests(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "main.py").write_text("import a\n")
    (source / "a.py").write_text("import micropython\n@micropython.native\ndef f(x: int):\n    return x\n")
    kinds = [Firmware(6, 3, "xtensawin"), Firmware(6, 3, "armv6m")]
    for kind in kinds:
        build_for(kind, tmp_path / "out", source)
    first, second = [(tmp_path / "out" / kind.name / "a.mpy").read_bytes() for kind in kinds]
    assert first != second
    rows = [row.split() for row in manifest_of(kinds[1], tmp_path / "out").read_text().splitlines()]
    assert ["a.mpy", str(len(second)), hashlib.sha256(second).hexdigest()] in rows
    assert [row[0] for row in rows] == ["a.mpy", "main.py"]
