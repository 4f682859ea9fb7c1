"""Takes the pictures of the dashboard, media/dashboard_*.png: `make pictures`. Looks at virtual boards only."""
import math
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.gateway.dashboard_run import entered, own_gateway  # noqa: E402
from tests.gateway.test_dashboard import DROP, MODULE  # noqa: E402

MEDIA = Path(__file__).parents[2] / "media"
DESK = {"viewport": {"width": 1200, "height": 820}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "color_scheme": "dark"}
LINES = ("rgb load_n_init", "rgb color r=900 g=220 b=420", "neopixel load_n_init ledcnt=24",
         "servo sduty 95", "dimmer load_n_init", "dimmer set_value 600", "oled text \"micrOS\" x=36 y=16",
         "oled rect 20 8 88 30", "oled text \"21.5 C  40 %\" x=16 y=46", "oled show",
         "neoeffects rainbow 60 &&60", "system heartbeat &&1000")
WIDGETS = [{"kind": "button", "label": "Lamp", "command": "rgb toggle"},
           {"kind": "slider", "label": "Brightness", "command": "rgb brightness percent=", "most": 100},
           {"kind": "value", "label": "Memory", "command": "system memory_usage"},
           {"kind": "value", "label": "Clock", "command": "system clock"}]


def main():
    with tempfile.TemporaryDirectory() as scratch, own_gateway(Path(scratch)) as home, sync_playwright() as playwright:
        furnish(home)
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        desk = Camera(entered(chromium, home, **DESK), home)
        visit(desk, home)
        night = Camera(entered(chromium, home, **DESK, color_scheme="dark"), home)
        night.shoot("virtual_dark", "virtual/hall", 1.5)
        night.shoot("node_dark", f"node/{home.uid('hall')}", 2.5)
        phone = Camera(entered(chromium, home, **PHONE), home)
        for name, path in (("nodes", ""), ("node", f"node/{home.uid('hall')}"), ("virtual", "virtual/hall"),
                           ("modules", f"node/{home.uid('hall')}/modules?module=rgb")):
            phone.shoot(f"phone_{name}", path, 2.5)
        chromium.close()


def furnish(home):
    for name in ("hall", "kitchen", "porch"):
        home.board(name)
    home.api.put("/virtual/hall/chips/60", json={"model": "ssd1306"})
    home.api.put("/virtual/hall/chips/118", json={"model": "bme280"})
    for key, value in (("aioqueue", 8), ("cstmpmap", "neop:13")):
        home.api.put(f"/devices/hall/config/{key}", json={"value": value})
    home.api.post("/virtual/hall/reset")
    until = time.monotonic() + 20
    while "hello" not in home.ask("hall", "hello") and time.monotonic() < until:
        time.sleep(0.2)
    for line in LINES:
        home.ask("hall", line)
    home.api.put(f"/devices/{home.uid('hall')}/layout", json={"widgets": WIDGETS})


def visit(desk, home):
    page, node = desk.page, f"node/{home.uid('hall')}"
    desk.shoot("nodes", "", 3)
    desk.shoot("node", node, 3)
    desk.shoot("virtual", "virtual/hall", 1.5)
    desk.shoot("boards", "virtual", 1)
    desk.go(f"{node}/console")
    page.locator(".xterm-rows").get_by_text("hall $").first.wait_for()
    page.click(".xterm")
    for line in ("version", "rgb status", "system info"):
        page.keyboard.type(line + "\n")
        page.wait_for_timeout(500)
    desk.take("console")
    desk.go(f"{node}/modules?module=rgb")
    page.fill("[data-function='rgb color'] input >> nth=0", "200")
    page.click("[data-function='rgb color'] button:has-text('Run')")
    desk.take("modules", 1)
    desk.go(f"{node}/settings")
    field = page.locator("[data-key=soctout] input")
    page.get_by_label("Find a setting").fill("so")
    field.fill("2")
    field.press("Enter")
    page.mouse.move(10, 700)
    desk.take("settings", 8)
    desk.shoot("tasks", f"{node}/tasks", 1.5)
    desk.go(f"{node}/files")
    page.wait_for_selector("[data-file]")
    page.evaluate(DROP, ["LM_greet.py", MODULE])
    page.wait_for_selector("[data-sent] .pill:has-text('sent')")
    desk.take("files", 1)
    desk.go(f"{node}/plots")
    page.get_by_label("A command that answers with numbers").fill("bme280 measure")
    page.keyboard.press("Enter")
    for number in range(2):
        page.locator("[data-number]").nth(number).click()
    for second in range(24):
        facts = {"temp": 21 + 6 * math.sin(second / 4), "humidity": 45 + 12 * math.cos(second / 5)}
        home.api.put("/virtual/hall/chips/118", json={"facts": facts})
        page.wait_for_timeout(900)
    desk.take("plots", 0.5)
    for tag in ("system.heartbeat", "neoeffects.rainbow"):
        home.api.delete(f"/devices/hall/tasks/{tag}")
    desk.go(f"{node}/apps")
    page.click("button[aria-label='Run SystemTest']")
    page.wait_for_selector("[data-run=done], [data-run=failed]")
    desk.take("apps", 0.3)
    home.board("fresh", erased=True)
    desk.go("usb")
    page.get_by_label("Board at").click()
    page.click(".q-menu >> text=virtual board fresh")
    page.get_by_label("Name of the node").fill("cellar")
    page.click("button:has-text('Make node')")
    page.click("button:has-text('Erase and make')")
    page.wait_for_selector("[data-run=running] pre:has-text('write MicroPython')", timeout=60_000)
    desk.take("usb", 0.2)


class Camera:
    def __init__(self, page, home):
        self.page, self._home = page, home

    def go(self, path):
        self.page.goto(f"{self._home.url}/gui/{path}")
        self.page.wait_for_selector(".page")

    def take(self, name, settle_s=0.5):
        self.page.wait_for_timeout(1000 * settle_s)
        path = MEDIA / f"dashboard_{name}.png"
        self.page.screenshot(path=path)
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)

    def shoot(self, name, path, settle_s):
        self.go(path)
        self.take(name, settle_s)


if __name__ == "__main__":
    main()
