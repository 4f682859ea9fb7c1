"""At boot: a set of files that was sent whole takes the place of the one before; in memory only for that.

.update/ holds the files under their paths, and `manifest` with lines `<path> <size> <SHA-256>`, or `<path> 0 -` for
a file that goes. A node of 1.20, which makes no folders, holds them at its root as .update~modules~LM_x.mpy and so on.
What came stays until all is in its place: after a power cut the next boot does the same again. Nothing of ours is
imported here: while it runs, what there is may be of the old set or of the new.
"""
import os

_UPDATE = ".update"
_FLAT = ".update~"
_MANIFEST = "manifest"
_AFTER = "cleanup.pds"            # Takeover.py and Settings.py tidy up after an update
_MODE = ".if_mode"                # the update mode has come to its end
_BESIDE = ".new"
_FOLDER = 0x4000
_BLOCK_BYTES = 1024


def run():
    """Let it take over and start anew. Comes back when the flash does not take it, with an alarm."""
    try:
        finish()
    except OSError as error:
        from Debug import errlog_add
        errlog_add("[ERR] the update does not take over, the next boot tries again: the flash says {}".format(error))
        return
    from machine import reset
    reset()


def finish():
    """Raises OSError; then it can be called again."""
    for path in _listed(is_new=True):
        if _exists(_came(path)):           # else all is in its place, and some of what came is gone already
            _copy(_came(path), path)
    for path in _listed(is_new=False):
        if _exists(path):
            os.remove(path)
    open(_AFTER, "w").close()
    if _exists(_MODE):
        os.remove(_MODE)
    _discard()


def _came(path):
    """Where a file of the set lies."""
    if _exists(_UPDATE):
        return "{}/{}".format(_UPDATE, path)
    return _FLAT + path.replace("/", "~")


def _listed(is_new):
    """Paths of the manifest: those that come, or those that go."""
    if _exists(_came(_MANIFEST)):
        with open(_came(_MANIFEST)) as manifest:
            for row in manifest:
                path, _, digest = row.strip().rsplit(" ", 2)
                if (digest != "-") == is_new:
                    yield path


def _copy(path, target):
    """Not a move between folders: a power cut in one was seen to hide the next file of the folder (littlefs 2.x)."""
    at = target.find("/")
    while at > 0:
        if not _exists(target[:at]):
            os.mkdir(target[:at])
        at = target.find("/", at + 1)
    block = memoryview(bytearray(_BLOCK_BYTES))
    with open(path, "rb") as source, open(target + _BESIDE, "wb") as file:
        count = _BLOCK_BYTES
        while count == _BLOCK_BYTES:
            count = source.readinto(block)
            file.write(block[:count])
    try:
        os.rename(target + _BESIDE, target)
    except OSError:
        os.remove(target)                # on FAT a rename does not replace
        os.rename(target + _BESIDE, target)


def _discard():
    """Remove what came, the manifest last: as long as it is there, the next boot goes on."""
    for name in [name for name in os.listdir() if name.startswith(_FLAT)]:
        if name != _FLAT + _MANIFEST:
            os.remove(name)
    if _exists(_UPDATE):
        _empty(_UPDATE)
        os.rmdir(_UPDATE)
    elif _exists(_FLAT + _MANIFEST):
        os.remove(_FLAT + _MANIFEST)


def _empty(folder):
    for name in sorted(os.listdir(folder), key=lambda name: name == _MANIFEST):
        path = "{}/{}".format(folder, name)
        if os.stat(path)[0] & 0xF000 == _FOLDER:
            _empty(path)
            os.rmdir(path)
        else:
            os.remove(path)


def _exists(path):
    try:
        return bool(os.stat(path))
    except OSError:
        return False
