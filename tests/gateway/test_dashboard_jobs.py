"""The dashboard's pages of fleet jobs in Debian's Chromium, against two virtual boards and an engine of their own."""
import json
import shutil
from pathlib import Path

import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("nicegui", reason="the gateway's extra is not installed")
pytest.importorskip("nats", reason="the gateway's extra is not installed")
from tests.gateway.dashboard_run import entered, launched, own_gateway  # noqa: E402
from tests.gateway.test_dashboard import DROP, PHONE, serious  # noqa: E402
from toolkit.gateway.api_fleet import Pace  # noqa: E402
from toolkit.gateway.dashboard.job_form import PACE  # noqa: E402

CHROMIUM = shutil.which("chromium")
NAMES = ("hall", "kitchen")
LIGHT = {"viewport": {"width": 1200, "height": 860}, "color_scheme": "light", "reduced_motion": "reduce"}
# a value that each node refuses is tried again after a day: a job that neither ends nor moves
ENDLESS = {"kind": "config", "key": "socmax", "value": "99", "selection": "all",
           "rules": {"tries": 2, "backoff_s": 86_400, "most_backoff_s": 86_400, "abort_pct": 100}}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180),
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with own_gateway(tmp_path_factory.mktemp("jobs"), engine=None) as gateway:
        for name in NAMES:
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
    page = entered(chromium, home, **LIGHT)
    yield page
    assert not page.errors and not page.strangers          # nothing from elsewhere, all along


@pytest.fixture
def kept(home):
    """Id of a job that is there, and does not end."""
    home.api.post("/jobs", json={**ENDLESS, "id": "kept"}).raise_for_status()
    return "kept"


def at(page, home, path="jobs"):
    page.goto(f"{home.url}/gui/{path}")
    page.wait_for_selector(".page")


def fill(page, **values):
    for name, value in values.items():
        page.fill(f"input[data-field={name}]", value)


def test_the_form_begins_with_the_defaults_of_the_api():
    defaults = Pace().model_dump(exclude={"skip_current"})
    assert {name: default for name, _, default, _ in PACE} == {
        name: "" if value == [] else f"{value:g}" for name, value in defaults.items()}


def test_an_empty_list_says_how_to_begin(desk, home):
    at(desk, home)
    desk.wait_for_selector("text=No job yet")
    desk.wait_for_selector("text=Say below which nodes")


def test_a_command_goes_to_each_node_and_the_page_tells_what_came_of_it(desk, home):
    at(desk, home)
    fill(desk, selection="name=*", command="dimmer set_value 600", phases="1")
    desk.wait_for_selector("[data-meant]:has-text('2 nodes: hall, kitchen')")
    desk.click("button:has-text('Begin on 2 nodes')")
    desk.wait_for_url("**/gui/jobs/*")
    ident = desk.url.rpartition("/")[2]
    desk.wait_for_selector("[data-count=done]:has-text('2')")
    rows = home.api.get(f"/jobs/{ident}/nodes").json()
    for row in rows:
        assert row["state"] == "done"
        desk.wait_for_selector(f"tr[data-node={row['uid']}]:has(.pill.good):has-text('600')")
        assert "600" in home.ask(row["name"], "dimmer status")
    assert desk.locator("li:has-text('canary, node 1') .pill.good").count() == 1
    with desk.expect_download() as download:
        desk.click("button:has-text('Report as JSON')")
    assert json.loads(Path(download.value.path()).read_text()) == {
        **home.api.get(f"/jobs/{ident}").json(), "rows": rows}
    desk.get_by_label("Show").click()
    desk.click(".q-menu >> text=failed or unknown")
    desk.wait_for_selector("text=no node here")


def test_files_dropped_for_the_selected_nodes_go_to_them_alone(desk, home):
    at(desk, home, "")
    desk.locator(f"tr[data-node={home.uid('kitchen')}] .q-checkbox").click()
    desk.click("button:has-text('New job')")
    desk.wait_for_selector("[data-meant]:has-text('1 node: kitchen')")
    desk.evaluate(DROP, ["notes.txt", "of a job"])
    desk.wait_for_selector("[data-files]:has-text('notes.txt')")
    desk.click("button:has-text('Begin on 1 node')")
    desk.wait_for_selector("[data-count=done]:has-text('1')")
    held = {name: [row["name"] for row in home.api.get(f"/devices/{name}/files").json()["files"]] for name in NAMES}
    assert "notes.txt" in held["kitchen"] and "notes.txt" not in held["hall"]


def test_a_setting_is_changed_on_the_nodes_that_have_another(desk, home):
    home.api.put("/devices/hall/config/soctout", json={"value": 77}).raise_for_status()
    at(desk, home)
    desk.get_by_label("What", exact=True).click()
    desk.click(".q-menu >> text=Change a setting")
    fill(desk, selection="all", key="soctout", value="77")
    desk.click("button:has-text('Begin on 2 nodes')")
    for count in ("done", "current"):
        desk.wait_for_selector(f"[data-count={count}]:has-text('1')")
    assert home.api.get("/devices/kitchen/config/soctout").json()["value"] == 77


def test_what_the_api_refuses_stands_beside_the_form_in_its_words(desk, home, kept):
    at(desk, home)
    fill(desk, selection="name=h* (", command="version", tries="50")
    why = home.api.get("/selection", params={"expression": "name=h* ("}).json()["detail"]
    desk.wait_for_function("(why) => document.querySelector('[data-meant].bad')?.innerText == why", arg=why)
    fill(desk, selection="hall")
    desk.wait_for_selector("[data-meant]:has-text('1 node: hall')")
    desk.press("input[data-field=tries]", "Enter")
    desk.wait_for_selector("[role=alert]:has-text('less than or equal to 20')")
    assert desk.locator(".q-field--error").count() == 1
    fill(desk, tries="1", id=kept)
    desk.press("input[data-field=tries]", "Enter")
    desk.wait_for_selector("[role=alert]:has-text('there is a job kept already')")


def test_a_job_is_paused_resumed_aborted_and_removed(desk, home):
    ident = home.api.post("/jobs", json=ENDLESS).raise_for_status().json()["id"]
    at(desk, home)
    line = desk.locator(f"tr[data-job='{ident}']")
    for word, state in (("Pause", "paused"), ("Resume", "running")):
        line.get_by_label(f"{word} job").click()
        line.locator(f".pill:has-text('{state}')").wait_for()
        assert home.api.get(f"/jobs/{ident}").json()["status"] == state
    at(desk, home, f"jobs/{ident}")
    desk.click("button:has-text('Abort')")
    desk.click(".q-dialog button:has-text('Abort')")
    desk.wait_for_selector("[data-count=cancelled]:has-text('2')")
    assert home.api.get(f"/jobs/{ident}").json()["status"] == "aborted"
    desk.click("button:has-text('Remove')")
    desk.click(".q-dialog button:has-text('Remove')")
    desk.wait_for_url("**/gui/jobs")
    desk.wait_for_selector("[data-meant]:has-text('all, a name')")
    assert home.api.get(f"/jobs/{ident}").status_code == 404 and not line.count()


def test_who_may_only_look_sees_jobs_and_neither_form_nor_buttons(chromium, home, kept):
    token = home.api.post("/tokens", json={"role": "view"}).json()["token"]
    page = entered(chromium, home, token, **LIGHT)
    at(page, home)
    page.wait_for_selector("tr[data-job=kept] .pill:has-text('running')")
    assert not page.locator("form").count() and not page.locator("tr[data-job] button").count()
    at(page, home, f"jobs/{kept}")
    page.wait_for_selector("tr[data-node]")
    assert page.locator(".head button").count() == page.locator("button:has-text('Report as JSON')").count() == 1
    page.context.close()


@pytest.mark.parametrize("look", [LIGHT, PHONE], ids=["day", "phone at night"])
def test_both_pages_are_whole_and_without_a_serious_finding_of_axe(chromium, home, kept, look):
    page = entered(chromium, home, **look)
    for path, part in (("jobs", "tr[data-job]"), (f"jobs/{kept}", "tr[data-node]")):
        at(page, home, path)
        page.wait_for_selector(part)
        assert page.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"], path
        assert not serious(page), path
    assert not page.errors and not page.strangers
    page.context.close()


def test_without_an_engine_the_page_says_so_in_the_words_of_the_api(chromium, tmp_path):
    with own_gateway(tmp_path) as home:
        page = entered(chromium, home, **LIGHT)
        at(page, home)
        page.wait_for_selector("[data-away]:visible")
        assert home.api.get("/jobs").json()["detail"] in page.inner_text("[data-away]")
        assert not page.locator("form:visible").count() and not page.errors
        page.context.close()
