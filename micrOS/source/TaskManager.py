"""Work that goes on beside the shell: tagged tasks, started, shown and stopped by name."""
import asyncio
import gc
import time
from micropython import const

from ConfigHandler import cfgget
from Debug import errlog_add, trace
from Modules import CallError, modules
from pure.lazy import door, once, unload
from pure.words import WordError, split

_OUTPUT_CHARS = const(1024)           # kept of what a task said last
_IDLE_MS = const(500)                 # period of the probe that measures the load


class Task:
    """One named piece of work; `out` is the last text it said."""

    __getattr__ = door               # `with` and `done`, as 1.20 had them

    def __init__(self, tag, protected):
        self.tag = tag
        self.protected = protected       # a system task: shown, never killed from outside
        self.out = ""
        self.report = None               # function that gives the text of `show`; None: it is `out`
        self.failure = None              # the exception that ended it
        self._job = None                 # asyncio.Task

    @property
    def active(self):
        return self._job is not None and not self._job.done()

    def begin(self, coroutine):
        self._job = asyncio.create_task(self._guarded(coroutine))

    async def _guarded(self, coroutine):
        try:
            await coroutine
        except (Exception, SystemExit) as error:       # outer wall: a task that dies must be seen, nobody awaits it
            trace(error)
            self.say("{}: {}".format(type(error).__name__, error))
            errlog_add("[ERR] task {}: {}".format(self.tag, error))
            self.failure = error
        # a job keeps its coroutine, and that all it had at hand; asyncio's queue may keep a job that is done
        self._job = coroutine = None

    def say(self, text):
        self.out = str(text)[:_OUTPUT_CHARS]

    def show(self):
        return self.report() if self.report else str(self.out)[:_OUTPUT_CHARS]

    async def wait(self):
        """Return, or raise, as the work does."""
        if self._job:
            await self._job
        if self.failure:
            raise self.failure

    def cancel(self):
        """True when it was running."""
        was_active = self.active
        if was_active:
            self._job.cancel()
            self._job = None
        return was_active


class Tasks:
    """The node's tasks, in the order of their start."""

    def __init__(self, modules):
        self.modules = modules
        self.ask = None          # coroutine function(host, line): the answer of another node; given by the assembly
        self.tasks = []
        self.beats = []          # functions() that the idle task calls each time; given by the assembly
        self.watchdog = None     # Watchdog, if the settings want one
        self.load_pct = 0        # how busy the loop is: lateness of the idle probe against its period

    def execute(self, line, say):
        """Text that a module call or task command gives, or a coroutine that gives it.

        say: takes streamed lines. Raises CallError, now or when awaited.
        """
        try:
            words = split(line)
        except WordError as error:
            raise CallError("{}: {}".format(line.split()[0], error))
        if words[-1][0] in ">&" or words[0] == "task" or len(words) < 2:
            import Suffixed
            return Suffixed.execute(self, words, say)
        return self.modules.call(words, False, say)

    def start(self, tag, coroutine, protected=False):
        """Run a coroutine as a task. Returns the Task, None when that tag is running."""
        task = self.renewed(tag, protected)
        if task:
            task.begin(coroutine)
        return task

    def get(self, tag):
        """The Task with this tag, None if there is none."""
        for task in self.tasks:
            if task.tag == tag:
                return task
        return None

    def renewed(self, tag, protected=False):
        """A fresh Task in the table, in the place of a finished one; None when the tag is running."""
        old = self.get(tag)
        if old and old.active:
            return None
        if old:
            self.tasks.remove(old)
        self._drop_oldest_finished()
        task = Task(tag, protected)
        self.tasks.append(task)
        return task

    def _drop_oldest_finished(self):
        finished = [task for task in self.tasks if not task.active]
        if len(finished) >= cfgget("aioqueue"):
            self.tasks.remove(finished[0])

    def free(self):
        """Places left in the queue; system tasks take none, their tags have no dot."""
        return cfgget("aioqueue") - len([task for task in self.tasks if task.active and "." in task.tag])

    async def idle(self):
        """The probe: sleeps, and sees how late it wakes. Collects, so that what stays is not strewn between garbage."""
        self.get("idle").say("i.d.l.e: {}ms".format(_IDLE_MS))
        smooth_ms = 0
        while True:
            gc.collect()
            for beat in self.beats:
                try:
                    beat()
                except Exception as error:       # outer wall: the next one may be what feeds the watchdog
                    errlog_add("[ERR] idle: {}".format(error))
            begun = time.ticks_ms()
            await asyncio.sleep_ms(_IDLE_MS)
            late_ms = max(0, time.ticks_diff(time.ticks_ms(), begun) - _IDLE_MS)
            smooth_ms = (3 * smooth_ms + late_ms) // 4
            self.load_pct = 100 * smooth_ms // (_IDLE_MS + smooth_ms)


async def finished(answer):
    """Text of an answer that may still be a coroutine."""
    return answer if isinstance(answer, str) else await answer


def _stray(loop, context):
    """A task that a module began by itself has failed."""
    import Strays
    unload("Strays")
    Strays.blame(context["exception"])


@once
def manager():
    """The node's one Tasks."""
    asyncio.get_event_loop().set_exception_handler(_stray)
    return Tasks(modules())


__getattr__ = door               # Manager, exec_lm_core
