"""What a virtual board shows, drawn: lamps, strips, servos, displays, as SVG and PNG in HTML."""
from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Pin = Mapping[str, Any]

DARK = "#39434d"
# What a lamp is called -> its colour when it is full on, and what people call it.
LAMPS = {"builtin": ((90, 170, 255), "Board LED"), "dim_1": ((255, 214, 140), "Dimmer"),
         "wwhite": ((255, 196, 120), "Warm white"), "cwhite": ((215, 232, 255), "Cold white")}
BUS = {"i2c_sda", "i2c_scl"}   # wires, which show nothing
RGB = ("redgb", "rgreenb", "rgbue")
SERVO_HZ = (40, 60)            # a servo's pulse comes at 50 Hz
SERVO_US = (500, 2500)         # 0 to 180 degrees


def things(world: Mapping[str, Any]) -> str:
    """HTML of everything on the board that a person could see; "" when nothing is in use."""
    pins = {name: pin for pin in world["pins"] for name in pin["names"]}
    drawn: set[int] = set()
    shown = [*_strips(world["pins"], drawn), *_displays(world["chips"]), *_rgb(pins, drawn),
             *_servos(world["pins"], drawn), *_lamps(pins, drawn), *_outputs(world["pins"], drawn)]
    return "".join(shown)


def _strips(pins: Sequence[Pin], drawn: set[int]) -> Iterator[str]:
    for pin in pins:
        if pin["pixels"]:
            drawn.add(pin["pin"])
            dots = "".join(_dot(24 + 26 * (at % 24), 20 + 30 * (at // 24), colour)
                           for at, colour in enumerate(pin["pixels"]))
            count = len(pin["pixels"])
            width, height = 26 * min(24, count) + 22, 30 * ((count - 1) // 24 + 1) + 10
            yield _thing(f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true">'
                         f"{dots}</svg>", "Strip", f"{count} pixels, pin {pin['pin']}", "wide")


def _dot(x: int, y: int, colour: Sequence[int]) -> str:
    lit = max(colour)
    shade = _rgb_of([min(255, 40 + value * 2) if lit else 0 for value in colour]) if lit else DARK
    glow = f'<circle cx="{x}" cy="{y}" r="13" fill="{shade}" opacity=".28"/>' if lit else ""
    return f'{glow}<circle cx="{x}" cy="{y}" r="9" fill="{shade}"/>'


def _rgb(pins: Mapping[str, Pin], drawn: set[int]) -> Iterator[str]:
    used = [pins.get(name) for name in RGB]
    if not all(pin and pin["duty_pct"] is not None and pin["pin"] not in drawn for pin in used):
        return
    duties = [pin["duty_pct"] for pin in used if pin]
    drawn.update(pin["pin"] for pin in used if pin)
    brightest = max(duties)
    colour = [round(255 * duty / brightest) if brightest else 0 for duty in duties]
    yield _thing(_lamp(colour, brightest / 100), "RGB lamp", " / ".join(f"{duty:.0f}" for duty in duties) + " %")


def _lamps(pins: Mapping[str, Pin], drawn: set[int]) -> Iterator[str]:
    for name, (colour, title) in LAMPS.items():
        pin = pins.get(name)
        if pin is None or pin["pin"] in drawn or (pin["mode"] != "out" and pin["duty_pct"] is None):
            continue
        drawn.add(pin["pin"])
        share = pin["value"] if pin["duty_pct"] is None else pin["duty_pct"] / 100
        told = ("on" if share else "off") if pin["duty_pct"] is None else f"{100 * share:.0f} %"
        yield _thing(_lamp(colour, share), title, f"{told}, pin {pin['pin']}")


def _servos(pins: Sequence[Pin], drawn: set[int]) -> Iterator[str]:
    for pin in pins:
        names = [name for name in pin["names"] if name.startswith("servo")]
        if not names or pin["freq_hz"] is None or not SERVO_HZ[0] <= pin["freq_hz"] <= SERVO_HZ[1]:
            continue
        drawn.add(pin["pin"])
        pulse_us = pin["duty_pct"] / 100 * 1e6 / pin["freq_hz"]
        degrees = 180 * (pulse_us - SERVO_US[0]) / (SERVO_US[1] - SERVO_US[0])
        degrees = min(180.0, max(0.0, degrees))
        arm = (f'<path transform="rotate({degrees - 180:.0f} 44 56)" d="M44 56h32" stroke="var(--accent)" '
               'stroke-width="8" stroke-linecap="round"/>')
        yield _thing('<svg viewBox="0 0 88 68" width="88" height="68" aria-hidden="true">'
                     '<path d="M8 56a36 36 0 0 1 72 0" fill="none" stroke="var(--edge)" stroke-width="2" '
                     f'stroke-dasharray="2 5"/>{arm}<circle cx="44" cy="56" r="8" fill="var(--edge)"/></svg>',
                     "Servo", f"{degrees:.0f}°, pin {pin['pin']}")


def _outputs(pins: Sequence[Pin], drawn: set[int]) -> Iterator[str]:
    """Whatever else the program drives."""
    for pin in pins:
        is_driven = pin["mode"] in ("out", "open drain") or pin["duty_pct"] is not None
        if pin["pin"] in drawn or BUS & set(pin["names"]) or not is_driven:
            continue
        name = next((each for each in pin["names"] if each.startswith(("switch", "buzzer"))), "")
        title = name or (pin["names"][0] if pin["names"] else f"Pin {pin['pin']}")
        share = pin["value"] if pin["duty_pct"] is None else pin["duty_pct"] / 100
        told = "on" if share else "off"
        if pin["duty_pct"] is not None:
            told = f"{pin['duty_pct']:.0f} % at {pin['freq_hz']} Hz"
        yield _thing(_knob(share), title, f"{told}, pin {pin['pin']}")


def _displays(chips: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    from toolkit.simulator.chips.png import png

    for chip in chips:
        if chip["rows"]:
            data = base64.b64encode(png(chip["rows"], 3)).decode()
            yield _thing(f'<img alt="What the display shows" width="384" height="192" style="border-radius:8px" '
                         f'src="data:image/png;base64,{data}">',
                         "Display", f"{chip['model']} at {chip['address']:#x}", "tall")


def _lamp(colour: Sequence[int], share: float) -> str:
    """share: 0 to 1 of full light; a little light is still seen."""
    lit = 0 if share <= 0 else 0.25 + 0.75 * share ** 0.5
    shade = _rgb_of(colour)
    return ('<svg viewBox="0 0 88 88" width="88" height="88" aria-hidden="true">'
            f'<circle cx="44" cy="44" r="42" fill="{shade}" opacity="{0.30 * lit:.2f}"/>'
            f'<circle cx="44" cy="44" r="32" fill="{shade}" opacity="{0.35 * lit:.2f}"/>'
            f'<circle cx="44" cy="44" r="22" fill="{DARK}"/>'
            f'<circle cx="44" cy="44" r="22" fill="{shade}" opacity="{lit:.2f}"/>'
            f'<circle cx="37" cy="36" r="5" fill="#fff" opacity="{0.15 + 0.5 * lit:.2f}"/></svg>')


def _knob(share: float) -> str:
    fill = "var(--accent)" if share else DARK
    return ('<svg viewBox="0 0 88 52" width="88" height="52" aria-hidden="true">'
            f'<rect x="16" y="10" width="56" height="32" rx="16" fill="{fill}" opacity="{0.3 + 0.7 * share:.2f}"/>'
            f'<circle cx="{32 + 24 * bool(share)}" cy="26" r="12" fill="#fff"/></svg>')


def _rgb_of(colour: Sequence[float]) -> str:
    return "#" + "".join(f"{round(value):02x}" for value in colour[:3])


def _thing(picture: str, title: str, told: str, classes: str = "") -> str:
    return (f'<div class="thing {classes}" data-thing="{html.escape(title)}">{picture}<b>{html.escape(title)}</b>'
            f"<span>{html.escape(told)}</span></div>")
