"""What all services are: subscribers, a queue of messages that one worker serves, and a life of start and stop."""
from console import say
from event_message import Event, EventManager

from usr.bin.components import blinker_min
from usr.bin.components.service_models import QMessageModel

_LAST_ID = 99999
_ASYNC = 1


class AbstractService:
    """mode: 1 send_msg() comes back at once, 0 when all subscribers have run.

    Meant for override: register_event, prepare_before_start, prepare_before_stop, start_crontab.
    """

    def __init__(self, sign):
        self.name = sign
        self.mode = _ASYNC
        self.signal = blinker_min.signal(sign)
        self.event = Event(sign)
        self.event_manager = EventManager()
        self.event_manager.register_event(self.event)
        self._is_prepared = False
        self._last_id = 1

    # -- for subscribers and senders
    def subscribe(self, cb, sender=blinker_min.ANY):
        """cb(sender, message=dict) at each message of that sender; it may be a coroutine function."""
        self.signal.connect(cb, sender)

    def unsubscribe(self, cb, sender=blinker_min.ANY):
        """Raises ValueError for a stranger."""
        self.signal.disconnect(cb, sender)

    def publish(self, msg, sender=blinker_min.ANY, msg_type=0xFF):
        return self.send_msg(message=msg, sender=sender, msg_type=msg_type)

    def set_mode(self, mode):
        self.mode = mode

    def send_msg(self, msg_type=0xFF, message=None, callback=None, sender=None, mode=None):
        """As send_msg_async, or send_msg_sync when mode (or the service's own) is 0."""
        send = self.send_msg_async if (self.mode if mode is None else mode) else self.send_msg_sync
        return send(msg_type=msg_type, message=message, callback=callback, sender=sender)

    def send_msg_async(self, msg_type=0xFF, message=None, callback=None, sender=None):
        """None; 0 when the service is stopped. callback(message=dict, success=0 or 1) comes behind the subscribers."""
        return None if self._post(msg_type, message, callback, sender) else 0

    def send_msg_sync(self, msg_type=0xFF, message=None, callback=None, sender=None):
        """{"message": dict, "success": 0 or 1} when all subscribers have run; 0 when the service is stopped or full."""
        event_message = self._post(msg_type, message, callback, sender)
        if not event_message:
            return 0
        self.event_manager.finish(event_message)
        return {"message": event_message.msg(), "success": event_message.success}

    def add_handler(self, handler):
        return self.event.add_handler(handler)

    def add_handler_via(self):
        return self.event.add_handler_via()

    # -- life
    def start(self):
        if not self._is_prepared:
            self._is_prepared = True
            self.register_event()
            self.event.add_handler(self._tell)
            self.prepare_before_start()
            self.start_crontab()
        self.event_manager.start()
        return 1

    def stop(self):
        self.prepare_before_stop()
        self.event_manager.stop()
        return 0

    def status(self):
        return self.event_manager.status

    def close(self):
        self.event.clear()
        self._is_prepared = False

    def ping(self, answer):
        """Call answer() as soon as all that is in the queue has been worked off. False when it is stopped or full."""
        return self.event_manager.ping(answer)

    def register_event(self):
        pass

    def prepare_before_start(self):
        pass

    def prepare_before_stop(self):
        pass

    def start_crontab(self):
        pass

    # -- inside
    def _post(self, msg_type, message, callback, sender):
        if callback is not None and not callable(callback):
            raise TypeError("callback is a function, got {}".format(callback))
        if not self.status():
            return None
        self._last_id = 1 if self._last_id > _LAST_ID else self._last_id + 1
        model = QMessageModel(self._last_id, msg_type, message, blinker_min.ANY if sender is None else sender,
                              self.name)
        return self.event.post(model, callback)

    def _tell(self, event_message):
        """The default handler: subscribers, then the sender's callback. May give a coroutine."""
        model = event_message.msg
        event_message.success = 1
        return self._tell_each(event_message, model, self.signal.receivers_for(model.sender))

    def _tell_each(self, event_message, model, receivers):
        for at, receiver in enumerate(receivers):
            result = self._guarded(event_message, receiver, model)
            if hasattr(result, "send"):
                return self._later(result, event_message, model, receivers[at + 1:])
        if event_message.callback:
            try:
                event_message.callback(message=model(), success=event_message.success)
            except (Exception, SystemExit):        # outer wall: it is the sender's own, and he has gone
                pass
        return None

    async def _later(self, result, event_message, model, rest):
        try:
            await result
        except (Exception, SystemExit):            # outer wall: one subscriber must not cost the others theirs
            self._complain(event_message, model)
        more = self._tell_each(event_message, model, rest)
        if more:
            await more

    def _guarded(self, event_message, receiver, model):
        try:
            return receiver(model.sender, message=model())
        except (Exception, SystemExit):            # outer wall, as above
            self._complain(event_message, model)
            return None

    def _complain(self, event_message, model):
        event_message.success = 0
        say("send to {} kwargs error, reason {}".format(model.sender, {"message": model()}))
