"""Cuts the power at every write of a save and looks at what is left; runs on MicroPython.

micropython on_board.py <folder of micrOS> <folder of flash.py> <JSON of the arguments of Bench>
Prints one line of JSON: {passes: cut points of each pass; old, new, later: how often a start found which value;
lost: texts on what it found that it must not}.
"""
import errno
import json
import os
import sys
import time

import vfs

sys.modules["time"] = time       # else `import time` finds Time.py where a disk ignores case
for folder in sys.argv[1:3]:
    sys.path.insert(0, folder)

from flash import ERASED, Flash  # noqa: E402 (found on the path just set)
from scenarios import scenarios, write  # noqa: E402

AT = "/flash"
NEIGHBOURS = [("neighbour{}.txt".format(n), str(n) * 300 * n) for n in range(4)]    # noqa: UP032 (as on a board)
LEFT_OVER = (".new", "cleanup.pds")


class CutFlash(Flash):
    """Loses power at erase or write number cut_at (from 0; None: never); from then on it keeps what it has.

    landed: eighths of that one operation that reach the flash
    It answers with an error code, as drivers in C do: an exception would jump through the C code of the file system.
    """

    def __init__(self, blocks, block_size, data=None, cut_at=None, landed=0):
        super().__init__(blocks, block_size, data)
        self.cut_at = cut_at
        self.landed = landed
        self.operations = 0
        self.is_dead = False

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:       # a whole block, as FAT writes it: the driver erases, an operation of its own
            self.erase(block)
        return self._operate(block * self.block_size + (offset or 0), buffer)

    def erase(self, block):
        return self._operate(block * self.block_size, ERASED * self.block_size)

    def _operate(self, at, data):
        count = len(data)
        if self.operations == self.cut_at:
            self.is_dead = True
            count = count * self.landed // 8
        elif self.is_dead:
            count = 0
        self.operations += 1
        self.data[at:at + count] = data[:count]
        return -errno.EIO if self.is_dead else 0


class CutCard(CutFlash):
    """An SD card: it writes a block in one operation."""

    def writeblocks(self, block, buffer, offset=0):
        return super().writeblocks(block, buffer, offset)


DISKS = {
    "littlefs": (vfs.VfsLfs2, CutFlash),
    "fat": (vfs.VfsFat, CutFlash),
    "fat on a card": (vfs.VfsFat, CutCard),
}


class Bench:
    """One scenario on one kind of disk, cut at every operation.

    long     bytes of a long value, default: it spans several blocks
    ages     range of writes before the first save, a pass for each: at some the disk tidies its tables during the save
    landed   eighths of the cut operation that land: one pass over all cut points for each
    twice    the save after the cut is cut at every operation, too
    """

    def __init__(self, scenario, disk="littlefs", block_size=512, blocks=64, long=None, ages=(0, 1),
                 landed=(0, 4), twice=False):
        self.scenario = scenarios(long or block_size + 1000)[scenario]
        self.ages = ages
        self.system, self.device = DISKS[disk]
        self.size = blocks, block_size
        self.landed = landed
        self.twice = twice
        self.counts = {"passes": [], "old": 0, "new": 0, "later": 0, "lost": []}

    def run(self):
        """The counts of all passes."""
        for age in range(*self.ages):
            flash = self.device(*self.size)
            self.system.mkfs(flash)
            self.powered(flash, self.fill, age)
            for landed in self.landed:
                self.cut_everywhere(flash.data, landed)
        return self.counts

    def fill(self, age):
        for n in range(age):
            write("age.txt", str(n))
        for name, text in NEIGHBOURS:
            write(name, text)
        self.scenario.prepare()

    def cut_everywhere(self, image, landed):
        self.counts["passes"].append(0)
        for point, left in self.cuts(image, "new", landed):
            found = self.judge(("cut", point, landed), left, ("old", "new"))
            for second, left_again in self.cuts(left, "later", landed) if self.twice else ():
                self.judge(("cuts", point, second, landed), left_again, (found, "later"))
        self.expect(("uncut",), self.saved(image, "new"), ("new",))

    def cuts(self, image, name, landed):
        """Pairs (cut point, bytes on the flash then), until the save comes through."""
        point = 0
        while True:
            flash = self.device(*self.size, image, point, landed)
            try:
                self.powered(flash, self.save, name)
            except Exception:            # what the node says in the dark is nobody's concern
                if not flash.is_dead:
                    raise
            if not flash.is_dead:
                return
            yield point, flash.data
            point += 1

    def judge(self, where, image, allowed):
        """Name of the value that a start finds after a cut; notes what is wrong with it, or with the save after it."""
        found = self.expect(where, image, allowed)
        self.counts["passes"][-1] += 1
        if found in allowed:
            self.counts[found] += 1
        try:
            self.expect(where + ("saved again",), self.saved(image, "later"), ("later",), LEFT_OVER)
        except Exception as error:       # whatever it is, it is the finding
            self.counts["lost"].append("{}: saving again {!r}".format(where, error))    # noqa: UP032
        return found

    def expect(self, where, image, allowed, never=()):
        """Name of the value that a start finds; noted as lost when not allowed, or a file name ends as none may."""
        try:
            found, names = self.powered(self.device(*self.size, image), self.look)
        except Exception as error:       # whatever it is, it is the finding
            found, names = repr(error), ()
        if found not in allowed or [name for name in names if name.endswith(never)]:
            self.counts["lost"].append("{}: {} {}".format(where, found, names))    # noqa: UP032
        return found

    def saved(self, image, name):
        """Bytes on the flash after a save in peace."""
        flash = self.device(*self.size, image)
        self.powered(flash, self.save, name)
        return flash.data

    def save(self, name):
        self.scenario.save(getattr(self.scenario, name))

    def look(self):
        """(old, new or later, or a text on what there is else; names of all files)."""
        for name, text in NEIGHBOURS:
            with open(name) as file:
                if file.read() != text:
                    return name + " is damaged", os.listdir()
        return self.name_of(self.scenario.found()), os.listdir()

    def name_of(self, found):
        for name in ("new", "old", "later"):
            expected = self.scenario.expected(getattr(self.scenario, name))
            if found == expected:
                return name
        return "differs in " + ", ".join(sorted([key for key in found if found[key] != expected.get(key)]))

    def powered(self, flash, do, *args):
        """What do(*args) returns in the root of the flash; then all is unmounted."""
        vfs.mount(self.system(flash), AT)
        os.chdir(AT)
        try:
            return do(*args)
        finally:
            os.chdir("/")
            vfs.umount(AT)


print(json.dumps(Bench(**json.loads(sys.argv[3])).run()))
