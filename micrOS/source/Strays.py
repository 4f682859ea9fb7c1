"""Names guests that misbehave: who began a task that failed, whose task holds the loop; in memory only for that."""
import asyncio
import io
import sys

from Debug import errlog_add, trace

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
