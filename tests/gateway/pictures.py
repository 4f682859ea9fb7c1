"""Takes the pictures of the dashboard, media/dashboard_*.png: `make pictures`. Looks at virtual boards only.

pictures.py fleet, or pages: only that part of them.
"""
import contextlib
import math
import random
import socket
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.gateway.cloud.light import Light  # noqa: E402
from tests.gateway.dashboard_run import entered, launched, own_gateway  # noqa: E402
from tests.gateway.test_dashboard import DROP, MODULE  # noqa: E402

MEDIA = Path(__file__).parents[2] / "media"
DESK = {"viewport": {"width": 1200, "height": 820}}
TALL = {"width": 1200, "height": 1080}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "color_scheme": "dark"}
LINES = ("rgb load_n_init", "rgb color r=900 g=220 b=420", "neopixel load_n_init ledcnt=24",
         "servo sduty 95", "dimmer load_n_init", "dimmer set_value 600", "oled text \"micrOS\" x=36 y=16",
         "oled rect 20 8 88 30", "oled text \"21.5 C  40 %\" x=16 y=46", "oled show",
         "neoeffects rainbow 60 &&60", "system heartbeat &&1000")
WIDGETS = [{"kind": "button", "label": "Lamp", "command": "rgb toggle"},
           {"kind": "slider", "label": "Brightness", "command": "rgb brightness percent=", "most": 100},
           {"kind": "value", "label": "Memory", "command": "system memory_usage"},
           {"kind": "value", "label": "Clock", "command": "system clock"}]

ROOMS = ("hall", "kitchen", "porch", "attic", "cellar")
THINGS = {"pump-station-1": "Mill Lane", "pump-station-2": "Harbour, lower basin", "pump-station-3": "Orchard Hill",
          "reservoir-north": "North reservoir"}
STATION = "pump-station-2"
# property -> (mean, swing, hours of a turn)
TOLD = {"flow_l_s": (38, 9, 12), "level_m": (2.4, 0.5, 12), "pressure_bar": (4.1, 0.3, 6), "water_temp_c": (12, 2, 24)}
LOG = b"".join(b"2026-11-21 %02d:00 pump 1 on, 38 l/s\n" % hour for hour in range(24))


def main(parts):
    with sync_playwright() as playwright:
        chromium = launched(playwright)
        for part in parts or PARTS:
            with tempfile.TemporaryDirectory() as scratch:
                PARTS[part](chromium, Path(scratch))
        chromium.close()


def pages(chromium, scratch):
    """One node and all about it, USB, virtual boards."""
    with own_gateway(scratch) as home:
        furnish(home)
        desk = Camera(entered(chromium, home, **DESK), home)
        visit(desk, home)
        night = Camera(entered(chromium, home, **DESK, color_scheme="dark"), home)
        night.shoot("virtual_dark", "virtual/hall", 1.5)
        night.shoot("node_dark", f"node/{home.uid('hall')}", 2.5)
        phone = Camera(entered(chromium, home, **PHONE), home)
        for name, path in (("nodes", ""), ("node", f"node/{home.uid('hall')}"), ("virtual", "virtual/hall"),
                           ("modules", f"node/{home.uid('hall')}/modules?module=rgb")):
            phone.shoot(f"phone_{name}", path, 2.5)


def fleet(chromium, scratch):
    """Jobs, with an engine; things, with a cloud."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ("--cloud", "127.0.0.1", "--cloud-ports", f"{port},0,0")
    with own_gateway(scratch, *words, engine=None) as home, contextlib.ExitStack() as lights:
        for name in ROOMS:
            home.board(name)
        desk = Camera(entered(chromium, home, **DESK), home)
        order(home)
        desk.go("jobs")
        desk.page.fill("input[data-field=selection]", "name=*h* not kitchen")
        desk.page.fill("input[data-field=command]", "rgb color r=900 g=220 b=420")
        desk.take("jobs", 3)
        connect(home, port, lights)
        desk.shoot("things", "things", 2.5)
        desk.page.set_viewport_size(TALL)
        desk.shoot("job", "jobs/read-climate", 2.5)
        desk.shoot("thing", f"things/{STATION}", 3)


def order(home):
    """Jobs of each kind and state."""
    for name in ROOMS:
        home.api.put(f"/virtual/{name}/chips/118", json={"model": "bme280"})
    begin(home, "lamps-dim", True, kind="command", command="dimmer set_value 600", selection="all")
    begin(home, "timeouts", True, kind="config", key="soctout", value="120", selection="not name=hall")
    home.api.post("/virtual/hall/unplug").raise_for_status()
    begin(home, "read-climate", True, kind="command", command="bme280 measure", selection="all",
          rules={"phases": ["2"], "tries": 1, "concurrency": 2, "abort_pct": 30})
    home.api.post("/virtual/hall/plug").raise_for_status()
    begin(home, "heartbeats", True, kind="command", command="system heartbeat", selection="name=*e* or porch",
          rules={"tries": 1})
    begin(home, "clocks", False, kind="command", command="system clock", selection="all", rules={"per_minute": 2})


def begin(home, ident, to_its_end, **what):
    home.api.post("/jobs", json={"id": ident, **what}).raise_for_status()
    until = time.monotonic() + 60
    while to_its_end and home.api.get(f"/jobs/{ident}").json()["status"] == "running" and time.monotonic() < until:
        time.sleep(0.2)


def connect(home, port, lights):
    """Things that have told a day's worth; all but one stay connected."""
    for key, name in THINGS.items():
        token = home.api.post("/thing-tokens", json={"things": key}).json()["token"]
        light = lights.enter_context(Light(port, key, token))
        tell(light, seed=len(name))
        home.api.patch(f"/things/{key}", json={"name": name}).raise_for_status()
        if key == STATION:
            work(home, light)
        elif key == "reservoir-north":
            light.close()


def tell(light, seed):
    now, noise = time.time(), random.Random(seed)
    for name, (mean, swing, turn_h) in TOLD.items():
        rows = [{"key": name, "value": round(mean + swing * math.sin(seed + 2 * math.pi * hour / turn_h)
                                             + noise.gauss(0, swing / 20), 2),
                 "ts": datetime.fromtimestamp(now + 3600 * (hour - 24), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
                for hour in (step / 6 for step in range(145))]
        light.ask("property.batch", thingKey=light.key, data=rows)


def work(home, light):
    """What a person has had it do, its alarm, its place, its files."""
    light.ask("alarm.publish", thingKey=light.key, key="basin_high", state=2, msg="level above 2.8 m")
    light.ask("attribute.publish", thingKey=light.key, key="firmware", value="2.0.0-0")
    light.ask("location.publish", thingKey=light.key, lat=53.5436, lng=9.9668)
    for name, body in (("pump-log.txt", LOG), ("settings.json", b'{"pump_1": "auto", "level_max_m": 2.8}')):
        ident = light.ask("file.put", thingKey=light.key, fileName=name, crc32=zlib.crc32(body))["params"]["fileId"]
        home.api.post(f"{home.url}/file/{ident}", content=body).raise_for_status()
    for method, code, message in (("pump_start", 0, "pump 2 runs at 38 l/s"), ("self_test", 0, "all valves move"),
                                  ("valve_close", 4, "valve 3 stands at 12 %")):
        home.api.post(f"/things/{light.key}/actions", json={"method": method, "params": {"unit": 2}}).raise_for_status()
        for mail in light.mails():
            light.ask("mailbox.ack", id=mail["id"], errorCode=code, errorMessage=message)
    home.api.post(f"/things/{light.key}/actions", json={"method": "flush_basin"}).raise_for_status()


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


PARTS = {"pages": pages, "fleet": fleet}

if __name__ == "__main__":
    main(sys.argv[1:])
