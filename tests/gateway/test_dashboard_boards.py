"""The dashboard's pages of boards and their care in Debian's Chromium: virtual boards, USB, update, backup, restart."""
import re
import shutil
import socket
import time

import pytest

browser = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("nicegui", reason="the gateway's extra is not installed")
pytest.importorskip("nats", reason="the gateway's extra is not installed")
from tests.gateway.dashboard_run import entered, launched, own_gateway  # noqa: E402

CHROMIUM = shutil.which("chromium")
STALE = "Sun.mpy"              # a file of the set that nothing of this test loads

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180),
              pytest.mark.skipif(not CHROMIUM, reason="chromium is not on this machine (Debian: chromium)")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """With an engine, which keeps what happened."""
    with own_gateway(tmp_path_factory.mktemp("boards"), engine=None) as gateway:
        gateway.board("hall")
        yield gateway


@pytest.fixture(scope="module")
def desk(home):
    with browser.sync_playwright() as playwright:
        chromium = launched(playwright)
        page = entered(chromium, home, viewport={"width": 1200, "height": 860})
        yield page
        assert not page.errors and not page.strangers
        chromium.close()


@pytest.fixture
def bench(desk, home):
    desk.goto(f"{home.url}/gui/virtual/hall")
    desk.wait_for_selector(".pill:has-text('runs')")
    return desk


@pytest.fixture
def node(desk, home):
    until(lambda: answers(home))
    desk.goto(f"{home.url}/gui/node/{home.uid('hall')}")
    desk.wait_for_selector(".tile .value:has-text('%')")
    return desk


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def end_of_run(page, title):
    """What a page shows of a run, when it is done."""
    run = page.locator(f"[data-run]:has-text('{title}')")
    run.locator(".pill:not(.warn)").wait_for(timeout=90_000)
    told = run.inner_text()
    assert run.get_attribute("data-run") == "done", told
    return told


def takes_connections(home):
    row = home.api.get("/virtual").json()["running"][0]
    try:
        socket.create_connection((row["address"], row["shell_port"]), 1).close()
    except OSError:
        return False
    return True


def answers(home):
    return home.ask("hall", "hello").startswith("hello:hall")


def starts(home):
    return home.api.get("/virtual/hall").json()["starts"]


def type_at_console(page, *keys):
    """What is not in view is not drawn."""
    page.locator(".xterm-rows").scroll_into_view_if_needed()
    page.click(".xterm")
    for key in keys:
        page.keyboard.press(key)
    return page.locator(".xterm-rows")


def test_a_strip_and_a_servo_move_with_the_board(bench, home):
    for command in ("neopixel load_n_init ledcnt=8", "neopixel color r=200 g=0 b=0 smooth=False", "servo sduty 60"):
        home.ask("hall", command)
    bench.wait_for_selector("[data-thing=Strip]:has-text('8 pixels')")
    bench.wait_for_selector("[data-thing=Servo]")
    before = {title: bench.locator(f"[data-thing={title}]").inner_html() for title in ("Strip", "Servo")}
    for command in ("neopixel color r=0 g=0 b=200 smooth=False", "servo sduty 100"):
        home.ask("hall", command)
    for title, was in before.items():
        bench.wait_for_function("([title, was]) => document.querySelector(`[data-thing=${title}]`).innerHTML != was",
                                arg=[title, was])


def test_what_is_set_beside_the_board_is_measured_on_the_board(bench, home):
    assert "0.0" in home.ask("hall", "light_sensor intensity")
    for label, command, told in (("temp6000, pin 36", "light_sensor intensity", "50.0"),
                                 ("Chip temperature °F", "esp32 temp", "50.0")):
        bench.locator(f"[aria-label='{label}']").first.click()         # in the middle of the slider
        until(lambda command=command, told=told: told in home.ask("hall", command))


def test_the_network_and_the_plug_can_be_taken_and_the_console_hears_a_reset(bench, home):
    press(bench, "Take the network")
    bench.wait_for_selector("text=no network")
    until(lambda: not takes_connections(home))
    press(bench, "Give it back")
    bench.wait_for_selector("text=no network", state="detached")
    press(bench, "Pull the plug")
    bench.wait_for_selector(".pill:has-text('unplugged')")
    until(lambda: not takes_connections(home))
    press(bench, "Plug in")
    bench.wait_for_selector(".pill:has-text('runs')")
    until(lambda: takes_connections(home))
    press(bench, "Open")
    screen, before = type_at_console(bench), starts(home)
    press(bench, "Reset")
    until(lambda: starts(home) > before)
    screen.scroll_into_view_if_needed()
    screen.get_by_text("listens on port").first.wait_for()
    press(bench, "Close")
    bench.wait_for_selector(".xterm", state="detached")
    until(lambda: answers(home))


def test_settings_are_kept_and_given_back_over_usb_and_its_console_takes_keys(desk, home):
    desk.goto(f"{home.url}/gui/usb")
    press(desk, "Back up")
    assert "kept as" in end_of_run(desk, "backup from")
    assert home.api.get("/usb").json()["archived"] == ["hall"]
    until(lambda: desk.get_by_label("Restore from").input_value() == "hall")
    press(desk, "Restore")
    assert "it is as hall in the archive" in end_of_run(desk, "restore of hall")
    press(desk, "Open")
    desk.wait_for_selector(".xterm-rows")
    screen = type_at_console(desk, "Control+c")
    screen.get_by_text(">>>").first.wait_for()
    desk.keyboard.type("print(6 * 7)\n")
    screen.get_by_text(re.compile("^42$")).first.wait_for()
    desk.keyboard.press("Control+d")
    screen.get_by_text("soft reboot").first.wait_for()
    press(desk, "Close")
    until(lambda: answers(home))


def test_an_alarm_is_shown_until_it_is_cleared_and_what_happened_is_told(node, home):
    press(node, "Clear alarms")
    node.wait_for_selector("text=All quiet")
    home.ask("hall", "system alarms test=True")
    node.wait_for_selector(".note:has-text('TeSt ErRoR')")
    node.wait_for_selector("[data-event=command]:has-text('system alarms test=True')")
    press(node, "Clear alarms")
    node.wait_for_selector("text=All quiet")
    node.reload()                                        # the engine has kept them
    node.wait_for_selector("[data-event=command]:has-text('system alarms clean=True')")
    node.wait_for_selector("[data-event='node.up']")


def test_an_update_shows_its_progress_and_brings_what_differs(node, home):
    home.api.post("/devices/hall/files", files=[("files", (STALE, b"stale"))]).raise_for_status()
    press(node, "Update")
    node.wait_for_selector("[data-run=running] .q-linear-progress")
    told = end_of_run(node, "update of hall")
    assert re.search(r"-> \S+ +1 ", told), told             # one file was sent
    sizes = {each["name"]: each["bytes"] for each in home.api.get("/devices/hall/files").json()["files"]}
    assert sizes[STALE] > len(b"stale")
    node.wait_for_selector("[data-event='run.ended']:has-text('update of hall: done')")


def test_settings_are_kept_over_the_air_and_a_restart_is_asked_for_twice(node, home):
    before = starts(home)
    press(node, "Back up settings")
    assert "kept as" in end_of_run(node, "backup of hall")
    press(node, "Restart")
    node.locator(".q-dialog").get_by_role("button", name="Restart", exact=True).click()
    until(lambda: starts(home) > before and answers(home))
    node.wait_for_selector("[data-event=command]:has-text('reboot')")


def test_a_board_is_stopped_and_started_again_with_its_files(bench, home):
    press(bench, "Stop")
    bench.locator(".q-dialog").get_by_role("button", name="Stop", exact=True).click()
    bench.wait_for_url("**/gui/virtual")
    bench.wait_for_selector(".card:has-text('its files are kept')")
    assert home.api.get("/virtual").json()["running"] == []
    bench.locator(".card:has-text('its files are kept')").get_by_role("button", name="Start").click()
    bench.wait_for_selector("[data-board=hall] .pill.good")
    until(lambda: answers(home))


def until(is_so, limit_s=40.0):
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)
