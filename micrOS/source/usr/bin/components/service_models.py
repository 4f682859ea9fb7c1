"""What travels through a service: a message, and what a waiting sender gets back."""


class QMessageModel:
    """Read only; called, it is the dict that subscribers get."""

    def __init__(self, ms_id, msg_type=0xFF, message=None, sender=None, from_event=None, lock_msg=None):
        self._facts = {"message_id": ms_id, "msg_type": msg_type, "message": message, "sender": sender,
                       "from_event": from_event}
        self.lock_msg = lock_msg

    def __getattr__(self, name):
        facts = self.__dict__.get("_facts", {})
        if name not in facts:
            raise AttributeError(name)
        return facts[name]

    def model_to_dict(self):
        return self._facts.copy()

    __call__ = model_to_dict


class LockMsgModel:
    def __init__(self, lock):
        self.lock = lock
        self.msg = None
