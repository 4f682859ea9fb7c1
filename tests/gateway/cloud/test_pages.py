"""The dashboard's pages of things, in Debian's Chromium."""
import shutil

import httpx
import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("nicegui", reason="the gateway's extra is not installed")
from tests.gateway.dashboard_run import entered, own_gateway  # noqa: E402

CHROMIUM = shutil.which("chromium")
KEY = "dev-page"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120),
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


def test_things_are_shown_and_asked_to_act(tmp_path):
    with own_gateway(tmp_path) as home, browser.sync_playwright() as playwright, \
            httpx.Client(base_url=home.url, trust_env=False) as client:
        token = home.api.post("/thing-tokens", json={"things": KEY}).json()["token"]
        login = {"command": "api.authenticate", "params": {"appToken": token, "appId": "a", "thingKey": KEY}}
        client.headers["sessionId"] = client.post("/api", json={"1": login}).json()["1"]["params"]["sessionId"]

        def say(command, **params):
            return client.post("/api", json={"1": {"command": command, "params": params}}).json()["1"]

        assert say("property.publish", thingKey=KEY, key="temp", value=21.5)["success"]
        assert say("alarm.publish", thingKey=KEY, key="door", state=2, msg="<b>open</b>")["success"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        try:
            page = entered(chromium, home, viewport={"width": 1200, "height": 860})
            page.goto(f"{home.url}/gui/things")
            page.get_by_role("link", name=KEY).click()
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
            assert not page.errors and not page.strangers
        finally:
            chromium.close()
