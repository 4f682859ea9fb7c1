"""After an update: files that an older micrOS left at the root and that hide ours go to /old; in memory only for that.

1.20 had all its files at the root, and an update over the air only adds to them. It imports nothing that could be
hidden itself. A power cut leaves the rest to the next boot, for Settings.py takes `cleanup.pds` away only later.
"""
import os

_OLD = "/old"
# the core of 1.20; ours has the same names at the root
_CORE = ("main", "micrOS", "micrOSloader", "Common", "ConfigHandler", "Debug", "Hooks", "InterConnect",
         "InterpreterShell", "InterruptHandler", "LogicalPins", "Network", "Notify", "Scheduler", "SocketServer",
         "TaskManager", "Time", "TinyPLed", "reset", "urequests")


def run():
    """Move them. err.log tells how many; a flash that does not take it is an alarm."""
    files = sorted(_strangers(os.listdir("/")))
    if files:
        told = "[update] {} files of before hid ours and lie in {}: {}".format(len(files), _OLD, ", ".join(files))
        try:
            for file in files:
                _move(file)
        except OSError as error:
            told = "[ERR] files of before hide ours, they do not go to {}: the flash says {}".format(_OLD, error)
        from Debug import errlog_add
        errlog_add(told)


def _strangers(root):
    """Of the files at the root: modules and pin maps that ours has in its folders, of core twins the one not ours."""
    in_folders = [_parts(file)[0] for folder in ("/modules", "/boards") for file in os.listdir(folder)]
    ours = "py" if "lazy.py" in os.listdir("/pure") else "mpy"      # 1.20 had no such folder
    for file in root:
        stem, ending = _parts(file)
        kind = "py" if stem == "main" else ours
        is_old_twin = stem in _CORE and ending != kind and "{}.{}".format(stem, kind) in root
        if ending in ("py", "mpy") and (stem in in_folders or is_old_twin):
            yield file


def _parts(file):
    """(name, ending)"""
    stem, _, ending = file.rpartition(".")
    return stem, ending


def _move(file):
    """To /old, over what an update before left there."""
    if _OLD[1:] not in os.listdir("/"):
        os.mkdir(_OLD)
    elif file in os.listdir(_OLD):
        os.remove("{}/{}".format(_OLD, file))      # on FAT a rename does not replace
    os.rename("/" + file, "{}/{}".format(_OLD, file))
