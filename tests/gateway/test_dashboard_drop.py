"""Files and folders of this machine dragged onto the dashboard, as the browser's own drag and drop hands them over."""
import shutil
import time

import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("nicegui", reason="the gateway's extra is not installed")
from tests.gateway.dashboard_run import ROOT, entered, launched, own_gateway  # noqa: E402
from tests.gateway.test_dashboard import MODULE  # noqa: E402

CHROMIUM = shutil.which("chromium")
BAD_MODULE = "import subprocess\n\n\ndef hello():\n    print(subprocess)\n"
PIN_MAP = "boards/LP_tinypico.py"          # stays source, so that one changed file is one file to be sent
# texts that come and go, collected as they do
WATCH = """() => { window.steps = new Set(); new MutationObserver(() => document.querySelectorAll("[data-sent] .small")
    .forEach((each) => steps.add(each.textContent))).observe(document.body, {childList: true, subtree: true,
                                                                          characterData: true}); }"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180),
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with own_gateway(tmp_path_factory.mktemp("drops")) as gateway:
        for name in ("kitchen", "hall"):
            gateway.board(name)
        yield gateway


@pytest.fixture(scope="module")
def desk(home):
    with browser.sync_playwright() as playwright:
        chromium = launched(playwright)
        page = entered(chromium, home, viewport={"width": 1200, "height": 860})
        page.cdp = page.context.new_cdp_session(page)
        yield page
        assert not page.errors and not page.strangers
        chromium.close()


@pytest.fixture
def files_of_kitchen(desk, home):
    desk.goto(f"{home.url}/gui/node/{home.uid('kitchen')}/files")
    desk.wait_for_selector("tr[data-file='main.py']")
    return desk


@pytest.fixture
def nodes(desk, home):
    desk.goto(f"{home.url}/gui/")
    for name in ("kitchen", "hall"):
        awaited(home, name)
        desk.wait_for_selector(f"{row(home, name)} .pill.good")
    return desk


def awaited(home, name, limit_s=40.0):
    """One that restarts is back."""
    end = time.monotonic() + limit_s
    while not home.ask(name, "hello").startswith("hello"):
        assert time.monotonic() < end
        time.sleep(0.2)


def row(home, name):
    return f"tr[data-node='{home.uid(name)}']"


def laid(folder, **texts):
    """A folder with files; `sub__a_txt` is sub/a.txt."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_txt", ".txt").replace("_py", ".py").replace("_bin", ".bin")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def drag(page, onto, *paths, kinds=("dragEnter", "dragOver", "drop")):
    """As the window system does it: files and folders as they are on the disk."""
    target = page.locator(onto).first
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in kinds:
        page.cdp.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + box["width"] / 2,
                                                  "y": box["y"] + box["height"] / 2, "data": data})


def held(home, name):
    return {each["name"]: each for each in home.api.get(f"/devices/{name}/files").json()["files"]}


def test_a_folder_goes_with_all_in_it_and_the_progress_of_each_file_is_shown(files_of_kitchen, home, tmp_path):
    page = files_of_kitchen
    mods = laid(tmp_path / "mods", LM_greet_py=MODULE, sub__a_txt="a" * 200_000, sub__deep__b_txt="b")
    laid(mods / ".git", kept_by_git="not for a node")
    plain = laid(tmp_path / "plain", c_txt="c")
    page.evaluate(WATCH)
    drag(page, "[data-drop]", mods, plain)
    page.wait_for_selector("[data-sent] .pill.good:has-text('sent')")
    for name in ("modules/LM_greet.py", "sub/a.txt", "sub/deep/b.txt", "plain/c.txt"):
        page.wait_for_selector(f"tr[data-file='{name}']")
    assert not [name for name in held(home, "kitchen") if "kept_by_git" in name]
    steps = page.evaluate("[...steps]")
    assert any(step.startswith("sub/a.txt  ") for step in steps), steps
    page.goto(f"{home.url}/gui/node/{home.uid('kitchen')}/modules?module=greet")
    page.wait_for_selector("[data-function='greet hello']")


def test_nothing_is_sent_before_every_module_is_looked_through_and_what_was_sent_is_told(
        files_of_kitchen, home, tmp_path):
    page, many = files_of_kitchen, {f"f{at:02}_txt": "x" for at in range(80)}
    drag(page, "[data-drop]", laid(tmp_path / "many", **many, zz__LM_bad_py=BAD_MODULE))
    page.wait_for_selector("[data-sent] .finding")
    assert page.inner_text("[data-sent] .pill") == "not sent"
    assert not [name for name in held(home, "kitchen") if name.startswith("many")]
    page.evaluate("dash.BATCH = 2")
    odd = laid(tmp_path / "odd", a_txt="a", b_txt="b")
    (odd / "no name of ours.txt").write_text("x")
    drag(page, "[data-drop]", odd)
    page.wait_for_selector("[data-sent] .note:has-text('2 files sent, then: a file')")
    assert page.inner_text("[data-sent] .pill") == "sent in part"


def test_a_row_takes_what_falls_on_it_and_stands_for_the_selection_that_it_is_part_of(nodes, home, tmp_path):
    page, kitchen, hall = nodes, row(home, "kitchen"), row(home, "hall")
    first, second, third = (laid(tmp_path, **{f"{name}_txt": name}) / f"{name}.txt" for name in ("one", "two", "three"))
    page.locator(f"{kitchen} .q-checkbox").click()
    page.wait_for_selector(f"{kitchen}[data-picked]")
    drag(page, "h1", first)                                   # no node's place: nobody has it
    drag(page, hall, second, kinds=("dragEnter", "dragOver"))
    page.wait_for_selector(f"{hall}.over")
    assert page.locator(".over").count() == 1
    drag(page, hall, second)
    page.wait_for_selector(f"[data-sent='{home.uid('hall')}'] .pill.good")
    assert page.locator("[data-sent]").count() == 1 and not page.locator(".over").count()
    page.locator(f"{hall} .q-checkbox").click()
    page.wait_for_selector(f"{hall}[data-picked]")
    drag(page, hall, third, kinds=("dragEnter", "dragOver"))
    page.wait_for_function("document.querySelectorAll('tr.over').length == 2")
    drag(page, hall, third)
    page.wait_for_function("document.querySelectorAll('[data-sent] .pill.good').length == 2")
    there = {name: held(home, name).keys() & {"one.txt", "two.txt", "three.txt"} for name in ("kitchen", "hall")}
    assert there == {"kitchen": {"three.txt"}, "hall": {"two.txt", "three.txt"}}


def test_an_image_is_pointed_to_the_usb_page_and_the_rest_goes_on(nodes, home, tmp_path):
    mixed = laid(tmp_path / "mixed", firmware_bin="\xe9", LM_mixed_py=MODULE)
    drag(nodes, row(home, "hall"), mixed)
    nodes.wait_for_selector("[data-sent] .pill.good")
    assert nodes.get_attribute(".note.warn:has-text('firmware.bin') a", "href") == "/gui/usb"
    assert "modules/LM_mixed.py" in held(home, "hall") and "firmware.bin" not in held(home, "hall")


def test_a_set_of_micros_is_an_update_with_its_progress(nodes, home, tmp_path):
    tree = shutil.copytree(ROOT / "micrOS" / "source", tmp_path / "source",
                           ignore=shutil.ignore_patterns("__pycache__", "*.md"))
    text = (tree / PIN_MAP).read_bytes() + b"# as the set has it\n"
    (tree / PIN_MAP).write_bytes(text)
    drag(nodes, row(home, "hall"), tree)
    nodes.wait_for_selector("[data-run=running] .q-linear-progress")
    nodes.wait_for_selector("[data-run=done], [data-run=failed]", timeout=90_000)
    assert nodes.locator("[data-run=done]").count(), nodes.inner_text("[data-run]")
    assert held(home, "hall")[PIN_MAP]["bytes"] == len(text)
    run = home.api.get("/runs", params={"uid": home.uid("hall")}).json()[0]
    assert run["progress"] is not None and "files" in run["title"]


def test_a_compiled_set_says_what_to_drop_instead_and_half_a_set_is_none(nodes, home, tmp_path):
    compiled = laid(tmp_path / "set", main_py="")
    for name in ("micrOS.mpy", "InterpreterShell.mpy"):
        (compiled / name).write_bytes(b"M\x06")
    drag(nodes, row(home, "hall"), compiled)
    nodes.wait_for_selector(".note:has-text('Drop its source tree')")
    nodes.get_by_role("button", name="Update with this gateway's version").click()
    nodes.wait_for_selector("[data-run=done], [data-run=failed]", timeout=90_000)
    assert nodes.locator("[data-run=done]").count(), nodes.inner_text("[data-run]")
    half = {"main.py": b"", "micrOS.py": b""}
    whole = {**half, "InterpreterShell.py": b"", "modules/LM_bad.py": BAD_MODULE.encode()}
    refused, found = (home.api.post("/devices/kitchen/update/set", files=[
        ("files", (name, data)) for name, data in each.items()]) for each in (half, whole))
    assert refused.status_code == 422 and "InterpreterShell.py" in refused.json()["detail"]
    assert found.json()["run"] is None and found.json()["findings"][0]["file"] == "LM_bad.py"
