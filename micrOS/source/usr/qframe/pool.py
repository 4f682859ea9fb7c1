"""QFrame's queues and its pool of workers."""
from Baton import Stopped
import blocking
from usr.qframe.threading import Result, Thread, patience_ms


class Queue:
    """First in, first out; max_size items, 0: any number."""

    class Full(Exception):
        pass

    class Empty(Exception):
        pass

    def __init__(self, max_size=100):
        self.max_size = max_size
        self._items = []

    def put(self, item, block=True, timeout=None):
        """timeout: seconds, more than 0. Raises Full, ValueError."""
        if not blocking.until(self._has_place, patience_ms(block, timeout), "Queue.put()"):
            raise self.Full("{} items are waiting".format(len(self._items)))
        self._add(item)

    def get(self, block=True, timeout=None):
        """Raises Empty, ValueError."""
        if not blocking.until(lambda: self._items, patience_ms(block, timeout), "Queue.get()"):
            raise self.Empty("nothing is waiting")
        return self._items.pop(self._next())

    def size(self):
        return len(self._items)

    def clear(self):
        del self._items[:]

    def _has_place(self):
        return self.max_size < 1 or len(self._items) < self.max_size

    def _add(self, item):
        self._items.append(item)

    def _next(self):
        return 0


class LifoQueue(Queue):
    """Last in, first out."""

    def _next(self):
        return -1


class PriorityQueue(Queue):
    """The least first; of equals the one that came first."""

    @classmethod
    def convert(cls, items):
        """A queue of these items."""
        made = cls(max(len(items), 1))
        for item in items:
            made.put(item)
        return made

    def _add(self, item):
        at = len(self._items)
        while at and item < self._items[at - 1]:
            at -= 1
        self._items.insert(at, item)


class Task:
    """Work for a pool; a lower priority comes first."""

    def __init__(self, target=None, args=(), kwargs=None, priority=0, name=""):
        self.target = target
        self.args = args
        self.kwargs = kwargs or {}
        self.priority = priority
        self.name = name
        self.result = Result()

    def __lt__(self, other):
        return self.priority < other.priority

    def run(self):
        try:
            self.result.tell(self.target(*self.args, **self.kwargs))
        except Exception as error:           # outer wall: it is for who asks the result
            self.result.tell(None, error)


class ThreadPoolExecutor:
    """Workers begin when there is work, and end when there is none: a thread is dear."""

    def __init__(self, max_workers=4, enable_priority=False):
        self._waiting = (PriorityQueue if enable_priority else Queue)(0)
        self._most = max_workers
        self._workers = []
        self._is_open = True

    def submit(self, task=None, target=None, args=(), kwargs=None, priority=0):
        """Result of a Task, or of target, given by keyword. Raises RuntimeError after shutdown()."""
        if not self._is_open:
            raise RuntimeError("the pool is shut down")
        if task is None:
            task = Task(target, args, kwargs, priority)
        if not isinstance(task, Task):
            raise TypeError("submit takes a Task, or target=, args=, kwargs=, priority=; got {}".format(task))
        self._waiting.put(task)
        self._workers = [worker for worker in self._workers if worker.is_running()]
        if len(self._workers) < min(self._most, self._waiting.size() + len(self._workers)):
            self._add_worker()
        return task.result

    def shutdown(self):
        """What waits is forgotten, what runs is stopped with its next wait."""
        self._is_open = False
        while self._waiting.size():
            self._waiting.get().result.tell(None, Stopped("the pool is shut down"))
        for worker in self._workers:
            worker.stop()

    def _add_worker(self):
        worker = Thread(self._work)
        try:
            worker.start()
            self._workers.append(worker)
        except RuntimeError:
            if not self._workers:            # else one of them will do it
                raise

    def _work(self):
        while self._waiting.size():
            self._waiting.get().run()
