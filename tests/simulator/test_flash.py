"""What a new version of ours does to a board's files, and what it never does."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import paths
from toolkit.compile import CompileError, compile_all
from toolkit.simulator import VirtualBoard
from toolkit.simulator.flash import RECORD, name_board, provision, shipped_set
from toolkit.simulator.nursery import PACKAGE_ROOT

OLD = {"main.py": b"1", "modules/LM_a.py": b"a", "modules/LM_b.py": b"b"}


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != RECORD}


@pytest.fixture
def board_dir(tmp_path):
    provision(tmp_path, OLD)
    return tmp_path


def test_a_new_board_gets_everything(board_dir):
    assert tree(board_dir) == OLD
    assert set(json.loads((board_dir / RECORD).read_text())) == set(OLD)


def test_a_second_start_writes_nothing(board_dir):
    report = provision(board_dir, OLD)
    assert (report.written, report.removed, report.kept) == ([], [], [])


def test_a_newer_file_of_ours_is_written(board_dir):
    assert provision(board_dir, {**OLD, "main.py": b"2"}).written == ["main.py"]
    assert tree(board_dir)["main.py"] == b"2"


def test_a_file_that_the_user_changed_is_left_alone(board_dir):
    (board_dir / "main.py").write_bytes(b"mine")
    assert provision(board_dir, OLD).kept == []            # nothing newer to install
    report = provision(board_dir, {**OLD, "main.py": b"2"})
    assert (report.written, report.kept) == ([], ["main.py"])
    assert tree(board_dir)["main.py"] == b"mine"


def test_a_file_that_the_user_removed_stays_away(board_dir):
    (board_dir / "modules/LM_a.py").unlink()
    assert provision(board_dir, OLD).written == []
    assert provision(board_dir, {**OLD, "modules/LM_a.py": b"new"}).kept == ["modules/LM_a.py"]
    assert "modules/LM_a.py" not in tree(board_dir)


def test_a_users_file_that_we_never_wrote_is_his(tmp_path):
    (tmp_path / "main.py").write_bytes(b"mine")
    assert provision(tmp_path, OLD).kept == ["main.py"]
    assert tree(tmp_path)["main.py"] == b"mine"


def test_a_user_who_did_the_same_as_we_is_in_agreement(board_dir):
    (board_dir / "main.py").write_bytes(b"2")
    assert provision(board_dir, {**OLD, "main.py": b"2"}).kept == []
    assert provision(board_dir, {**OLD, "main.py": b"3"}).written == ["main.py"]


def test_a_file_that_we_ship_no_longer_goes_unless_changed(board_dir):
    (board_dir / "modules/LM_b.py").write_bytes(b"mine")
    report = provision(board_dir, {"main.py": b"1"})
    assert report.removed == ["modules/LM_a.py"]
    assert tree(board_dir) == {"main.py": b"1", "modules/LM_b.py": b"mine"}


def test_an_emptied_folder_goes_too(board_dir):
    provision(board_dir, {"main.py": b"1"})
    assert not (board_dir / "modules").exists()


def test_a_config_is_only_named_when_it_has_no_name(tmp_path):
    name_board(tmp_path, "node07")
    assert json.loads((tmp_path / "node_config.json").read_text()) == {"devfid": "node07"}
    name_board(tmp_path, "node08")
    assert json.loads((tmp_path / "node_config.json").read_text()) == {"devfid": "node07"}


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    for path, text in (("main.py", "import core\nimport LM_x\n"),
                       ("core.py", "import sys\nsys.path.append('/modules')\n"),
                       ("modules/LM_x.py", "print('LM_x', __file__)\n"), ("notes.txt", "no"),
                       ("__pycache__/core.py", "no")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_the_source_set_is_all_py_or_its_mirror_in_mpy(source):
    assert set(shipped_set(source, mpy=False)) == {"main.py", "core.py", "modules/LM_x.py"}
    assert set(shipped_set(source, mpy=True)) == {"main.py", "core.mpy", "modules/LM_x.mpy"}


@pytest.mark.parametrize(("mpy", "file"), [(False, "/modules/LM_x.py"), (True, "/modules/LM_x.mpy")])
def test_a_board_runs_from_either_set(source, mpy, file):
    with VirtualBoard(source=source, mpy=mpy, shell=False, name="node05", config={"timeout": 7}) as board:
        with board.watch() as changes:
            if board.info()["state"] != "repl":
                changes.until(change="state", state="repl")
        assert f"LM_x {file}" in board.console()
        assert json.loads((board.dir / "node_config.json").read_text()) == {"devfid": "node05", "timeout": 7}


def test_switching_to_mpy_and_back_leaves_no_twins(source, tmp_path):
    folder = tmp_path / "flash"
    folder.mkdir()
    for mpy in (False, True, False):
        provision(folder, shipped_set(source, mpy))
        assert set(tree(folder)) == set(shipped_set(source, mpy))


def test_what_was_compiled_once_is_not_compiled_again(tmp_path):
    first = compile_all({"a.py": b"x = 1\n"}, tmp_path)
    cached, = tmp_path.iterdir()
    cached.write_bytes(b"from the cache")
    assert first["a.py"][:1] == b"M"
    assert compile_all({"a.py": b"x = 1\n"}, tmp_path) == {"a.py": b"from the cache"}


def test_a_file_that_does_not_compile_is_named(tmp_path):
    with pytest.raises(CompileError, match="LM_bad.py:1 does not compile: SyntaxError"):
        compile_all({"LM_bad.py": b"def ("}, tmp_path)


def test_a_board_without_a_place_lives_in_the_users_data_folder(data_folder, source):
    command = [sys.executable, "-m", "toolkit.simulator", "--source", str(source), "--name", "node42",
               "--address", "auto", "--no-shell"]
    with subprocess.Popen(command, cwd=PACKAGE_ROOT, stdout=subprocess.PIPE) as process:
        facts = json.loads(process.stdout.readline().removeprefix(b"ready "))
        process.terminate()
    assert facts["dir"] == str((data_folder / "boards" / "node42").resolve())
    assert json.loads((data_folder / "boards/node42/node_config.json").read_text()) == {"devfid": "node42"}


def test_the_data_folder_is_where_the_system_wants_it(monkeypatch):
    assert paths.data_dir() == Path(os.environ["MICROS_DATA"])
    monkeypatch.delenv("MICROS_DATA")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/x")
    assert paths.data_dir() == Path("/x/micrOS")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert paths.data_dir() == Path.home() / ".local/share/micrOS"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert paths.data_dir() == Path.home() / "Library/Application Support/micrOS"
