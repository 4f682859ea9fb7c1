"""The catalogue as JSON in the shape of micrOS 1.20's `sfuncman_<version>.json`, which phone apps and scripts read."""
from __future__ import annotations

import json

from toolkit.docs.catalogue import Catalogue, Function, Module

LEFT_OUT = (("force", "True"),)        # 1.20 did not show it
TASK = {                               # what the shell does with tasks; no load module, but it stands among them
    "list": ("The tasks and whether they run.", ""),
    "kill": ("End a task, or all of a module: `task kill rgb.*`.", "taskID"),
    "show": ("What a task has answered last.", "taskID"),
}

Entry = dict[str, str | None]


def to_json(catalogue: Catalogue, pictures: dict[str, str]) -> str:
    """{module: {function: {"doc": text or null, "param(s)": words}, "img": picture or null}}, sorted.

    pictures: address by module
    """
    table: dict[str, dict[str, Entry | str | None]] = {
        module.name: {function.name: _entry(module, function) for function in module.functions}
        for module in catalogue.modules}
    table["task"] = {name: {"doc": doc, "param(s)": words} for name, (doc, words) in TASK.items()}
    for name, functions in table.items():
        functions["img"] = pictures.get(name)
    return json.dumps(table, indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def _entry(module: Module, function: Function) -> Entry:
    words = " ".join(name if default is None else f"{name}={default}"
                     for name, default in function.parameters if (name, default) not in LEFT_OUT)
    doc = function.doc
    if function.name == "pinmap" and module.pins:
        doc = f"{doc}\npin map: {', '.join(module.pins)}"
    return {"doc": doc or None, "param(s)": words}
