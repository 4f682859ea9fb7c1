"""Names what went astray: whose task failed or holds the loop, which file is never loaded; in memory only for that."""
import asyncio
import io
import sys

from Debug import errlog_add, trace
from Files import names
from Modules import ENDINGS, FOLDERS, PREFIX

_FILE = '  File "'


def blame(error):
    """An alarm with the place in the load module, and the traceback on the console."""
    trace(error)
    errlog_add("[ERR] a task of {}: {}: {}".format(_place(error), type(error).__name__, error))


def _place(error):
    """`LM_x.py, line 5, in _work`: the innermost line of a load module, else of whatever failed."""
    text = io.StringIO()
    sys.print_exception(error, text)
    places = [line[len(_FILE):].replace('"', "") for line in text.getvalue().split("\n") if line.startswith(_FILE)]
    return ([place for place in places if "LM_" in place] or places or ["nobody"])[-1]


def at_work(tasks):
    """`task <tag>` whose turn it is at this moment, `a task` when it is none of these."""
    try:
        job = asyncio.current_task()
    except RuntimeError:                     # nobody's turn
        job = None
    for task in tasks:
        if job is not None and task._job is job:
            return "task " + task.tag
    return "a task"


def shadowed():
    """Lines `/modules/LM_x.py is hidden by /LM_x.py`: files of load modules that another of the same name hides."""
    seen, lines = {}, []
    for folder in FOLDERS:
        files = names(folder[:-1] or "/")
        for ending in ENDINGS:
            for file in sorted(files):
                if file.startswith(PREFIX) and file.endswith(ending):
                    stem, path = file[:-len(ending)], folder + file
                    if seen.setdefault(stem, path) != path:
                        lines.append("{} is hidden by {}".format(path, seen[stem]))
    return lines
