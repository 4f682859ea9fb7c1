"""The page of the catalogue in a browser: found by typing, walked by keys, read on a phone, light and dark."""
import os
import re
import shutil

import pytest

from toolkit import commands

PLAYWRIGHT = "needs playwright: pip install -e .[dev]"
NAMES = ("chromium", "chromium-browser", "google-chrome")
MODULES = ".module:visible > h3 > a"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason=PLAYWRIGHT)
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        # root has no sandbox, and CI is root; the page is our own
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.getuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    assert commands.main(["--docs", str(folder)]) == 0
    return (folder / "sfuncman.html").as_uri()


@pytest.fixture
def open_page(browser, address):
    """Function (options of a browser context) -> page. At the end nothing was complained of, nothing fetched."""
    opened, complaints, fetched = [], [], []

    def opens(**options):
        context = browser.new_context(**{"viewport": DESK, **options})
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(address)
        return page

    yield opens
    for context in opened:
        context.close()
    assert complaints == []
    assert [url for url in fetched if not url.startswith("data:")] == [address] * len(opened)


@pytest.fixture
def page(open_page):
    return open_page()


def shown(page):
    """Names of the modules that are seen."""
    return page.locator(MODULES).all_inner_texts()


def functions(page):
    return page.locator(".function:visible b").all_inner_texts()


def test_at_first_everything_is_seen(page):
    assert len(shown(page)) >= 38 and page.locator("svg.board:visible").count() >= 7
    assert page.inner_text("#found") == f"{len(shown(page))} modules, {page.locator('svg.board').count()} boards"
    assert page.locator(".nothing").is_hidden()


def test_a_word_finds_modules_functions_pins_and_boards(page):
    page.fill("#query", "dimmer")
    assert shown(page) == ["dimmer"] and "set_value" in functions(page)
    page.fill("#query", "set_value")
    assert shown(page) == ["dimmer"] and functions(page) == ["set_value"]
    page.fill("#query", "redgb")
    assert shown(page) == ["rgb"]
    assert page.locator("#board-esp32").is_visible() and page.locator("#board-esp32c6").is_hidden()
    page.fill("#query", "esp32c6")
    assert shown(page) == [] and page.locator(".board-card:visible").count() == 1
    page.fill("#query", "OLED  Flip")
    assert shown(page) == ["oled_sh1106"] and functions(page) == ["flip"]
    assert page.inner_text("#found") == "1 module, 1 function, 0 boards"
    assert page.locator(".group:visible > h2").all_inner_texts() == ["Displays"]


def test_nothing_found_says_so_and_gives_all_back(page):
    page.fill("#query", "xyzzy")
    assert shown(page) == [] and page.locator(".nothing").is_visible()
    page.click(".nothing button")
    assert len(shown(page)) >= 38 and page.input_value("#query") == ""


def test_the_keyboard_is_enough(page):
    focused = "document.activeElement.textContent || document.activeElement.id"
    page.keyboard.press("/")
    page.keyboard.type("servo")
    names = shown(page)
    assert names[:2] == ["servo", "roboarm"] and page.input_value("#query") == "servo"
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "servo"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "roboarm"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "query"
    page.keyboard.press("Escape")
    assert page.input_value("#query") == "" and len(shown(page)) > len(names)


def test_a_link_to_what_is_hidden_shows_it(page):
    page.fill("#query", "catgame")
    page.click("#catgame .needs a")
    page.wait_for_function("scrollY > 0")
    assert page.locator("#servo").is_visible() and page.url.endswith("#servo")
    page.click("#board-tinypico a.name[href='#buzzer']")
    assert page.url.endswith("#buzzer")


def test_pictures_and_pins_are_there(page):
    for name in ("oled", "oled_sh1106", "oled_ui", "neopixel", "neoeffects"):
        assert page.locator(f"#{name} img").evaluate("image => image.complete && image.naturalWidth") > 300
    head = page.locator("#rgb .pins thead th").all_inner_texts()
    row = page.locator("#rgb .pins tbody tr").first.locator("th, td").all_inner_texts()
    assert dict(zip(head, row, strict=True)) | {"pin": "redgb", "esp32": "14", "tinypico": "25", "rp2": "·"} == dict(
        zip(head, row, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_fits_the_screen_and_can_be_read(open_page, tmp_path, size, scheme):
    page = open_page(viewport=size, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.locator("#query").bounding_box()["width"] > 0.4 * min(size["width"], 900)
    for spot in ("body", "#rgb .purpose", "#rgb .function b", "#rgb .function .of", "nav a.kind-1", "#found"):
        assert contrast(page, spot) >= 4.5, spot                      # WCAG 2.2, 1.4.3
    picture = tmp_path / "page.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000                            # not an empty sheet


COLORS = """node => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  let ground = node;
  while (ground && ["rgba(0, 0, 0, 0)", "transparent"].includes(getComputedStyle(ground).backgroundColor))
    ground = ground.parentElement;
  return [getComputedStyle(node).color, getComputedStyle(ground).backgroundColor].map(color => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  });
}"""


def contrast(page, spot):
    """Contrast ratio of a text to what is behind it: WCAG 2.2, definition."""
    bright = sorted(luminance(color) for color in page.locator(spot).first.evaluate(COLORS))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def luminance(color):
    linear = [value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_without_script_all_of_it_is_still_read(open_page):
    page = open_page(java_script_enabled=False)
    assert len(shown(page)) >= 38 and re.search(r"redgb", page.inner_text("#rgb"))
