"""The page /docs in a browser: drawn from openapi.json, tried on a node, without a look beyond loopback."""
import shutil

import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from tests.gateway.dashboard_run import launched  # noqa: E402

CHROMIUM = shutil.which("chromium")

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


def test_the_page_shows_every_path_and_tries_one_with_nothing_from_elsewhere(gateway):
    with browser.sync_playwright() as playwright:
        chromium = launched(playwright)
        page = chromium.new_page()
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{gateway.url}/docs")
        page.fill("#token", gateway.admin)
        page.click("#enter button")
        page.wait_for_selector("#who:has-text('role admin')")
        described = page.request.get(f"{gateway.url}/openapi.json").json()
        assert page.locator("details").count() == sum(len(methods) for methods in described["paths"].values())
        page.fill("#find", "get devices/{device} health")
        page.click("details:not([hidden]) summary")
        page.fill("details[open] input[name=device]", "lamp0")
        page.click("details[open] button")
        page.wait_for_selector("details[open] pre:has-text('heap_used_pct')")
        chromium.close()
    assert not errors and not [url for url in asked if not url.startswith((gateway.url, "data:"))]
