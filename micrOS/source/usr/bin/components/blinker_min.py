"""Signals: who connects to a sender's signal is called when that sender sends."""
ANY = "anonymous"


class Signal:
    """Receivers by sender, matched exactly: who listens to ANY hears no named sender."""

    def __init__(self, doc=None):
        self.doc = doc
        self._receivers = {}

    def connect(self, receiver, sender=ANY):
        self._receivers.setdefault(sender, []).append(receiver)
        return receiver

    def connect_via(self, sender=ANY):
        def keep(receiver):
            return self.connect(receiver, sender)
        return keep

    def receivers_for(self, sender):
        return list(self._receivers.get(sender, ()))

    def send(self, *senders, **kwargs):
        """receiver(sender, **kwargs) for each receiver of each sender, ANY when none is named. Raises as they do."""
        for sender in senders or (ANY,):
            for receiver in self.receivers_for(sender):
                receiver(sender, **kwargs)

    def disconnect(self, receiver, sender=ANY):
        """Raises ValueError when it was not connected."""
        self._receivers.get(sender, []).remove(receiver)

    def clear(self):
        self._receivers.clear()


class NamedSignal(Signal):
    def __init__(self, name, doc=None):
        super().__init__(doc)
        self.name = name


class Namespace:
    """Signals by name, made when first asked for."""

    def __init__(self):
        self._signals = {}

    def signal(self, name, doc=None):
        if name not in self._signals:
            self._signals[name] = NamedSignal(name, doc)
        return self._signals[name]


_default = Namespace()
signal = _default.signal
