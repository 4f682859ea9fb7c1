"""One object of a class for all who call it."""


class Singleton:
    """Decorator: the first call makes the object, later ones return it whatever they ask for."""

    def __init__(self, kind):
        self._kind = kind
        self._made = None

    def __call__(self, *args, **kwargs):
        if self._made is None:
            self._made = self._kind(*args, **kwargs)
        return self._made

    def __getattr__(self, name):
        return getattr(self._kind, name)
