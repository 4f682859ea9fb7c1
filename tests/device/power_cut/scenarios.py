"""What is saved while the power goes: the savers of micrOS, and some that are known to be wrong.

A scenario prepares a flash, saves one of its values old, new, later, and says what a node finds that starts then.
"""
import json
import os

import Activate
from ConfigHandler import Config
from Saved import Saved
from Settings import FILE, PURGE, SETTINGS

KEPT = {"devfid": "kitchen", "stapwd": "My;Secret1", "soctout": 55, "boothook": "rgb load_n_init"}
STRANGER = {"obsolete_key": 7}
FOLDER = 0x4000


class Setting:
    """Config.set of one key. prepared: {key: value} set before; with none, `new` is the first save ever."""

    def __init__(self, key, old, new, later, prepared=KEPT):
        self.key = key
        self.old, self.new, self.later = old, new, later
        self.prepared = prepared

    def prepare(self):
        config = Config()
        for key, value in self.prepared.items():
            config.set(key, value)
        if self.prepared:
            config.set(self.key, self.old)

    def save(self, value):
        Config().set(self.key, value)

    def found(self):
        config = Config()
        return dict(config.all(), repairs=config.repairs)

    def expected(self, value):
        values = {key: default for key, default, _ in SETTINGS}
        values.update(self.prepared, repairs=[])
        if values["guimeta"] == "...":
            values["guimeta"] = "n/a"
        values[self.key] = value
        return values


class Stranger(Setting):
    """A key that is in the file and in no table stays."""

    def prepare(self):
        super().prepare()
        _change_by_hand(STRANGER)

    def expected(self, value):
        return dict(super().expected(value), **STRANGER)


class Purge(Setting):
    """The first start after an update: Config() itself writes, without strangers."""

    def prepare(self):
        super().prepare()
        _change_by_hand(STRANGER)
        write(PURGE, "")


class Broken(Setting):
    """A save while the file is broken: the node has started from the copy before it."""

    def prepare(self):
        super().prepare()
        Config().set("socport", 99)      # the copy before this one holds everything else
        write(FILE, '{"devfid": "kit')

    def found(self):
        return dict(super().found(), repairs=[])     # the node says so, rightly, until the next save


class State:
    """Saved.keep of a module."""

    def __init__(self, old, new, later):
        self.old, self.new, self.later = old, new, later

    def prepare(self):
        self.save(self.old)

    def save(self, value):
        self._saved().keep(text=value, duty=len(value))

    def found(self):
        return dict(self._saved().data.items())

    def expected(self, value):
        return {"duty": len(value), "ratio": 0.5, "text": value}

    def _saved(self):
        return Saved("lamp", ("duty", 0), ("ratio", 0.5), ("text", ""))


class Update:
    """A set of files that was sent beside the one before takes over; the boot after a cut goes on with it.

    A set: {path: content}. flat: as it lies at the root of a 1.20 node.
    """

    def __init__(self, old, new, later, flat=False):
        self.old, self.new, self.later = old, new, later
        self.flat = flat

    def prepare(self):
        for path, content in self.old.items():
            self._put(path, content)

    def save(self, value):
        self._boot()
        gone = [path for path in self._paths() if path not in value]
        rows = ["{} {} 0\n".format(path, len(content)) for path, content in value.items()]    # noqa: UP032
        rows += [path + " 0 -\n" for path in gone]
        if self.flat:
            for path, content in value.items():
                write(".update~" + path.replace("/", "~"), content)
            write(".update~manifest", "".join(rows))
        else:
            for path, content in value.items():
                self._put(".staged/" + path, content)
            write(".staged/manifest", "".join(rows))
            os.rename(".staged", ".update")
        self._boot()

    def found(self):
        self._boot()
        return {path: self._content(path) for path in self._paths()}

    def expected(self, value):
        return value

    def _boot(self):
        """As Paths.py does it, and Settings.py after it."""
        there = os.listdir()
        if ".update" in there or ".update~manifest" in there:
            Activate.finish()
        if PURGE in os.listdir():
            os.remove(PURGE)

    def _put(self, path, content):
        at = path.find("/")
        while at > 0:
            if path[:at].rpartition("/")[2] not in os.listdir(path[:at].rpartition("/")[0]):
                os.mkdir(path[:at])
            at = path.find("/", at + 1)
        write(path, content)

    def _paths(self, folder=""):
        found = []
        for name in os.listdir(folder):
            path = folder + "/" + name if folder else name
            if os.stat(path)[0] == FOLDER:
                found += self._paths(path) if name != ".staged" else []
            elif not name.startswith(("neighbour", "age", ".update~")):
                found.append(path)
        return found

    def _content(self, path):
        with open(path) as file:
            return file.read()


class Naive(Setting):
    """Over the old file. On littlefs even that is whole: the new content shows when the file is closed."""

    def save(self, value):
        self.write(self.text(value))

    def text(self, value):
        with open(FILE) as file:
            values = json.load(file)
        values[self.key] = value
        return json.dumps(values)

    def write(self, text):
        write(FILE, text)


class Flushed(Naive):
    """Over the old file, each piece sent to the flash at once."""

    def write(self, text):
        with open(FILE, "w") as file:
            for at in range(0, len(text), 100):
                file.write(text[at:at + 100])
                file.flush()


class Removed(Naive):
    """Beside the old file, which is removed to make room for the name."""

    def write(self, text):
        write("beside", text)
        os.remove(FILE)
        os.rename("beside", FILE)


class Unclosed(Naive):
    """Over the old file, never closed: not there when the save is said to be done."""

    def write(self, text):
        self.file = open(FILE, "w")      # noqa: SIM115 (that is the mistake)
        self.file.write(text)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _change_by_hand(changes):
    with open(FILE) as file:
        values = json.load(file)
    values.update(changes)
    write(FILE, json.dumps(values))


def scenarios(long):
    """{name: scenario}. long: bytes of a long value."""
    a, b, c = [letter * long for letter in "abc"]
    sets = ({"main.py": "old", "core.py": a, "pure/x.py": "old", "same.py": "same", "gone/y.py": "old"},
            {"main.py": "new", "core.mpy": b, "pure/x.py": "new", "same.py": "same", "usr/bin/z.py": b},
            {"main.py": "later", "core.py": c, "pure/x.py": "later", "same.py": "same"})
    return {
        "first save, short": Setting("devfid", "node01", "lamp", "desk", {}),
        "first save, long": Setting("crontasks", "n/a", b, c, {}),
        "save, short": Setting("devfid", "lamp", "desk", "door"),
        "save, long": Setting("crontasks", a, b, c),
        "save, growing": Setting("crontasks", "n/a", b, c),
        "save, shrinking": Setting("crontasks", a, "n/a", c),
        "save of a number": Setting("utc", 60, -300, 0),
        "save beside a stranger": Stranger("devfid", "lamp", "desk", "door"),
        "save while the file is broken": Broken("devfid", "lamp", "desk", "door"),
        "first key, short": Setting("guimeta", "n/a", '{"a": 1}', "{}", {}),
        "first key, long": Setting("guimeta", "n/a", b, c, {}),
        "key, short": Setting("guimeta", '{"a": 1}', '{"b": 2}', "{}"),
        "key, long": Setting("guimeta", a, b, c),
        "state, first": State("", "lamp", "desk"),
        "state, short": State("door", "lamp", "desk"),
        "state, long": State(a, b, c),
        "purge": Purge("devfid", "lamp", "lamp", "desk"),
        "update": Update(*sets),
        "update of a 1.20 node": Update(*sets, flat=True),
        "naive": Naive("devfid", "lamp", "desk", "door"),
        "naive, flushed": Flushed("devfid", "lamp", "desk", "door"),
        "naive, removed": Removed("devfid", "lamp", "desk", "door"),
        "naive, unclosed": Unclosed("devfid", "lamp", "desk", "door"),
    }
