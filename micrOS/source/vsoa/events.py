"""Events inside of one program: listeners in order, each called whatever another one raises."""
from . import ground

_NEW, _REMOVE = "new_listener", "remove_listener"


class EventEmitter:
    """Events may be any keys. `new_listener` and `remove_listener` tell (event, listener) before they change."""

    def __init__(self):
        self._listeners = {}             # event: list of (listener, is_once)

    def on(self, event, listener):
        self._add(event, listener, False)

    add_listener = add_listerner = on        # the second is how the public papers spell it

    def once(self, event, listener):
        self._add(event, listener, True)

    def remove_listener(self, event, listener=None):
        """Remove one, None: all of this event. False when there was none."""
        gone = [row for row in self._listeners.get(event, ()) if listener is None or row[0] == listener]
        for row in gone if listener is None else gone[:1]:
            self._remove(event, row)
        return bool(gone)

    def remove_all_listeners(self, event=None):
        for one in list(self._listeners) if event is None else [event]:
            self.remove_listener(one)

    def listener_count(self, event):
        return len(self._listeners.get(event, ()))

    def listeners(self, event):
        return [row[0] for row in self._listeners.get(event, ())]

    def emit(self, event, args=(), kwargs=None):
        """Call the listeners, those that there are now. False when there are none; what one raises is one line."""
        rows = self._listeners.get(event, ())
        for row in list(rows):
            if row[1] and row in self._listeners.get(event, ()):
                self._remove(event, row)
            try:
                row[0](*args, **(kwargs or {}))
            except Exception as error:       # outer wall: a listener must not cost the others
                ground.blame("event {}".format(event), error)
        return bool(rows)

    def _add(self, event, listener, is_once):
        if not callable(listener):
            raise TypeError("a listener is a function, got {}".format(listener))
        if event != _NEW:
            self.emit(_NEW, (event, listener))
        self._listeners.setdefault(event, []).append((listener, is_once))

    def _remove(self, event, row):
        if event != _REMOVE:
            self.emit(_REMOVE, (event, row[0]))
        rows = [other for other in self._listeners.get(event, ()) if other is not row]
        if rows:
            self._listeners[event] = rows
        else:
            self._listeners.pop(event, None)
