"""--OTA against nodes on virtual boards: what is sent, what stays, and that nothing in between is left running."""
import json
import random
import shutil
import subprocess
import sys

import pytest
from old_node import OldNode
from relay import Relay

from tests.device.test_takeover import old_tree
from tests.device.wire import ROOT, eventually
from toolkit import discover, ota
from toolkit.commands import main
from toolkit.compile import build, shipped_source
from toolkit.errors import LinkError, RefusedError, UsageError
from toolkit.fileport import FileDoor
from toolkit.inventory import Device
from toolkit.link.webrepl import FileLink, Held, NoMemoryError
from toolkit.parts import left_out
from toolkit.session import archived_password

simulator = pytest.importorskip("toolkit.simulator")
pytestmark = pytest.mark.slow

PASSWORD = "ADmin123"
OLD, NEW = "2.0.0-0", "2.0.1-0"
CUTS = 20
NOT_OF_A_SET = ("node_config.json", "node_config.bak", "err.log", ".boot", ".deployed", "cleanup.pds", ".if_mode")


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(ota, "PAUSES_S", (0.05,) * 60)
    monkeypatch.setattr(ota, "LOOK_S", 0.05)


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """micrOS without optional parts: a list of its files takes a node half as long."""
    core = tmp_path_factory.mktemp("core") / "source"
    shutil.copytree(shipped_source(), core, ignore=shutil.ignore_patterns("__pycache__"))
    for path in left_out(shipped_source(), ()):
        (core / path).unlink()
    return core


@pytest.fixture(scope="module")
def tree(tmp_path_factory, core):
    """The next version of it: its number, a module, a file that is new, one in another folder."""
    tree = tmp_path_factory.mktemp("next") / "source"
    shutil.copytree(core, tree)
    changed(tree / "InterpreterShell.py", f'VERSION = "{OLD}"', f'VERSION = "{NEW}"')
    (tree / "modules" / "LM_news.py").write_text("def tell():\n    return 'news'\n")
    (tree / "Extra.py").write_text("EXTRA = 1\n")
    for path in ("modules/LM_demo.py", "pure/words.py", "main.py"):
        with (tree / path).open("a") as file:
            file.write("\nNEXT = 1\n")
    return tree


def changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.fixture
def make(request, core):
    """Function that starts a node with compiled files, as a board in the field has them."""
    def make(**options):
        quiet = {"ntphost": "n/a", **options.pop("config", {})}
        source = {} if "main" in options else {"source": core}
        board = simulator.VirtualBoard(**{"mpy": True, **source, **options}, config=quiet)
        request.addfinalizer(board.stop)
        return board.__enter__()
    return make


@pytest.fixture
def node(make):
    return make()


def update(board, *words, port=None):
    return main(["-o", "--dev", board.address, "--port", str(port or board.webrepl_port), *map(str, words)])


def files_of(board):
    """Path -> content, of what belongs to a set or is left of an update."""
    return {path.relative_to(board.dir).as_posix(): path.read_bytes() for path in board.dir.rglob("*")
            if path.is_file() and path.name not in NOT_OF_A_SET}


def contents(built):
    return {path: file.read_bytes() for path, file in built.files.items()}


def test_what_differs_is_sent_and_the_next_version_answers(node, tree, capsys, data):
    node.shell("conf", "devfid lamp", "noconf")
    assert update(node, "--from", tree) == 0
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split() == ["NODE", "VERSION", "SENT", "BYTES", "SAME", "REMOVED", "LINKS", "TIME[s]"]
    assert row.split()[1:5] == [OLD, "->", NEW, "6"] and row.split()[7:9] == ["0", "1"]
    assert node.shell("version", "news tell") == f"{NEW}\nnews"
    assert files_of(node) == contents(build(source=tree))
    assert not (node.dir / "cleanup.pds").exists()
    assert "OK alarm: 0" in node.shell("system alarms")
    assert json.loads((data / "node_config_archive" / "lamp-node_config.json").read_text())["devfid"] == "lamp"
    assert node.shell("hello").startswith("hello:lamp:")
    assert update(node, "--from", tree) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_load_modules_go_live_without_a_restart(node, tree, capsys):
    starts = node.info()["starts"]
    assert update(node, "--from", tree, "--lm-only", "-f", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["sent"], done["to"], done["links"]) == (2, OLD, 1)
    assert node.shell("news tell", "version") == f"news\n{OLD}"
    assert node.info()["starts"] == starts


def test_a_dry_run_sends_nothing(node, tree, capsys):
    before = files_of(node)
    assert update(node, "--from", tree, "--dummy") == 0
    told = capsys.readouterr().out
    assert "modules/LM_news" in told and f"would bring {NEW} onto node01 ({OLD})" in told
    assert files_of(node) == before


def test_modules_of_a_core_that_does_not_fit_are_refused(make, tree, tmp_path, capsys):
    far = tmp_path / "far"
    shutil.copytree(tree, far)
    changed(far / "InterpreterShell.py", NEW, "2.1.0-0")
    node = make()
    assert update(node, "--from", far, "--lm-only") == 2
    assert "leave --lm-only out" in capsys.readouterr().err


def test_a_newer_node_is_refused_and_goes_back_by_force(make, tree, capsys):
    node = make(source=tree)
    assert node.shell("version") == NEW
    assert update(node) == 2
    assert f"has version {NEW}, which is newer than {OLD}" in capsys.readouterr().err
    assert update(node, "-f") == 0
    assert node.shell("version") == OLD


def test_modules_of_the_user_stay_and_give_way_by_force(node, tree, capsys):
    own = b"def hello(): return 'mine'\n"
    with FileLink(node.address, PASSWORD) as link:
        link.put("modules/LM_buzzer.py", own)
    assert update(node, "--from", tree) == 0
    assert "kept your own modules/LM_buzzer.py" in capsys.readouterr().out
    assert (node.dir / "modules/LM_buzzer.py").read_bytes() == own
    assert update(node, "--from", tree, "-f") == 0
    assert files_of(node) == contents(build(source=tree))


def test_a_node_of_sources_becomes_one_of_compiled_files(make, tree):
    node = make(mpy=False, flash="16M")
    assert update(node, "--from", tree) == 0
    assert node.shell("version") == NEW
    assert files_of(node) == contents(build(source=tree))
    assert update(node, "--from", tree, "--py") == 0
    assert files_of(node) == contents(build(source=tree, mpy=False))


def test_a_link_that_breaks_off_is_taken_up_again_and_nothing_is_sent_twice(node, tree, capsys):
    with Relay(node, [2500, 1500]) as relay:
        assert update(node, "--from", tree, "--json", port=relay.port) == 0
    out, err = capsys.readouterr()
    done = json.loads(out)
    assert done["links"] >= 3 and done["sent"] == 6 and "taken up again" in err
    assert node.shell("version") == NEW


def test_a_node_that_stays_away_keeps_what_was_sent(node, tree, capsys, monkeypatch):
    monkeypatch.setattr(ota, "PAUSES_S", (0.01, 0.01))
    with Relay(node, [4000, 300, 300, 300, 300]) as relay:
        assert update(node, "--from", tree, port=relay.port) == 4
    assert "run the same command again" in capsys.readouterr().err.splitlines()[-1]
    assert node.shell("version") == OLD
    assert update(node, "--from", tree, "--json") == 0
    assert json.loads(capsys.readouterr().out)["sent"] < 6


def test_what_another_update_has_left_is_discarded(node, tree):
    with FileLink(node.address, PASSWORD) as link:
        link.put(".staged/modules/LM_old.py", b"left\n")
    assert update(node, "--from", tree) == 0
    assert files_of(node) == contents(build(source=tree))


@pytest.mark.timeout(240)
def test_at_20_random_cuts_of_the_power_the_old_set_answers_or_the_new_one(node, core, tree, monkeypatch):
    """Each cut ends the command; the node, powered again, is looked at, and the update is begun anew."""
    sets = {OLD: contents(build(source=core)), NEW: contents(build(source=tree))}
    dice, seen = random.Random(10), []
    monkeypatch.setattr(ota, "PAUSES_S", ())
    for _ in range(CUTS):
        goal = NEW if node.shell("version") == OLD else OLD
        words = ["-f", "--from", tree if goal == NEW else core]
        cut_at = dice.randrange(200, 7000)
        with Relay(node, [cut_at], at_cut=node.power_cycle) as relay:
            update(node, *words, port=relay.port)
        answering = eventually(lambda: asked(node), bool, timeout_s=30)
        seen.append((cut_at, goal, answering))
        held = {path: data for path, data in files_of(node).items() if not path.startswith(".staged/")}
        assert set(held) <= set(sets[OLD]) | set(sets[NEW]) and held.items() >= sets[answering].items(), seen
    assert {goal == answering for _, goal, answering in seen} == {True, False}, seen


def asked(board):
    try:
        return board.shell("version")
    except OSError:
        return ""


# while an update takes over, the n-th boot resets after its n-th change of a name, as if the power went
CUT = """
import machine, os
renamed, removed = os.rename, os.remove
left = 1
if ".update" in os.listdir():
    if "cuts.txt" in os.listdir():
        left += int(open("cuts.txt").read())
    with open("cuts.txt", "w") as file:
        file.write(str(left))

def cut(do, *paths):
    global left
    do(*paths)
    left -= 1
    if left == 0 and ".update" in os.listdir():
        machine.reset()

os.rename = lambda *paths: cut(renamed, *paths)
os.remove = lambda *paths: cut(removed, *paths)
"""


def test_a_power_cut_after_each_change_leaves_the_rest_to_the_next_boot(make, tree):
    node = make(files={"boot.py": CUT})
    before = node.info()["starts"]
    assert update(node, "--from", tree) == 0
    held = files_of(node)
    cuts = int(held.pop("cuts.txt"))
    assert cuts > 6 and node.info()["starts"] >= before + cuts
    assert held.pop("boot.py").decode() == CUT and held == contents(build(source=tree))


def test_a_set_that_did_not_arrive_as_the_manifest_says_is_refused(node, tree):
    before = files_of(node)
    plan = ota.planned(build(source=tree), {})
    with FileLink(node.address, PASSWORD) as link:
        for path in ("main.py", "Extra.mpy"):
            link.put(".staged/" + path, plan.put[path] + b" ")
        rows = [row for row in plan.manifest.decode().splitlines() if row.startswith(("main.py", "Extra.mpy"))]
        link.put(".staged/manifest", "".join(row + "\n" for row in rows).encode())
        with pytest.raises(RefusedError, match="did not arrive as the manifest says"):
            link.activate()
        with pytest.raises(RefusedError, match="no such request"):
            link.get("?nosuch")
        link.discard_staged()
        with pytest.raises(RefusedError, match="ENOENT"):
            link.activate()
    assert files_of(node) == before and node.shell("version") == OLD


def test_a_node_in_its_update_mode_is_updated_and_leaves_it(node, tree, capsys):
    node.shell("webrepl --update")
    eventually(lambda: reaches(node), bool)
    assert update(node, "--from", tree) == 0
    assert node.shell("version") == NEW and not (node.dir / ".if_mode").exists()


def reaches(board):
    try:
        FileLink(board.address, PASSWORD).close()
        return asked(board) == ""
    except (LinkError, RefusedError):
        return False


def test_the_password_comes_from_the_archive_and_a_wrong_one_is_exit_code_5(make, tree, capsys, monkeypatch, data):
    node = make(config={"appwd": "my own secret".replace(" ", "-")})
    assert update(node, "--from", tree) == 5
    assert "refused the password" in capsys.readouterr().err
    kept = data / "node_config_archive" / "node01-node_config.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"devfid": "node01", "appwd": "my-own-secret"}))
    assert update(node, "--from", tree) == 0
    out, err = capsys.readouterr()
    assert "my-own-secret" not in out + err


def test_a_locked_node_is_updated_with_its_password(make, tree, capsys, monkeypatch):
    node = make(config={"auth": True, "appwd": "my-own-secret"})
    monkeypatch.setenv("MICROS_PASSWORD", "my-own-secret")
    assert update(node, "--from", tree) == 0
    assert f"{OLD} -> {NEW}" in capsys.readouterr().out


def test_a_small_heap_holds_an_update(make, tree):
    node = make(heap="112K")
    assert update(node, "--from", tree) == 0
    assert node.shell("version") == NEW


def test_somebody_at_the_terminal_is_asked_for_the_password(make):
    node = make(config={"appwd": "my-own-secret"})
    device = discover.hello(node.address)
    assert archived_password(device) is None
    asked_for = []
    door = FileDoor(device, ask=lambda prompt: asked_for.append(prompt) or "my-own-secret")
    door.open().close()
    assert door.password == "my-own-secret" and asked_for == ["password of node01 (appwd): "]
    with pytest.raises(RefusedError, match="refused the password"):
        FileDoor(device).open()


def test_a_board_without_room_for_both_sets_is_refused():
    plan = ota.Plan({"a.mpy": bytes(5000), "b/c.mpy": bytes(10)}, [], 0, [])
    staged = 4096 * (2 + 1 + 1) + 2 * 8192             # files, the manifest, .staged and its folder b
    added = 4096 * (2 + 1) + 8192                      # beside what is staged, until all is in its place
    assert ota.needed(plan, Held({}, 0, 6)) == staged + added + 2 * 4096 + ota.SPARE_BYTES
    there = {"a.mpy": (4000, ""), "b/c.mpy": (20, "")}
    needed = staged + 4096 + 2 * 4096 + ota.SPARE_BYTES
    with pytest.raises(UsageError, match=f"has {needed - 1} bytes free, the update needs {needed} beside what runs"):
        ota.check_space(plan, Held(there, needed - 1, 6), "lamp")
    ota.check_space(plan, Held(there, needed, 6), "lamp")
    staged = {**there, ".staged/a.mpy": (5000, ota.digest(bytes(5000)))}
    ota.check_space(plan, Held(staged, needed - 8192 - 8192, 6), "lamp")


def test_a_node_whose_heap_is_full_says_so(monkeypatch):
    from foreign import Server

    class Full(Server):
        def serve(self, client):
            client.recv(4096)
            client.sendall(b"HTTP/1.1 503 not enough memory for files; restart with webrepl --update\r\n\r\n")

    with Full() as server, pytest.raises(NoMemoryError, match="not enough memory"):
        FileDoor(Device("", "127.0.0.1", 1, "lamp"), "x", server.port).open()


def test_no_node_is_named(capsys):
    assert main(["-o"]) == 2
    assert "which node" in capsys.readouterr().err


# -- a toolkit of 1.20 and our node


def cli(board, local, remote):
    """The public client, in a process of its own, as 1.20 calls it."""
    words = [sys.executable, ROOT / "tests" / "webrepl_cli.py", "-p", PASSWORD, local, f"{board.address}:{remote}"]
    return subprocess.run(words, capture_output=True, text=True, timeout=30).returncode == 0


def test_the_dance_of_a_1_20_toolkit_updates_our_node(make, tmp_path):
    node = make()
    (tmp_path / "LM_lamp.py").write_text("def on():\n    return 'on'\n")
    (tmp_path / "helper.py").write_text("HELP = 1\n")
    (tmp_path / ".if_mode").write_text("webrepl")
    assert "webrepl" in node.shell("help") and "--update" in node.shell("help")
    node.shell("webrepl --update")
    eventually(lambda: cli(node, tmp_path / ".if_mode", ".if_mode"), bool, timeout_s=30)
    for name in ("LM_lamp.py", "helper.py"):
        assert cli(node, tmp_path / name, name)
    (tmp_path / ".if_mode").write_text("micros")
    assert cli(node, tmp_path / ".if_mode", ".if_mode")
    eventually(lambda: asked(node), bool, timeout_s=30)
    assert node.shell("lamp on") == "on"
    assert (node.dir / "helper.py").exists() and not (node.dir / "cleanup.pds").exists()


# -- a node of 1.20 and our toolkit


SETTINGS = {"version": "1.20.4-0", "devfid": "node01", "staessid": "home", "stapwd": "secret", "appwd": PASSWORD,
            "cron": False, "nwmd": "STA", "ntphost": "n/a"}


@pytest.fixture
def old_board(make, tmp_path):
    """A board with the tree of 1.20, whose loader waits in its update mode."""
    tree = old_tree(tmp_path, "mpy")
    files = {**tree, "LM_mine.py": b"def who():\n    return 'mine'\n", ".if_mode": b"webrepl",
             "node_config.json": json.dumps(SETTINGS)}
    board = make(main="import micrOSloader\nmicrOSloader.main()\n", shell=False, mpy=False, files=files)
    board.old = tree
    return board


def test_a_node_of_1_20_becomes_ours_by_its_own_dance(old_board, capsys, monkeypatch):
    with OldNode(old_board, lose=[".update~pure~words.mpy"]) as node:
        monkeypatch.setattr(ota, "DANCE_PAUSE_S", 0.01)
        assert update(old_board) == 0
        assert node.log[0] == node.log[-1] == ".if_mode" and node.log[-2] == "main.py"
        assert "webrepl --update" in node.heard
        assert not [name for name in node.log if "/" in name]
    out, err = capsys.readouterr()
    assert "1.20.4-0 -> 2.0.0-0" in out and "once more" in err
    assert old_board.shell("version", "mine who") == "2.0.0-0\nmine"
    assert set(files_of(old_board)) >= set(build().with_parts(()).files) and not (old_board.dir / "usr").exists()
    assert {path.name for path in (old_board.dir / "old").iterdir()} >= {"LM_rgb.mpy", "LM_system.mpy"}
    kept = json.loads((old_board.dir / "node_config.json").read_text())
    assert (kept["staessid"], kept["stapwd"]) == ("home", "secret")
    assert not list(old_board.dir.glob(".update*")) and not (old_board.dir / ".if_mode").exists()


def test_a_dance_that_broke_off_leaves_the_old_core_and_is_begun_anew(old_board, capsys, monkeypatch):
    before = files_of(old_board)
    with OldNode(old_board, lose=["main.py"] * ota.DANCE_TRIES):
        monkeypatch.setattr(ota, "DANCE_PAUSE_S", 0.01)
        assert update(old_board) == 4
    assert "It waits in its WebREPL: run the same command again" in capsys.readouterr().err
    held = files_of(old_board)
    assert {path: held[path] for path in before} == before and (old_board.dir / ".if_mode").read_text() == "webrepl"
    with OldNode(old_board, is_locked=True):
        assert update(old_board) == 0
    assert old_board.shell("version") == "2.0.0-0"


def test_a_1_20_node_whose_micropython_is_too_old_is_left_alone(old_board, capsys):
    with OldNode(old_board, upython=b"1.19.1") as node:
        assert update(old_board) == 2
        assert "has MicroPython 1.19, micrOS now needs 1.21 or newer" in capsys.readouterr().err
        assert update(old_board, "--lm-only") == 2
        assert node.log == [] and "webrepl --update" not in node.heard
