"""Files of modules and packages: what lies on the flash after each call; the web server behaves and misbehaves."""
import hashlib
import json
import select
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.device.answers import SOURCE, functions_of, names_in_help
from tests.device.wire import Wire, eventually
from toolkit.simulator import VirtualBoard

CALLED = "exec_lm_core LM_lmpacman->{}: "
GREET = "def hi():\n    return 'one'\n\n\ndef help():\n    return ('hi',)\n"
CHANGING = ("node_config.json", "packages.json")
TOOL = "from greeting.words import WORD\n\n\ndef say():\n    return WORD\n"


@pytest.fixture(scope="module")
def board():
    """In the place of the one in conftest.py, with files of users."""
    with VirtualBoard(config={"socmax": 8, "ntphost": "n/a"}) as running:
        yield running


class Web:
    """A server on loopback. pages: {path: bytes}; each of `held` waits until release() before its body."""

    def __init__(self):
        self.pages, self.cut, self.held, self.asked = {}, set(), set(), []
        self._go = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                body = web.pages.get(self.path)
                self.send_response(404 if body is None else 200)
                body = b"nothing here" if body is None else body
                self.send_header("Content-Length", str(len(body) + (9 if self.path in web.cut else 0)))
                self.end_headers()
                if self.path in web.held:
                    web._go.wait(5)
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.home = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def release(self):
        self._go.set()

    def package(self, name, urls=(), folder=None, **more):
        """Serve /<name>/package.json and its files. urls: {path: content}; returns the address of the package."""
        folder = folder or f"/{name}"
        for path, content in dict(urls).items():
            self.pages[f"{folder}/{path}"] = content.encode()
        manifest = {"urls": [[path, path] for path in dict(urls)], "version": "1.0", **more}
        self.pages[f"{folder}/package.json"] = json.dumps(manifest).encode()
        return self.home + folder

    def close(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web():
    made = Web()
    yield made
    made.close()


@pytest.fixture
def clean(board):
    """Nothing is installed after the test, nor left behind."""
    yield board
    for name in list(installed(board)):
        board.shell(f"lmpacman uninstall {name}")
    assert installed(board) == {} and leftovers(board) == []


def installed(board):
    return json.loads(board.shell("lmpacman packages >json"))


def files(board):
    """{path: SHA-256} of all but the settings and what a package leaves when it is gone."""
    return {path.relative_to(board.dir).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in board.dir.rglob("*") if path.is_file() and path.name not in CHANGING}


def leftovers(board):
    return [path.name for path in board.dir.rglob("*.new")]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def refused(board, line, text):
    """A call fails with one line that contains the text, and changes nothing."""
    before, packages = files(board), installed(board)
    answer = board.shell(f"lmpacman {line}")
    assert answer.startswith(CALLED.format(line.split()[0])) and text in answer and "\n" not in answer, answer
    assert (files(board), installed(board)) == (before, packages)


# -- load modules

def test_all_files_of_modules_are_listed(board):
    (board.dir / "LM_ours.py").write_text(GREET)
    (board.dir / "modules" / "LM_ours.mpy").write_bytes(b"M")
    listed = board.shell("lmpacman listlm").rstrip("\n").split("\n")
    assert {"   ours.py", "   ours.mpy", "   system.py"} <= set(listed)
    assert len(listed) == 2 + len(list(SOURCE.glob("LM_*.py")))
    for path in ("LM_ours.py", "modules/LM_ours.mpy"):
        (board.dir / path).unlink()


def test_a_module_is_deleted_and_can_no_longer_be_called(board):
    (board.dir / "modules" / "LM_greet.py").write_text(GREET)
    assert board.shell("greet hi", "lmpacman dellm greet.py") == "one\nDelete module: greet.py"
    assert board.shell("greet hi").endswith("no module LM_greet; help lm lists them")
    assert not (board.dir / "modules" / "LM_greet.py").exists()


def test_the_file_that_counts_is_deleted_first(board):
    (board.dir / "LM_greet.py").write_text(GREET)
    (board.dir / "modules" / "LM_greet.py").write_text(GREET.replace("one", "two"))
    assert board.shell("greet hi", "lmpacman dellm greet.py", "greet hi", "lmpacman dellm greet.py").split("\n") == [
        "one", "Delete module: greet.py", "two", "Delete module: greet.py"]


@pytest.mark.parametrize(("lm", "answer"), [
    ("", "Invalid value: None"),
    ("system.py", "Load module system.py is in use, skip delete."),
    ("system.mpy", "Load module system.mpy is in use, skip delete."),
    ("lmpacman.py", "Load module lmpacman.py is in use, skip delete."),
    ("nosuch.py", "Cannot delete: nosuch.py: [Errno 2] ENOENT"),
    ("rgb", "Invalid value: rgb"),
    ("../main.py", "Invalid value: ../main.py"),
    ("x/../../main.py", "Invalid value: x/../../main.py"),
    ("5", "Invalid value: 5"),
])
def test_what_cannot_be_deleted_stays(board, lm, answer):
    before = files(board)
    assert board.shell(f"lmpacman dellm {lm}") == answer
    assert files(board) == before


def test_source_that_hides_bytecode_is_a_duplicate(board):
    assert board.shell("lmpacman del_duplicates") == "Nothing to delete."
    for name in ("LM_twin.py", "LM_twin.mpy", "LM_alone.py"):
        (board.dir / "modules" / name).write_text(GREET)
    (board.dir / "LM_alone.mpy").write_text("M")           # another folder: it hides what is in /modules
    assert board.shell("lmpacman del_duplicates") == "   Delete twin.py True"
    kept = {path.name for path in (board.dir / "modules").iterdir()}
    assert {"LM_twin.mpy", "LM_alone.py"} <= kept and "LM_twin.py" not in kept
    for path in ("modules/LM_twin.mpy", "modules/LM_alone.py", "LM_alone.mpy"):
        (board.dir / path).unlink()


def test_modules_are_unloaded_by_name(board):
    board.shell("demo yes_no")
    assert "'LM_demo'" in board.shell("lmpacman module") and "demo" in board.shell("modules")
    assert board.shell("lmpacman module LM_demo") == "Module unload LM_demo done."
    assert "demo" not in board.shell("modules")
    assert board.shell("lmpacman module LM_demo") == "Module unload LM_demo failed."


@pytest.mark.parametrize("name", ["TaskManager", "LM_nosuch", "5", "[1]"])
def test_what_the_node_consists_of_is_not_unloaded(board, name):
    assert board.shell(f"lmpacman module {name}") == f"Module unload {name} failed."
    assert board.shell("hello").startswith("hello:")


def test_checksums_are_those_of_the_files(board):
    lines = board.shell("lmpacman micros_checksum").split("\n")
    assert lines[-1] == "micrOS version: " + board.shell("version")
    told = {path: code for code, path in (line.split(" ") for line in lines[:-1])}
    assert told == {path: code for path, code in files(board).items() if path.endswith((".py", ".mpy"))}
    assert list(told) == sorted(told)


@pytest.mark.slow
def test_others_are_served_while_checksums_are_computed(board):
    large = board.dir / "lib" / "large.py"
    large.parent.mkdir(exist_ok=True)
    large.write_bytes(bytes(4_000_000))
    with Wire(board) as wire:
        wire.send("lmpacman micros_checksum\n")
        assert board.shell("hello").startswith("hello:")
        seen = wire.socket.recv(65536) if select.select([wire.socket], [], [], 0)[0] else b""
        assert b"micrOS version" not in seen
        wire.until("node01 $ ")
    large.unlink()


REFUSED = (        # function, words, the answer behind CALLED
    ("listlm", "1", "function got multiple values for argument 'msgobj'"),
    ("dellm", "a.py b.py", "dellm() takes 1 positional arguments but 2 were given"),
    ("del_duplicates", "1", "del_duplicates() takes 0 positional arguments but 1 were given"),
    ("module", "LM_demo 1", "module() takes 1 positional arguments but 2 were given"),
    ("micros_checksum", "1", "function got multiple values for argument 'msgobj'"),
    ("install", "", "install() missing 1 required positional arguments"),
    ("install", "greeting", "a package has an address: http://..., https://..., github:..., got greeting"),
    ("install", "5", "a package has an address: http://..., https://..., github:..., got 5"),
    ("install", "http://127.0.0.1/package.json",
     "a package has a name: .../<name>/package.json, got http://127.0.0.1/package.json"),
    ("uninstall", "nosuch", "no package nosuch; there are: none"),
    ("packages", "1", "packages() takes 0 positional arguments but 1 were given"),
)


@pytest.mark.parametrize(("function", "words", "text"), REFUSED)
def test_what_is_refused_gets_one_line(board, function, words, text):
    before = files(board)
    answer = board.shell(f"lmpacman {function} {words}")
    assert answer.startswith(CALLED.format(function)) and text.split("(")[0] in answer and "\n" not in answer
    assert files(board) == before


def test_the_table_of_refusals_has_every_function(board):
    functions = functions_of("lmpacman")
    assert {function for function, _, _ in REFUSED} == functions - {"help"}
    assert names_in_help(board, "lmpacman") == functions - {"help"}


# -- packages

def test_a_package_is_installed_and_works_and_goes_without_a_trace(board, web, clean):
    before = files(board)
    urls = {"LM_greet.py": "from tool import say\n\n\ndef hi():\n    return say()\n", "tool.py": TOOL,
            "greeting/__init__.py": "", "greeting/words.py": "WORD = 'hello you'\n", "data/table.json": "{}"}
    answer = board.shell(f"lmpacman install {web.package('greeting', urls)}")
    assert answer == f"Installed greeting 1.0: 5 files, {sum(map(len, urls.values()))} bytes"
    new = set(files(board)) - set(before)
    assert new == {"modules/LM_greet.py", "lib/tool.py", "lib/greeting/__init__.py", "lib/greeting/words.py",
                   "lib/data/table.json"}
    assert board.shell("greet hi") == "hello you"
    assert installed(board) == {"greeting": "1.0"}
    assert board.shell("lmpacman uninstall greeting") == "Uninstalled greeting: 5 files"
    assert files(board) == before and not (board.dir / "lib" / "greeting").exists()
    assert board.shell("greet hi").endswith("no module LM_greet; help lm lists them")


def test_a_single_file_is_a_package_too(board, web, clean):
    web.pages["/any/LM_greet.py"] = GREET.encode()
    answer = board.shell(f"lmpacman install {web.home}/any/LM_greet.py")
    assert answer == f"Installed LM_greet: 1 files, {len(GREET)} bytes"
    assert board.shell("greet hi") == "one"


def test_a_new_version_counts_at_once_and_old_files_go(board, web, clean):
    address = web.package("greeting", {"LM_greet.py": GREET, "old.py": "X = 1\n"})
    board.shell(f"lmpacman install {address}")
    assert board.shell("greet hi") == "one"
    web.package("greeting", {"LM_greet.py": GREET.replace("one", "two"), "new.py": "X = 2\n"}, version="2.0")
    assert board.shell(f"lmpacman install {address}").startswith("Installed greeting 2.0: 2 files, ")
    assert board.shell("greet hi") == "two" and installed(board) == {"greeting": "2.0"}
    assert (board.dir / "lib" / "new.py").exists() and not (board.dir / "lib" / "old.py").exists()


def test_hashes_are_compared(board, web, clean):
    good = {"hashes": [["LM_greet.py", digest(GREET)], ["tool.py", digest(TOOL)[:8]]]}
    address = web.package("greeting", {"LM_greet.py": GREET, "tool.py": TOOL}, **good)
    assert board.shell(f"lmpacman install {address}").startswith("Installed greeting 1.0: 2 files, ")
    web.pages["/greeting/tool.py"] = TOOL.encode() + b"\n"
    refused(board, f"install {address}",
            f"/lib/tool.py has the hash {digest(TOOL + chr(10))[:8]}, not {digest(TOOL)[:8]}")


def test_a_package_of_an_index_brings_its_files_by_hash_and_its_neighbours(board, web, clean):
    for text in (GREET, TOOL):
        web.pages[f"/pi/v2/file/{digest(text)[:2]}/{digest(text)[:8]}"] = text.encode()
    for name, manifest in (
            ("greeting", {"hashes": [["LM_greet.py", digest(GREET)[:8]]], "deps": [["tool", "1.1"]], "version": "3"}),
            ("tool", {"hashes": [["tool.py", digest(TOOL)[:8]]], "version": "1.1"})):
        version = "latest" if name == "greeting" else "1.1"
        web.pages[f"/pi/v2/package/6/{name}/{version}.json"] = json.dumps(manifest).encode()
    answer = board.shell(f"lmpacman install {web.home}/pi/v2/package/6/greeting/latest.json")
    assert answer == f"Installed greeting 3, tool 1.1: 2 files, {len(GREET) + len(TOOL)} bytes"
    assert board.shell("greet hi") == "one" and (board.dir / "lib" / "tool.py").read_text() == TOOL
    refused(board, "uninstall tool", "tool is needed by greeting")
    assert board.shell("lmpacman uninstall greeting", "lmpacman uninstall tool").count("Uninstalled") == 2


def test_packages_that_need_each_other_come_once(board, web, clean):
    first = web.package("first", {"first.py": "A = 1\n"}, deps=[[f"{web.home}/second", "1"]])
    web.package("second", {"second.py": "B = 1\n"}, deps=[[f"{web.home}/first/package.json", "1"]])
    assert board.shell(f"lmpacman install {first}") == "Installed first 1.0, second 1.0: 2 files, 12 bytes"
    assert web.asked.count("/first/package.json") == 1
    refused(board, "uninstall first", "first is needed by second")
    # two that need each other leave by hand: without one of the records
    records = board.dir / "lib" / "packages.json"
    known = json.loads(records.read_text())
    known["packages"]["second"]["deps"] = []
    records.write_text(json.dumps(known))


TWO = {"LM_greet.py": GREET, "tool.py": TOOL}


def page(web, content):
    web.pages["/greeting/package.json"] = content
    return f"{web.home}/greeting"


def lost_file(web):
    address = web.package("greeting", TWO)
    del web.pages["/greeting/tool.py"]
    return address


def cut_file(web):
    web.cut.add("/greeting/tool.py")
    return web.package("greeting", TWO)


def chain(web):
    for number in range(9):
        web.package(f"p{number}", {f"p{number}.py": ""}, deps=[[f"{web.home}/p{number + 1}", ""]])
    return f"{web.home}/p0"


BROKEN = {         # function that serves it and gives its address, what is said of it
    "missing": (lambda web: f"{web.home}/nosuch", "nosuch: status 404"),
    "lost file": (lost_file, "/lib/tool.py: status 404"),
    "cut file": (cut_file, "/lib/tool.py: 127.0.0.1"),
    "no json": (lambda web: page(web, b"<html>"), "greeting: there is no package.json"),
    "a list": (lambda web: page(web, b"[]"), "greeting: there is no package.json"),
    "twice": (lambda web: page(web, b'{"urls": [["a.py", "a.py"], ["a.py", "b.py"]]}'), "/lib/a.py is there twice"),
    "empty": (lambda web: web.package("greeting"), "there is no file in it"),
    "large json": (lambda web: web.package("greeting", TWO, author="x" * 9000), "more than 8192 bytes"),
    "large file": (lambda web: web.package("greeting", {**TWO, "zz.py": "#" * 65537}),
                   "/lib/zz.py is larger than 65536 bytes"),
    "many files": (lambda web: web.package("greeting", {f"{number}.py": "" for number in range(33)}),
                   "more than 32 files"),
    "many packages": (chain, "it needs more than 7 packages"),
    "out of lib": (lambda web: web.package("greeting", {"../main.py": "boom"}), "got ../main.py"),
    "core module": (lambda web: web.package("greeting", {"LM_system.py": GREET}),
                    "/modules/LM_system.py is there already, and not of the package greeting"),
    "twin": (lambda web: web.package("greeting", {"LM_rgb.mpy": GREET}),
             "/modules/LM_rgb.py is there already, and not of the package greeting"),
    "no neighbour": (lambda web: web.package("greeting", TWO, deps=[["tool", "1"]]),
                     "it needs tool, and does not say from where"),
    "lost neighbour": (lambda web: web.package("greeting", TWO, deps=[[f"{web.home}/tool", "1"]]),
                       "tool: status 404"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_leaves_nothing(board, web, clean, name):
    serve, text = BROKEN[name]
    refused(board, f"install {serve(web)}", text)
    assert installed(board) == {} and leftovers(board) == []


def test_a_server_that_is_not_there_is_named(board):
    refused(board, "install http://127.0.0.1:1/greeting", "cannot be reached")


def test_what_another_package_owns_is_not_overwritten(board, web, clean):
    board.shell(f"lmpacman install {web.package('greeting', {'tool.py': TOOL})}")
    refused(board, f"install {web.package('other', {'tool.py': GREET})}",
            "/lib/tool.py is there already, and not of the package other")
    refused(board, f"install {web.package('greeting', {'tool.py': TOOL}, folder='/fork/greeting')}",
            "greeting is there from another address; uninstall it first")


def test_a_package_may_not_unload_a_part_of_the_node_by_its_name(board, web, clean):
    board.shell(f"lmpacman install {web.package('evil', {'TaskManager.py': 'X = 1', 'pure/lazy.py': 'X = 1'})}")
    assert board.shell("lmpacman uninstall evil") == "Uninstalled evil: 2 files"
    assert board.shell("rgb status").count("\n") == 3 and "idle" in board.shell("task list")


def test_others_are_served_while_a_server_is_slow_and_installs_take_turns(board, web, clean):
    first = web.package("first", {"first.py": "A = 1\n"})
    second = web.package("second", {"second.py": "B = 1\n"})
    web.held.add("/first/first.py")
    with Wire(board) as one, Wire(board) as two:
        one.send(f"lmpacman install {first}\n")
        eventually(lambda: web.asked, lambda asked: "/first/first.py" in asked)
        two.send(f"lmpacman install {second}\n")
        assert board.shell("hello").startswith("hello:")
        assert leftovers(board) == ["first.py.new"] and not (board.dir / "lib" / "first.py").exists()
        assert web.asked == ["/first/package.json", "/first/first.py"]
        web.release()
        assert one.until("node01 $ ").startswith("Installed first 1.0")
        assert two.until("node01 $ ").startswith("Installed second 1.0")
    assert installed(board) == {"first": "1.0", "second": "1.0"}


def test_an_install_that_is_killed_leaves_nothing(board, web, clean):
    address = web.package("greeting", {"a.py": "A = 1\n", "b.py": "B = 1\n"})
    web.held.add("/greeting/b.py")
    before = files(board)
    assert board.shell(f"lmpacman install {address} &") == "Start lmpacman.install"
    eventually(lambda: web.asked, lambda asked: "/greeting/b.py" in asked)
    assert len(leftovers(board)) == 2
    board.shell("task kill lmpacman.install")
    eventually(lambda: leftovers(board), lambda left: left == [])
    assert files(board) == before and installed(board) == {}


def test_a_power_cut_amid_an_install_is_tidied_up(make_board, web):
    board = make_board()
    address = web.package("greeting", {"a.py": "A = 1\n", "b.py": "B = 1\n"})
    web.held.add("/greeting/b.py")
    with board.connect() as link:
        link.sendall(f"lmpacman install {address}\n".encode())
        eventually(lambda: web.asked, lambda asked: "/greeting/b.py" in asked)
        board.power_cycle()
    board.wait_ready()
    assert leftovers(board) != []
    assert installed(board) == {} and leftovers(board) == []
    web.release()
    assert board.shell(f"lmpacman install {address}").startswith("Installed greeting 1.0: 2 files")


def test_a_power_cut_after_the_decision_is_carried_through(make_board):
    record = {"packages": {"greeting": {"url": "http://h/greeting/package.json", "version": "2", "deps": [],
                                        "files": ["/lib/a.py", "/lib/b.py"]}},
              "rename": ["/lib/a.py", "/lib/b.py"], "remove": ["/lib/old.py"]}
    board = make_board(files={"lib/packages.json": json.dumps(record), "lib/a.py": "new\n", "lib/b.py": "old\n",
                              "lib/b.py.new": "new\n", "lib/old.py": "old\n"})
    assert installed(board) == {"greeting": "2"}
    assert {path.name: path.read_text() for path in (board.dir / "lib").glob("*.py*")} == {
        "a.py": "new\n", "b.py": "new\n"}
    assert json.loads((board.dir / "lib" / "packages.json").read_text())["rename"] == []


def test_a_damaged_record_is_named_and_nothing_is_touched(make_board, web):
    board = make_board(files={"lib/packages.json": "{", "lib/a.py": "A = 1\n"})
    for line in ("packages", "uninstall greeting", f"install {web.package('greeting', {'a.py': ''})}"):
        assert board.shell(f"lmpacman {line}") == (
            CALLED.format(line.split()[0]) + "/lib/packages.json is damaged; remove it, and what it installed stays")
    assert (board.dir / "lib" / "a.py").read_text() == "A = 1\n"


def test_a_full_flash_refuses_and_leaves_nothing(make_board, web):
    board = make_board(flash="2560K", files={"lib/large.bin": bytes(60_000)})
    free = json.loads(board.shell("system disk_usage >json"))
    assert free["percent"] > 50
    address = web.package("greeting", {"a.py": "#" * 60_000})
    before = files(board)
    answer = board.shell(f"lmpacman install {address}")
    assert answer.startswith(CALLED.format("install")) and "/lib/a.py is larger than" in answer
    assert files(board) == before and leftovers(board) == []


@pytest.mark.slow
def test_all_of_it_runs_as_bytecode(make_board, web):
    board = make_board(mpy=True)
    assert board.shell(f"lmpacman install {web.package('greeting', {'LM_greet.py': GREET})}").startswith("Installed")
    assert board.shell("greet hi", "lmpacman uninstall greeting") == "one\nUninstalled greeting: 1 files"
    assert " modules/LM_lmpacman.mpy\n" in board.shell("lmpacman micros_checksum")
    assert "   rgb.mpy\n" in board.shell("lmpacman listlm")
