"""micropython load_settings.py <source> <folder>: what Settings.load makes of each node_config.json in it.

<folder>/<n> is one node's flash. A line for each, in their order: ["value", settings, repairs] or ["broken", text].
"""
import json
import os
import sys

sys.path.insert(0, sys.argv[1])
import Settings  # noqa: E402


def outcome(folder):
    os.chdir(folder)
    repairs = []
    try:
        return ["value", Settings.load(repairs), repairs]
    except Exception as error:       # outer wall: a foreign error is what the fuzz looks for
        return ["broken", f"{type(error).__name__}: {error}"]


for name in sorted(os.listdir(sys.argv[2]), key=int):
    print(json.dumps(outcome(sys.argv[2] + "/" + name)))
