"""Runs the test functions of one file on MicroPython: micropython on_micropython.py tests/pure/test_words.py"""
import sys

sys.path.insert(0, ".")


def run(path):
    module = __import__(path[:-3].replace("/", "."), None, None, ("*",))
    names = sorted([name for name in dir(module) if name.startswith("test_")])
    for name in names:
        getattr(module, name)()
    print(len(names), "passed")


run(sys.argv[1])
