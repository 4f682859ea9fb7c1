"""The dashboard's pages of things, in Debian's Chromium."""
import shutil
from pathlib import Path

import httpx
import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("nicegui", reason="the gateway's extra is not installed")
from tests.gateway.dashboard_run import entered, launched, own_gateway  # noqa: E402

CHROMIUM = shutil.which("chromium")
KEY = "dev-page"
BODY = bytes(range(256)) * 300
DRAWN = """() => {
    const place = document.querySelector('[aria-label="Plot of a property"]');
    const drawn = getElement(place.id.slice(1)).chart.getOption().series[0];
    return [drawn.name, drawn.data.map(point => point[1]), place.querySelector('canvas').width > 100];
}"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120),
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with own_gateway(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def say(home):
    """What a thing says over HTTP."""
    token = home.api.post("/thing-tokens", json={"things": KEY}).json()["token"]
    with httpx.Client(base_url=home.url, trust_env=False, timeout=30) as client:
        def told(command, **params):
            return client.post("/api", json={"1": {"command": command, "params": params}}).json()["1"]

        login = told("api.authenticate", appToken=token, appId="a", thingKey=KEY)
        client.headers["sessionId"] = login["params"]["sessionId"]
        for value in (20.5, 22, 21.5):
            assert told("property.publish", thingKey=KEY, key="temp", value=value)["success"]
        assert told("alarm.publish", thingKey=KEY, key="door", state=2, msg="<b>open</b>")["success"]
        yield told


@pytest.fixture(scope="module")
def page(home, say):
    """That of the thing."""
    with browser.sync_playwright() as playwright:
        chromium = launched(playwright)
        try:
            made = entered(chromium, home, viewport={"width": 1200, "height": 860})
            browser.expect.set_options(timeout=40_000)
            made.goto(f"{home.url}/gui/things")
            made.get_by_role("link", name=KEY).click()
            yield made
        finally:
            chromium.close()


@pytest.fixture(autouse=True)
def _nothing_strange(page):
    yield
    assert not page.errors and not page.strangers


def test_things_are_shown_and_asked_to_act(page, say):
    browser.expect(page.locator("[data-value=temp]")).to_contain_text("21.5")
    browser.expect(page.locator("[data-value=door]")).to_contain_text("2 <b>open</b>")
    page.get_by_label("Action").fill("blink")
    page.get_by_label("Parameters, JSON").fill('{"n": 3}')
    page.get_by_role("button", name="Run").click()
    browser.expect(page.locator("[data-action]")).to_contain_text("waiting")
    mail = say("mailbox.check")["params"]["messages"][0]
    assert mail["params"] == {"method": "blink", "params": {"n": 3}}
    assert say("mailbox.ack", id=mail["id"], errorCode=0, errorMessage="blinked")["success"]
    browser.expect(page.locator("[data-action]")).to_contain_text("blinked")


def test_a_property_is_plotted_over_time_and_what_comes_is_added(page, say):
    page.wait_for_function(f"({DRAWN})().join() == 'temp,20.5,22,21.5,true'")
    assert say("property.publish", thingKey=KEY, key="temp", value=19)["success"]
    page.wait_for_function(f"({DRAWN})()[1].at(-1) == 19")


def test_a_file_of_a_thing_is_listed_and_fetched(page, home):
    way = home.api.post(f"/things/{KEY}/files", json={"name": "report 1.bin"}).json()
    assert httpx.post(home.url + way["path"], content=BODY, trust_env=False, timeout=30).status_code == 200
    row = page.locator("[data-file='report 1.bin']")
    browser.expect(row).to_contain_text("75")
    with page.expect_download() as download:
        row.get_by_role("button", name="report 1.bin").click()
    assert download.value.suggested_filename == "report 1.bin"
    assert Path(download.value.path()).read_bytes() == BODY


def test_a_remote_terminal_reaches_a_port_behind_a_thing(page, home, say):
    from websockets.sync.client import connect

    page.get_by_label("Port behind the thing").fill("2323")
    page.get_by_role("button", name="Open").click()
    page.wait_for_selector(".xterm-rows")
    call = say("mailbox.check")["params"]["messages"][0]["params"]
    assert (call["method"], call["params"]["protocol"]) == ("remote-access", "2323")
    with connect(home.url.replace("http", "ws") + "/relay/" + call["params"]["url"].rpartition("/")[2]) as far:
        assert far.recv(30) == "CONNECTED-129812"
        far.send("gr\u00fc\u00dfe von dort\r\n".encode())
        browser.expect(page.locator(".xterm-rows")).to_contain_text("gr\u00fc\u00dfe von dort")
        page.locator(".xterm").scroll_into_view_if_needed()
        page.click(".xterm")
        page.keyboard.type("ls\n")
        typed = b""
        while not typed.endswith(b"\r"):
            typed += far.recv(30)
        assert typed == b"ls\r"
    browser.expect(page.locator(".xterm-rows")).to_contain_text("[closed]")
