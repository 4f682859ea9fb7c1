"""Optional parts: what a board with a small flash gets, and what it keeps free for updates."""
import io
import json
import re
import shutil
from argparse import ArgumentTypeError, Namespace
from contextlib import redirect_stderr, redirect_stdout

import pytest

from toolkit import parts
from toolkit.boards import BOARDS, board_named, parts_for
from toolkit.commands import main
from toolkit.commands.ota import Job
from toolkit.compile import build, shipped_source, shipped_version, source_files
from toolkit.deploy import check_room, unwanted
from toolkit.errors import UsageError
from toolkit.link.webrepl import Held
from toolkit.ota import fits, without
from toolkit.simulator import VirtualBoard
from toolkit.simulator.firmware import image

PICO_BYTES = 848 * 1024        # for files, MICROPY_HW_FLASH_STORAGE_BYTES of ports/rp2/boards/RPI_PICO_W


@pytest.fixture(scope="module")
def source():
    return shipped_source()


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """The set with all parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROS_DATA", str(tmp_path_factory.mktemp("data")))
        yield build()


# -- which files


def test_with_a_part_comes_what_only_it_imports(source):
    core = parts.left_out(source, ())
    assert {"usr/__init__.py", "Baton.py", "modules/LM_quec.py", "pure/axdr.py", "pure/vsoa.py"} <= core
    assert not core & {"main.py", "Recovery.py", "sys_bus.py", "pure/cron.py", "modules/LM_bus.py"}
    with_meter = parts.left_out(source, ("meter",))
    assert "pure/axdr.py" not in with_meter and "pure/vsoa.py" in with_meter
    assert parts.left_out(source, parts.NAMES) == frozenset()


def test_what_is_in_every_set_imports_nothing_of_a_part(source):
    absent = parts.left_out(source, ())
    folders = "|".join(sorted({path.split("/")[0] for path in absent if parts.part_of(path) and "/" in path}
                              - {"modules"}))
    imported = re.compile(rf"^ *(?:import|from) +((?:{folders})\b\S*)", re.MULTILINE)
    found = {path: imported.findall(file.read_text()) for path, file in source_files(source).items()
             if path not in absent}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_board_holds_what_its_row_gives_it(every):
    """And an rp2 what a person adds, and an update beside it."""
    core = every.with_parts(board_named("rp2").parts)
    assert parts.room_of(core.sizes) < PICO_BYTES - 100 * 1024
    for board in BOARDS:
        flash_bytes = PICO_BYTES if board.is_uf2 else 2048 * 1024
        check_room(every.with_parts(board.parts), {}, flash_bytes)


def test_a_set_that_does_not_fit_is_refused_with_what_to_leave_out(every):
    with pytest.raises(UsageError, match="has 868352 bytes free, the files need .*: leave out usr.* with --parts"):
        check_room(every, {}, PICO_BYTES)
    with pytest.raises(UsageError, match="leave out usr, meter.* with --parts vsoa"):
        check_room(every, {}, parts.room_of(every.with_parts(("vsoa",)).sizes) + 8 * 4096)
    with pytest.raises(UsageError, match="remove files of yours from it"):
        check_room(every.with_parts(()), {"mine.dat": PICO_BYTES}, 0)


def test_an_update_without_room_beside_what_runs_names_the_parts_to_leave_out(every):
    """Every file differs, on an ESP32 with all parts: a set without some fits, and then another run adds them."""
    held = Held({path: (size, "of the old version") for path, size in every.sizes.items()},
                2048 * 1024 - parts.room_of(every.sizes), 6)
    args = Namespace(parts=None, force_update=False, lm_only=False)
    job = Job(args, every, "2.0.1-0", None, None, "2.0.0-0", frozenset())
    assert not fits(job.look(held), held)
    advice = job.advise(held)
    assert advice.startswith("leave out usr") and "a second run adds them" in advice
    args.parts = parts.chosen(advice.split("--parts ")[1].split()[0])
    goes = job.removals(held).removed
    assert fits(job.look(held), without(held, goes))
    assert "usr/__init__.mpy" in goes and "Common.mpy" in job.look(held).put


def test_what_makes_room_is_never_the_core_that_runs(every):
    """A node of sources that becomes one of compiled files: all its files go, but not before the others are there."""
    held = Held({parts.source_of(path): (10, "x") for path in every.files}, 0, 6)
    args = Namespace(parts=(), force_update=False, lm_only=False)
    job = Job(args, every, "2.0.1-0", None, None, "2.0.0-0", frozenset())
    assert "Common.py" in job.look(held).removed and job.removals(held).removed == []


def test_room_is_counted_in_blocks_and_folders():
    assert parts.room_of({"a": 0, "b": 4096, "c/d/e": 4097}) == (1 + 1 + 2) * 4096 + 2 * 8192


def test_a_program_of_a_person_does_not_make_a_part(every):
    """What lies in usr/ of the core is theirs: it is not taken for the part, and never removed with it."""
    core = {entry.path: (entry.size, entry.sha256) for entry in every.with_parts(()).manifest}
    there = {**core, "usr/mine.py": (3, "x"), "modules/LM_meter.py": (3, "y")}
    assert parts.on_board(every.files, there) == ()
    assert unwanted(every, every.with_parts(()), there) == []
    there |= {entry.path: (entry.size, entry.sha256) for entry in every.with_parts(("meter",)).manifest}
    assert parts.on_board(every.files, there) == ("meter",)
    gone = unwanted(every, every.with_parts(()), there)
    assert "meter/link.mpy" in gone and "pure/axdr.mpy" in gone
    assert not {"modules/LM_meter.py", "usr/mine.py", "pure/cron.mpy"} & set(gone)


@pytest.mark.parametrize("words, names", (("usr", ("usr",)), ("vsoa, usr", ("usr", "vsoa")), ("none", ()),
                                          ("all", parts.NAMES)))
def test_parts_are_named_as_a_person_writes_them(words, names):
    assert parts.chosen(words) == names


def test_an_unknown_part_is_told_with_those_there_are():
    with pytest.raises(ArgumentTypeError, match="no part 'modbus'; there are: usr, meter, vsoa, cloud; or all"):
        parts.chosen("usr,modbus")


def test_a_board_is_known_by_what_it_tells():
    assert parts_for("Raspberry Pi Pico W with RP2040") == ()
    assert parts_for("Generic ESP32S3 module with ESP32S3") == parts_for("a board of tomorrow") == parts.NAMES


# -- a Pico W, its flash as large as a real one


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    """devToolKit.py words -> (exit code, what it printed)"""
    data = str(tmp_path_factory.mktemp("pico"))

    def tool(*words, password=""):
        printed = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(printed):
            patch.setenv("MICROS_DATA", data)
            patch.setenv("MICROS_PASSWORD", password)
            return main(list(map(str, words))), printed.getvalue()

    return tool


@pytest.fixture(scope="module")
def pico(tool, tmp_path_factory):
    """A Pico W that --make has made a node."""
    firmware = tmp_path_factory.mktemp("image") / "firmware.uf2"
    firmware.write_bytes(image("rp2"))
    with VirtualBoard(board="rp2", flash="2M", erased=True) as board:
        code, printed = tool("--make", "--drive", board.drive, "--port", board.serial, "--name", "pico", "--yes",
                             "--image", firmware)
        assert code == 0 and "hello from pico" in printed, printed
        yield board


def free_on(board):
    """Bytes, by our own count, which the board's statvfs has not to go by."""
    files = [path for path in board.dir.rglob("*") if path.is_file()]
    sizes = {path.relative_to(board.dir).as_posix(): path.stat().st_size for path in files}
    return PICO_BYTES - parts.FOLDER_BYTES - parts.room_of(sizes)


@pytest.mark.slow
def test_a_pico_is_a_whole_node_without_parts(pico):
    assert pico.shell("hello").startswith("hello:pico:") and pico.shell("version") == shipped_version()
    assert not [name for name in ("usr", "meter", "vsoa", "quec") if (pico.dir / name).exists()]
    assert free_on(pico) > 100 * 1024
    answers = pico.shell("system info", "vsoa help")
    assert "with RP2040" in answers and "no module LM_vsoa" in answers


@pytest.fixture(scope="module")
def trees(tmp_path_factory, source):
    """(the next version, one in which every file differs)"""
    folder = tmp_path_factory.mktemp("trees")
    every = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.py"))
    core = [path for path in every if path not in parts.left_out(source, ())]
    for name, changed in (("next", core[::10]), ("other", every)):
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in changed:
            with (folder / name / path).open("a") as file:
                file.write("\nNEXT = 1\n")
    return folder / "next", folder / "other"


def over_the_air(tool, board, *words):
    config = json.loads((board.dir / "node_config.json").read_text())
    return tool("-o", "--dev", board.address, *words, password=config.get("appwd", "ADmin123"))


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_pico_is_updated_over_the_air_in_a_tenth_of_its_files_and_keeps_what_a_person_dropped(pico, tool, trees):
    (pico.dir / "usr").mkdir()
    (pico.dir / "usr" / "mine.py").write_text("print('mine')\n")
    code, printed = over_the_air(tool, pico, "--from", trees[0])
    assert code == 0 and "without usr, meter, vsoa" in printed, printed
    assert (pico.dir / "usr" / "mine.py").exists() and not (pico.dir / "usr" / "__init__.mpy").exists()
    assert over_the_air(tool, pico, "--from", trees[0])[1].endswith("nothing to do\n")

    code, printed = over_the_air(tool, pico, "--from", trees[1])
    assert code == 2 and "beside what runs: send the load modules with --lm-only, or update it over USB" in printed
    assert len(printed.splitlines()) == 1 and pico.shell("version") == shipped_version()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_part_comes_and_goes_over_usb(pico, tool):
    code, printed = tool("--update", "--port", pico.serial, "--parts", "vsoa")
    assert code == 0 and "without usr, meter" in printed, printed
    assert "publish" in pico.shell("vsoa help") and free_on(pico) > 0
    code, printed = tool("--update", "--port", pico.serial, "--parts", "all")
    assert code == 2 and "bytes free, the files need" in printed and "leave out" in printed, printed
    code, printed = tool("--update", "--port", pico.serial, "--parts", "none")
    assert code == 0 and "removed" in printed
    assert not (pico.dir / "vsoa" / "client.mpy").exists() and pico.shell("hello").startswith("hello:pico:")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_esp32_full_of_parts_takes_a_whole_new_core_in_two_steps(tool, trees):
    """Each step leaves a set that answers: the old core without parts, then the new one."""
    with VirtualBoard(mpy=True, flash="3840K", config={"ntphost": "n/a"}) as board:
        code, printed = over_the_air(tool, board, "--from", trees[1])
        assert code == 2 and "leave out usr" in printed and "beside what runs" in printed, printed
        code, printed = over_the_air(tool, board, "--from", trees[1], "--parts", "none")
        assert code == 0 and "files of parts first, to have room" in printed, printed
        assert not (board.dir / "usr" / "__init__.mpy").exists()
        assert "every file of it: nothing to do" in over_the_air(tool, board, "--from", trees[1])[1]
        assert board.shell("hello").startswith("hello:node01:")
