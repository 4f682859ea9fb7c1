"""QuecPython's event_message: events whose handlers run one after the other, off the caller's back."""
import blocking
from Debug import errlog_add, trace
from sys_bus import Box


class EventMessageObject:
    """One message of an event on its way."""

    def __init__(self, event, msg, callback=None):
        self.event = event
        self.event_name = event.name
        self.msg = msg
        self.callback = callback
        self.is_done = False
        self.success = 0

    def apply(self):
        """Run the handlers in order; StopIteration ends the chain. May be a coroutine."""
        return self.event.fire(self)


class Event(list):
    """A list of handlers: handler(event_message=EventMessageObject)"""

    def __init__(self, name, *handlers):
        super().__init__()
        self.name = name
        self.manager = None
        for handler in handlers:
            self.add_handler(handler)

    def add_handler(self, handler):
        """Returns it. Raises TypeError when it cannot be called."""
        if not callable(handler):
            raise TypeError("a handler is a function, got {}".format(handler))
        self.append(handler)
        return handler

    def add_handler_via(self):
        return self.add_handler

    def remove_handler(self, handler):
        self.remove(handler)

    def post(self, message, callback=None):
        """The EventMessageObject on its way, None when nobody takes it."""
        event_message = EventMessageObject(self, message, callback)
        return event_message if self.manager and self.manager.post_msg(event_message) else None

    def fire(self, event_message, handlers=None):
        """Run the handlers in order; StopIteration ends the chain. Gives a coroutine when one has to be awaited."""
        handlers = tuple(self) if handlers is None else handlers
        for at, handler in enumerate(handlers):
            try:
                result = handler(event_message=event_message)
            except StopIteration:
                break
            except (Exception, SystemExit) as error:       # outer wall: the next handler runs
                _blame(event_message, error)
                continue
            if hasattr(result, "send"):
                return self._later(result, event_message, handlers[at + 1:])
        event_message.is_done = True
        return None

    __call__ = fire

    async def _later(self, result, event_message, rest):
        try:
            await result
        except (Exception, SystemExit) as error:       # outer wall, as above
            _blame(event_message, error)
        more = self.fire(event_message, rest)
        if more:
            await more


def _blame(event_message, error):
    trace(error)
    errlog_add("[ERR] event {}: {}: {}".format(event_message.event_name, type(error).__name__, error))


class EventManager:
    """Works off the messages of its events, in the order in which they came."""

    def __init__(self, waiting=16):
        self._waiting = waiting
        self._box = None
        self.status = 0

    def register_event(self, event):
        event.manager = self

    def start(self):
        if not self.status:
            self._box = Box(_apply, self._waiting)
            self.status = 1

    run = start

    def stop(self):
        if self.status:
            self.status = 0
            self._box.close()

    def post_msg(self, event_message):
        """False when it is stopped or full."""
        return bool(self.status and self._box.post(event_message, None))

    def ping(self, answer):
        """Have answer() called when all that waits has been worked off. False when it is stopped or full."""
        return bool(self.status and self._box.post(None, answer))

    def finish(self, event_message):
        """Work off all up to this message, here and now. Raises WouldBlockError when a coroutine holds it up."""
        while not event_message.is_done and self._box.waiting() and not self._box.is_busy:
            self._box.step()
        blocking.until(lambda: event_message.is_done, None, "waiting for a coroutine")

    def wait(self):
        """Returns when nothing waits. Raises WouldBlockError when a coroutine holds it up."""
        while self.status and self._box.waiting() and not self._box.is_busy:
            self._box.step()
        blocking.until(lambda: not self._box or not self._box.waiting() and not self._box.is_busy, None, "wait()")


def _apply(event_message, answer):
    return answer() if answer else event_message.apply()
