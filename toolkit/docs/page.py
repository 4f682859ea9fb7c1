"""The catalogue as one HTML page that needs nothing else: style, script and pictures are in it."""
from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from importlib.resources import files
from string import Template

from toolkit.docs.catalogue import CONVENTIONS, GROUPS, Board, Catalogue, Function, Module
from toolkit.docs.drawing import svg

MIME = {"png": "image/png", "svg": "image/svg+xml"}
CAPTIONS = {
    "oled": "Drawn by this module on the model of an SSD1306",
    "oled_sh1106": "Drawn by this module on the model of an SH1106",
    "oled_ui": "The first page, on the model of an SSD1306",
    "neopixel": "A strip of 24 pixels in one colour, and pixel by pixel",
    "neoeffects": "rainbow, meteor, cycle, shader on a strip of 24 pixels",
}
_FIELD = re.compile(r"(\*?\w+(?:, \w+)*)(?:  +)(\S.*)")


def page(catalogue: Catalogue, pictures: dict[str, bytes], json_name: str) -> str:
    """pictures: file name (`oled.png`) -> content; json_name: the file beside, of the same catalogue."""
    groups = list(catalogue.groups())
    return Template(_file("page.html")).substitute(
        version=escape(catalogue.version), json=escape(json_name), style=_file("page.css"), script=_file("page.js"),
        counts=f"{len(catalogue.modules)} modules, {len(catalogue.boards)} boards",
        contents="".join(_contents(group, modules) for group, modules in groups),
        groups="".join(_group(group, modules, catalogue.boards, pictures) for group, modules in groups),
        boards="".join(_board(board, catalogue) for board in catalogue.boards))


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


# -- modules

def _contents(group: str, modules: list[Module]) -> str:
    rows = "".join(f'<li><a href="#{module.name}">{module.name}</a></li>' for module in modules)
    return f'<li><a class="{_kind(group)}" href="#{_id(group)}">{escape(group)}</a><ul>{rows}</ul></li>'


def _group(group: str, modules: list[Module], boards: tuple[Board, ...], pictures: dict[str, bytes]) -> str:
    articles = "".join(_module(module, boards, pictures) for module in modules)
    return f'<section class="group {_kind(group)}"><h2 id="{_id(group)}">{escape(group)}</h2>{articles}</section>'


def _module(module: Module, boards: tuple[Board, ...], pictures: dict[str, bytes]) -> str:
    words = " ".join((module.name, module.group, module.doc, *module.pins))
    own = [function for function in module.functions if function.name not in CONVENTIONS]
    also = [function for function in module.functions if function.name in CONVENTIONS]
    return (f'<article class="module" id="{module.name}" data-words="{escape(words.lower())}">'
            f'<h3><a href="#{module.name}">{module.name}</a></h3>'
            f'<div class="purpose">{prose(module.doc)}</div>{_picture(module, pictures)}'
            f'<dl class="functions">{"".join(_function(module, function) for function in own)}</dl>'
            f'{_conventions(module, also)}{_needs(module)}{_pins(module, boards)}</article>')


def _picture(module: Module, pictures: dict[str, bytes]) -> str:
    name = next((name for name in pictures if name.rsplit(".", 1)[0] == module.name), None)
    if name is None:
        return ""
    data = b64encode(pictures[name]).decode()
    caption = escape(CAPTIONS.get(module.name, module.name))
    return (f'<figure><img alt="{caption}" src="data:{MIME[name.rsplit(".", 1)[1]]};base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>")


def _function(module: Module, function: Function) -> str:
    words = f"{function.name} {function.words} {function.doc}".lower()
    parameters = "".join(f' <span class="parameter">{_parameter(*pair)}</span>' for pair in function.parameters)
    tag = ' <span class="tag" title="Lines come while it runs">streams</span>' if function.is_streaming else ""
    return (f'<div class="function" data-words="{escape(words)}"><dt><code><span class="of">{module.name}</span> '
            f"<b>{function.name}</b>{parameters}</code>{tag}{_usage(module, function)}</dt>"
            f"<dd>{prose(function.doc)}</dd></div>")


def _parameter(name: str, default: str | None) -> str:
    return escape(name) if default is None else f'{escape(name)}<span class="default">={escape(default)}</span>'


def _usage(module: Module, function: Function) -> str:
    """The row of the module's help where it tells more than the signature: ranges, choices."""
    row = module.usage.get(function.name, "")
    told = row.partition(" ")[2]
    is_more = "<" in told or (told and not function.words)
    return f'<code class="usage">{escape(row)}</code>' if is_more else ""


def _conventions(module: Module, functions: list[Function]) -> str:
    rows = ", ".join(f'<code title="{escape(function.doc)}">{module.name} {function.name}</code>'
                     for function in functions)
    return f'<p class="also">Also {rows}</p>' if rows else ""


def _needs(module: Module) -> str:
    rows = ", ".join(f'<a href="#{name}">{name}</a>' for name in module.needs)
    return f'<p class="needs">Works with {rows}</p>' if rows else ""


def _pins(module: Module, boards: tuple[Board, ...]) -> str:
    if not module.pins:
        return ""
    heads = "".join(f'<th scope="col"><a href="#board-{board.name}">{board.name}</a></th>' for board in boards)
    rows = "".join(f'<tr><th scope="row"><code>{pin}</code></th>{"".join(_number(board, pin) for board in boards)}</tr>'
                   for pin in module.pins)
    return (f'<div class="pins" tabindex="0" role="region" aria-label="Pins of {module.name} on each board"><table>'
            f'<thead><tr><th scope="col">pin</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>')


def _number(board: Board, pin: str) -> str:
    number = board.number(pin)
    return "<td>·</td>" if number is None else f"<td>{escape(str(number))}</td>"


# -- boards

def _board(board: Board, catalogue: Catalogue) -> str:
    users = {pin: module for module in reversed(catalogue.modules) for pin in module.pins}
    drawn = svg(board, lambda name: _kind(users[name].group) if name in users else "plain",
                lambda name: f"#{users[name].name}" if name in users else None)
    words = " ".join((board.name, board.doc, *board.pins, *board.notes.values())).lower()
    return (f'<article class="board-card" id="board-{board.name}" data-words="{escape(words)}">'
            f'<h3><a href="#board-{board.name}">{board.name}</a></h3><div class="purpose">{prose(board.doc)}</div>'
            f"{drawn}{_notes(board)}</article>")


def _notes(board: Board) -> str:
    rows = "".join(f"<dt><code>{name}</code></dt><dd>{_inline(note)}</dd>" for name, note in board.notes.items())
    return f'<dl class="fields notes">{rows}</dl>' if rows else ""


def _id(group: str) -> str:
    return group.lower().replace(" ", "-")


def _kind(group: str) -> str:
    """CSS class of a group: its place in the table."""
    return f"kind-{next((at for at, (name, _) in enumerate(GROUPS) if name == group), len(GROUPS))}"


# -- text

def prose(doc: str) -> str:
    """A docstring: paragraphs, and rows `name   what it is` as a list; `code` between backticks."""
    return "".join(_block(block.split("\n")) for block in doc.split("\n\n") if block.strip())


def _block(lines: list[str]) -> str:
    """Rows with a name begin an entry, what follows them goes on with it; text before is a paragraph."""
    rows: list[list[str]] = []
    text: list[str] = []
    for line in lines:
        found = _FIELD.fullmatch(line.strip())
        if found:
            rows.append([found[1], found[2]])
        elif rows:
            rows[-1][1] += " " + line.strip()
        else:
            text.append(line.strip())
    entries = "".join(f"<dt><code>{escape(name)}</code></dt><dd>{_inline(told)}</dd>" for name, told in rows)
    paragraph = f"<p>{_inline(' '.join(text))}</p>" if text else ""
    return paragraph + (f'<dl class="fields">{entries}</dl>' if entries else "")


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
