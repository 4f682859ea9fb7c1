"""The dashboard in Debian's Chromium, against two virtual boards behind a gateway of its own process."""
import csv
import json
import re
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("nicegui", reason="the gateway's extra is not installed")
from tests.gateway.dashboard_run import entered, launched, own_gateway  # noqa: E402
from toolkit.gateway.dashboard.frame import LOOK_S  # noqa: E402
from toolkit.link.shell import ShellLink  # noqa: E402

CHROMIUM = shutil.which("chromium")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark",
         "reduced_motion": "reduce"}
WITHIN_S = 2                   # what a board does is on the page within that
MODULE = '''"""Greets."""


def hello(name="you"):
    return "hello {}".format(name)


def help():
    return ("hello name=<text>",)
'''
ALIKE = {"exclude": [["tr[data-file]:nth-child(n+6)"], [".set:nth-child(n+14)"], [".pick:nth-child(n+9)"]]}
SHOWS_SOCTOUT = "(wanted) => document.querySelector('[data-key=soctout] input')?.value == wanted"
VERSIONS_ON_SCREEN = (r"[...document.querySelectorAll('.xterm-rows > div')]"
                      r".filter(row => /^\d+\.\d+\.\d+-/.test(row.innerText)).length")
WEARS = "(scheme) => !window.Quasar || document.body.classList.contains(scheme)"        # the door has no Quasar
ACTIVE = "(is) => document.activeElement.matches(is)"
AXE = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}}
DROP = """([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    const zone = document.querySelector("[data-drop]");
    for (const kind of ["dragenter", "dragover", "drop"])
        zone.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180),
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with own_gateway(tmp_path_factory.mktemp("dashboard")) as gateway:
        for name in ("kitchen", "hall"):
            gateway.board(name)
        yield gateway


@pytest.fixture(scope="module")
def chromium():
    with browser.sync_playwright() as playwright:
        chromium = launched(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def desk(chromium, home):
    """One page for all tests at a desk."""
    page = entered(chromium, home, viewport={"width": 1200, "height": 860})
    yield page
    assert not page.errors and not page.strangers          # nothing from elsewhere, all along


def tab_to(page, selector, limit=80):
    """As a person without a mouse comes there."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(ACTIVE, selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")


def at(page, home, name, tab=""):
    page.goto(f"{home.url}/gui/node/{home.uid(name)}/{tab}".rstrip("/"))


def test_a_stranger_is_sent_to_the_door_and_comes_back_to_where_it_was_going(chromium, home):
    page = chromium.new_context().new_page()
    page.goto(f"{home.url}/gui/usb")
    assert page.url == f"{home.url}/enter?next=/gui/usb"
    page.fill("#token", "micros_wrong")
    page.click("button")
    page.wait_for_selector("#why:has-text('no token of this gateway')")
    page.fill("#token", home.token)
    page.click("button")
    page.wait_for_url("**/gui/usb")
    page.context.close()


def test_cli_rest_and_page_tell_the_same(desk, home):
    desk.goto(f"{home.url}/gui/")
    uid = home.uid("kitchen")
    line = desk.locator(f"tr[data-node={uid}]")
    line.locator(".pill.good").wait_for()
    told = home.api.get("/devices/kitchen").json()
    words = home.words("--connect", "--dev", f"{told['address']}:{told['port']}",
                       "version <a> conf <a> soctout <a> devfid")
    printed = subprocess.run(words, env=home.environment(), capture_output=True, text=True, check=True,
                             timeout=60).stdout
    version, seconds, name = [row for row in printed.split() if row not in ("$", "configure")][-3:]
    assert (version, name) == (told["version"], told["name"])
    assert version in line.inner_text() and name in line.inner_text()
    assert home.api.get("/devices/kitchen/config/soctout").json()["value"] == int(seconds)
    at(desk, home, "kitchen", "settings")
    desk.wait_for_function(SHOWS_SOCTOUT, arg=seconds)
    words = home.words("--connect", "--dev", f"{told['address']}:{told['port']}", "dimmer set_value 420")
    printed = subprocess.run(words, env=home.environment(), capture_output=True, text=True, check=True,
                             timeout=60).stdout
    at(desk, home, "kitchen", "modules?module=dimmer")
    desk.click("[data-function='dimmer status'] button:has-text('Run')")
    desk.wait_for_selector("[data-function='dimmer status'] pre:not(.hidden)")
    shown = desk.inner_text("[data-function='dimmer status'] pre")
    assert re.findall(r"\b420\b", printed) and re.findall(r"\b420\b", shown)
    assert home.ask("kitchen", "dimmer status").strip() == shown.strip()
    pins = home.api.get("/virtual/kitchen").json()["pins"]
    duties = {name: pin["duty_pct"] for pin in pins for name in pin["names"]}
    assert round(duties["dim_1"]) == round(100 * 420 / 1023)


def test_a_dropped_module_is_checked_sent_and_its_function_called(desk, home):
    at(desk, home, "kitchen", "files")
    desk.wait_for_selector("tr[data-file='main.py']")
    desk.evaluate(DROP, ["LM_greet.py", "import subprocess\n\n\ndef hello():\n    print(subprocess)\n"])
    desk.wait_for_selector(".finding")                     # refused, and nothing was sent
    assert "modules/LM_greet.py" not in json.dumps(home.api.get("/devices/kitchen/files").json())
    desk.evaluate(DROP, ["LM_greet.py", MODULE])
    desk.wait_for_selector("[data-sent] .pill:has-text('sent')")
    desk.wait_for_selector("tr[data-file='modules/LM_greet.py']")
    at(desk, home, "kitchen", "modules")
    desk.click("[data-module=greet]")
    desk.get_by_role("button", name="Load", exact=True).click()
    desk.fill("[data-function='greet hello'] input", "Ada")
    desk.click("[data-function='greet hello'] button:has-text('Run')")
    desk.wait_for_selector("[data-function='greet hello'] pre:has-text('hello Ada')")


def test_files_dropped_on_a_selection_go_to_each_of_it(desk, home):
    desk.goto(f"{home.url}/gui/")
    for name in ("kitchen", "hall"):
        desk.locator(f"tr[data-node={home.uid(name)}] .q-checkbox").click()
    desk.evaluate(DROP, ["notes.txt", "both"])
    desk.wait_for_function("document.querySelectorAll('[data-sent] .pill.good').length == 2")
    for name in ("kitchen", "hall"):
        assert "notes.txt" in [row["name"] for row in home.api.get(f"/devices/{name}/files").json()["files"]]


def test_a_setting_is_saved_and_a_bad_value_says_why(desk, home):
    at(desk, home, "kitchen", "settings")
    field = desk.locator("[data-key=socmax] input")
    field.fill("9")
    field.press("Enter")
    desk.wait_for_function("document.body.innerText.includes('socmax is saved')")
    assert home.api.get("/devices/kitchen/config/socmax").json()["value"] == 9
    field.fill("99")
    field.press("Enter")
    desk.wait_for_selector("[data-key=socmax] .q-field__messages:has-text('1 to 64')")
    field.fill("²")
    field.press("Enter")
    desk.wait_for_selector("[data-key=socmax] .q-field__messages:has-text('²')")
    assert home.api.get("/devices/kitchen/config/socmax").json()["value"] == 9


def test_what_changes_on_the_board_itself_is_on_the_page_without_a_reload(desk, home):
    at(desk, home, "kitchen", "settings")
    field = desk.locator("[data-key=soctout] input")
    field.wait_for()
    desk.evaluate("window.stays = true")
    told = home.api.get("/devices/kitchen").json()
    with ShellLink(told["address"], told["port"]) as shell:          # past the gateway
        for line in ("conf", "soctout 77", "noconf"):
            shell.ask(line)
    desk.wait_for_function(SHOWS_SOCTOUT, arg="77")
    assert desk.evaluate("window.stays") and LOOK_S < WITHIN_S


def test_a_press_of_a_virtual_button_lights_the_lamp(desk, home):
    for key, value in (("irq1_cbf", "rgb toggle"), ("irq1_trig", "up"), ("irq_prell_ms", 0), ("irq1", True)):
        assert home.api.put(f"/devices/hall/config/{key}", json={"value": value}).status_code == 200
    home.api.post("/virtual/hall/reset")
    desk.goto(f"{home.url}/gui/virtual/hall")
    desk.wait_for_selector("[data-thing='Board LED']")
    _until(lambda: home.ask("hall", "rgb load_n_init").startswith("CACHE"))
    press = desk.locator("[data-press=irq1]")
    press.dispatch_event("pointerdown")
    desk.wait_for_selector("[data-thing='RGB lamp']:not(:has-text('0 / 0 / 0'))")
    press.dispatch_event("pointerup")
    desk.keyboard.press("Tab")


def test_the_display_of_a_virtual_board_is_a_picture(desk, home):
    desk.goto(f"{home.url}/gui/virtual/hall")
    desk.click("button:has-text('Hang a chip')")
    desk.click("text=Display SSD1306")
    desk.wait_for_selector("[data-thing=Display] img")
    blank = desk.get_attribute("[data-thing=Display] img", "src")
    assert "rror" not in home.ask("hall", "oled text \"micrOS\" x=20 y=20")
    home.ask("hall", "oled show")
    desk.wait_for_function("(was) => document.querySelector('[data-thing=Display] img').src != was", arg=blank)


def test_a_plot_of_any_number_moves_and_is_exported(desk, home):
    at(desk, home, "kitchen", "plots")
    desk.click("button:has-text('Answer time')")
    home.ask("kitchen", "dimmer set_value 111")
    desk.get_by_label("A command that answers with numbers").fill("dimmer status")
    desk.get_by_role("button", name="Look", exact=True).click()
    desk.click("[data-number=X]")
    desk.wait_for_selector("[data-series]:has-text('dimmer status X: 111')")
    home.ask("kitchen", "dimmer set_value 777")
    desk.wait_for_selector("[data-series]:has-text('dimmer status X: 777')")
    desk.wait_for_selector("[data-series]:has-text('latency_ms'):has-text('3 points')")
    with desk.expect_download() as download:
        desk.click("button:has-text('Export CSV')")
    head, *rows = csv.reader(Path(download.value.path()).read_text().splitlines())
    values = {name: [float(value) for _, series, value in rows if series == name] for name in (
        "latency_ms", "dimmer status X")}
    assert head == ["time", "series", "value"] and float(rows[0][0]) > 1e9
    assert len(values["latency_ms"]) > 2 and {111, 777} <= set(values["dimmer status X"])


def test_a_task_is_shown_and_killed(desk, home):
    at(desk, home, "kitchen", "tasks")
    desk.get_by_label("Start a task").fill("system heartbeat &&400")
    desk.get_by_role("button", name="Start", exact=True).click()
    line = desk.locator("tr[data-task='system.heartbeat']")
    line.locator(".pill.good").wait_for()
    line.locator("button:has-text('Kill')").click()
    desk.wait_for_selector("tr[data-task='system.heartbeat']:not(:has(.pill.good))", state="attached")
    tasks = {row["tag"]: row["active"] for row in home.api.get("/devices/kitchen/tasks").json()}
    assert not tasks.get("system.heartbeat")


def test_a_person_without_a_mouse_starts_a_task_and_kills_it(desk, home):
    at(desk, home, "hall", "tasks")
    desk.wait_for_selector("tr[data-task]")
    tab_to(desk, "input[placeholder^=rgb]")
    desk.keyboard.type("system heartbeat &&400")
    tab_to(desk, "button[type=submit]", 3)
    desk.keyboard.press("Enter")
    desk.wait_for_selector("tr[data-task='system.heartbeat'] .pill.good")
    tab_to(desk, "tr[data-task='system.heartbeat'] .btn.danger")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("tr[data-task='system.heartbeat']:not(:has(.pill.good))", state="attached")


def test_the_page_can_be_installed(desk, home):
    desk.goto(f"{home.url}/gui/")
    assert desk.evaluate("navigator.serviceWorker.ready.then(({active}) => active.scriptURL)").endswith("/sw.js")
    browsers_view = desk.context.new_cdp_session(desk)
    errors = browsers_view.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}       # as each page of a test is
    told = browsers_view.send("Page.getAppManifest")
    assert told["errors"] == [] and told["url"] == f"{home.url}/gui-assets/manifest.webmanifest"
    for icon in json.loads(told["data"])["icons"]:
        image = desk.request.get(home.url + icon["src"])
        assert image.ok and image.headers["content-type"] == icon["type"]
        if icon["sizes"] != "any":
            size = struct.unpack(">2I", image.body()[16:24])             # PNG (ISO 15948), 11.2.2: IHDR
            assert icon["sizes"] == "{}x{}".format(*size)


def test_the_console_answers_and_remembers_what_was_typed(desk, home):
    at(desk, home, "kitchen", "console")
    screen = desk.locator(".xterm-rows")
    screen.get_by_text("kitchen $").first.wait_for()
    desk.click(".xterm")
    desk.keyboard.type("version\n")
    screen.get_by_text(re.compile(r"^\d+\.\d+\.\d+-\d+$")).first.wait_for()
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("Enter")
    desk.wait_for_function(VERSIONS_ON_SCREEN + " == 2")


def test_a_widget_is_kept_on_the_node_itself(desk, home):
    at(desk, home, "kitchen", "modules")
    desk.click("[data-module=system]")
    row = desk.locator("[data-function='system clock']")
    row.locator("button:has-text('Pin')").click()
    desk.click("text=as a value")
    desk.wait_for_function("document.body.innerText.includes('is on the overview')")
    at(desk, home, "kitchen")
    desk.wait_for_selector("[data-widget=value] pre:has-text(':')")
    assert "system clock" in json.dumps(home.api.get("/devices/kitchen/layout").json())


def test_a_virtual_esp32_becomes_a_node_by_the_usb_page(desk, home):
    desk.goto(f"{home.url}/gui/virtual")
    desk.get_by_label("Name").fill("fresh")
    desk.click("text=Nothing in its flash")
    desk.click("button:has-text('Start')")
    desk.wait_for_selector("[data-board=fresh]")
    desk.goto(f"{home.url}/gui/usb")
    desk.get_by_label("Board at").click()
    desk.click(".q-menu >> text=virtual board fresh")
    desk.get_by_label("Name of the node").fill("cellar")
    desk.click("button:has-text('Make node')")
    desk.click("button:has-text('Erase and make')")
    desk.wait_for_selector("[data-run=done]", timeout=60_000)
    assert "hello from cellar" in desk.inner_text("[data-run] pre")
    desk.goto(f"{home.url}/gui/")
    desk.wait_for_selector("tr:has-text('cellar') .pill.good")


def test_apps_and_the_system_test_run_from_the_page_of_a_node(desk, home):
    at(desk, home, "hall", "apps")
    for app, said in (("GetVersion", "upython"), ("SystemTest", "hello")):
        desk.click(f"button[aria-label='Run {app}']")
        run = desk.locator(f"[data-run]:has-text('{app} on hall')")
        run.locator(".pill:not(.warn)").wait_for(timeout=60_000)
        told = run.inner_text()
        assert run.get_attribute("data-run") == "done" and said in told.lower(), told


def test_every_page_is_whole_on_a_phone_and_axe_has_no_serious_finding_by_night_and_by_day(chromium, home):
    page, node = entered(chromium, home, **PHONE), f"gui/node/{home.uid('hall')}"
    for path in ("enter", *(f"gui/{each}" for each in ("usb", "virtual", "virtual/hall", "things", "")), node, *(
            f"{node}/{tab}" for tab in ("tasks", "settings", "files", "plots", "apps", "console",
                                        "modules?module=system"))):
        page.goto(f"{home.url}/{path}")
        page.wait_for_selector(".page, main")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"], path
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(WEARS, arg=f"body--{scheme}")
            assert not serious(page), f"{path} {scheme}"
        page.emulate_media(color_scheme="dark")
    page.tap("[data-function='system clock'] button:has-text('Run')")
    page.wait_for_selector("[data-function='system clock'] pre:has-text(':')")
    assert not page.errors and not page.strangers
    page.context.close()


def serious(page):
    """What axe finds of that kind; the test is skipped where it is not installed."""
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.AXE_FILE_PATH.read_text())
    found = page.evaluate("([context, options]) => axe.run(context, options)", [ALIKE, AXE])["violations"]
    return [f"{row['id']}: {row['nodes'][0]['html'][:160]}" for row in found
            if row["impact"] in ("serious", "critical")]


def test_a_page_outlives_a_lost_connection_and_a_restart_and_the_own_browser_needs_no_token(chromium, home):
    page = entered(chromium, home)
    page.wait_for_selector("tr[data-node] .pill.good")
    page.context.set_offline(True)
    page.wait_for_selector("#popup:visible", timeout=30_000)
    page.context.set_offline(False)
    page.wait_for_selector("#popup:visible", state="hidden", timeout=30_000)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    home.stop()
    page.wait_for_selector("#popup:visible")
    away = page.context.new_page()
    away.goto(f"{home.url}/gui/")                           # from the service worker
    away.wait_for_selector("text=The gateway is away")
    away.close()
    home.start("--open")
    home.board("kitchen")
    page.wait_for_selector("tr:has-text('kitchen') .pill.good", timeout=60_000)
    page.context.close()
    own = chromium.new_context().new_page()
    door = home.data / "gateway" / "open.html"
    assert door.stat().st_mode & 0o777 == 0o600
    own.goto(door.as_uri())
    own.wait_for_selector("tr:has-text('kitchen')")
    assert not door.exists()                               # it opens once
    own.context.close()


def _until(is_so, limit_s=15.0):
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)
