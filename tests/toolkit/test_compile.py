"""The set of files that makes a node."""
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import compile as compiling
from toolkit.commands import main
from toolkit.compile import CompileError, build, shipped_source, shipped_version, source_files
from toolkit.errors import UsageError

NATIVE = "import micropython\n\n@micropython.native\ndef f():\n    return 1\n"


@pytest.fixture
def source(tmp_path):
    """A small tree of a device."""
    tree = {"main.py": "import core\n", "core.py": "VERSION = 1\n", "pure/words.py": "WORDS = ()\n",
            "boards/LP_x.py": "builtin = 2\n", "modules/LM_a.py": "A = 1\n", "modules/LM_b.py": "B = 1\n"}
    for path, text in tree.items():
        (tmp_path / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / path).write_text(text)
    return tmp_path / "source"


def own_list(data, text):
    data.mkdir(parents=True, exist_ok=True)
    (data / compiling.MODULE_LIST).write_text(text)


def test_the_set_mirrors_the_tree_and_main_comes_last(source):
    assert list(build(source=source).files) == [
        "boards/LP_x.py", "core.mpy", "modules/LM_a.mpy", "modules/LM_b.mpy", "pure/words.mpy", "main.py"]


def test_the_shipped_set_is_compiled_but_for_main_and_the_pin_maps():
    built = build()
    in_source = [path for path in built.files if path.endswith(".py")]
    assert "main.py" in in_source
    assert all(path == "main.py" or path.startswith("boards/LP_") for path in in_source)
    assert len(built.files) == len(source_files(shipped_source()))
    assert built.warnings == []


def test_the_manifest_tells_size_and_hash_of_every_file(source):
    built = build(source=source)
    assert [entry.path for entry in built.manifest] == list(built.files)
    for entry in built.manifest:
        content = built.files[entry.path].read_bytes()
        assert (entry.size, entry.sha256) == (len(content), compiling.digest(content))
    assert built.size == sum(len(file.read_bytes()) for file in built.files.values())


def test_without_mpy_everything_is_source(source):
    assert set(build(mpy=False, source=source).files) == set(source_files(source))


def test_only_some_of_the_tree(source):
    assert list(build(only=["modules/LM_*"], source=source).files) == ["modules/LM_a.mpy", "modules/LM_b.mpy"]


@pytest.mark.parametrize("text", ("LM_b.py\n", "# those I never change\nLM_b\n\n", "LM_b*  # a pattern\n"))
def test_load_modules_that_the_list_does_not_name_stay_source(source, data, text):
    own_list(data, text)
    built = build(source=source)
    assert {"modules/LM_a.py", "modules/LM_b.mpy", "core.mpy"} <= set(built.files)
    assert built.warnings == []


def test_a_module_of_the_list_that_no_longer_exists_is_a_warning(source, data):
    own_list(data, "LM_a.py\nLM_repair.py\n")
    assert build(source=source).warnings == ["LM_to_compile.dat names LM_repair.py, which does not exist: skipped"]


def test_a_mistake_is_named_with_file_and_line(source):
    (source / "modules" / "LM_a.py").write_text("A = 1\n\ndef f(:\n    pass\n")
    with pytest.raises(CompileError, match=r"^modules/LM_a.py:3 does not compile: SyntaxError: invalid syntax$"):
        build(source=source)


def test_native_code_compiles_for_the_architecture_of_its_board(source):
    (source / "modules" / "LM_a.py").write_text(NATIVE)
    with pytest.raises(CompileError, match="LM_a.py:3 does not compile: SyntaxError: invalid arch"):
        build(source=source)
    esp32, pico = (build(source=source, architecture=name) for name in ("xtensawin", "armv6m"))
    contents = [built.files["modules/LM_a.mpy"].read_bytes() for built in (esp32, pico)]
    assert contents[0] != contents[1]


def test_a_build_into_a_folder_leaves_no_file_of_an_earlier_one(source, data, tmp_path):
    out = tmp_path / "out"
    build(out, source=source)
    (source / "core.py").unlink()
    own_list(data, "LM_b.py\n")
    built = build(out, source=source)
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert there == {*built.files, compiling.RECORD}
    assert all(file.is_relative_to(out) for file in built.files.values())


def test_a_folder_with_something_else_in_it_is_not_touched(source):
    before = sorted(source.rglob("*"))
    with pytest.raises(UsageError, match="is no empty folder and no earlier build"):
        build(source, source=source)
    assert sorted(source.rglob("*")) == before


def test_what_an_edited_record_names_outside_of_the_folder_stays(source, tmp_path):
    out, outside = tmp_path / "out", tmp_path / "mine.txt"
    build(out, source=source)
    outside.write_text("mine")
    (out / compiling.RECORD).write_text(f'["../mine.txt", "{outside}"]')
    build(out, source=source)
    assert outside.read_text() == "mine"


def test_the_version_is_that_of_the_shell():
    assert shipped_version() in (shipped_source() / "InterpreterShell.py").read_text()


def test_the_command_writes_the_folder_and_lists_it(source, tmp_path, capsys):
    assert main(["-cc", "--out", str(tmp_path / "out"), "--source", str(source)]) == 0
    assert (tmp_path / "out" / "core.mpy").read_bytes()[:1] == b"M"
    shown = capsys.readouterr().out
    assert "core.mpy" in shown and "6 files, " in shown


def test_a_dry_run_writes_no_folder(source, tmp_path, capsys):
    assert main(["--dummy", "--cross_compile_micros", "--out", str(tmp_path / "out"), "--source", str(source)]) == 0
    assert "6 files, " in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_mistake_is_one_line_and_exit_code_12(source, capsys):
    (source / "core.py").write_text("x = (\n")
    assert main(["-cc", "--dummy", "--source", str(source)]) == 12
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_the_command_line_alone_is_enough(source, tmp_path):
    front_door = Path(__file__).parents[2] / "devToolKit.py"
    done = subprocess.run([sys.executable, front_door, "-cc", "--source", source], cwd=tmp_path, capture_output=True,
                          timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "precompiled" / "main.py").is_file()
