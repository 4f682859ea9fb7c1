"""Which load modules there are and what they offer, for `help` and `modules`; in memory only while it is asked."""
import sys

from Debug import trace
from Files import names
from Modules import ENDINGS, FOLDERS, PREFIX, is_own


def loaded():
    """Names of the modules in memory, sorted."""
    return sorted([full[len(PREFIX):] for full in sys.modules if full.startswith(PREFIX)])


def on_disk():
    """Names of the modules that a call can load, sorted."""
    found = set()
    for folder in FOLDERS:
        for file in names(folder[:-1] or "/"):
            stem, _, ending = file.rpartition(".")
            if stem.startswith(PREFIX) and "." + ending in ENDINGS:
                found.add(stem[len(PREFIX):])
    return sorted(found)


def functions(modules, name):
    """Names of the functions a module offers, sorted; read from the file when it is not loaded.

    Bytecode cannot be read: it is loaded to be listed, and forgotten again.
    """
    module, path = sys.modules.get(PREFIX + name), modules.path(name)
    if module:
        return _own(module)
    if path and path.endswith(".py"):
        return sorted(_defined(path))
    try:
        return _own(modules.load(name))
    except (Exception, SystemExit) as error:       # outer wall: a broken module is listed without functions
        trace(error)
        return []
    finally:
        modules.forget(name)


def _own(module):
    return sorted([key for key in module.__dict__ if key[0] != "_" and is_own(module, module.__dict__[key])])


def _defined(path):
    """Names at the margin of a source: `def name(...)`, and `name, name = _thing.doors()`, functions of an object."""
    with open(path) as file:
        for line in file:
            if line.startswith(("def ", "async def ")):
                line = line.split("def ", 1)[1].split("(")[0]
            elif ".doors()" in line:
                line = line.split("=")[0]
            else:
                continue
            yield from [name for name in line.replace(",", " ").split() if name[0] != "_"]
