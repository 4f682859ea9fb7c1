"""QFrame's collections: one of a kind, a dict in order, copies, and settings with a file."""
from collections import OrderedDict as _Ordered
import json

from Files import exists

_PLAIN = (int, float, str, bool, type(None))


def Singleton(cls):              # noqa: N802 - QFrame's name
    """Class decorator: each call gives the one instance."""
    made = []

    def get(*args, **kwargs):
        if not made:
            made.append(cls(*args, **kwargs))
        return made[0]
    return get


class OrderedDict(_Ordered):
    """In the order in which keys came first."""


def deepcopy(value):
    """Copy of numbers, texts, None, lists, tuples and dicts. Raises TypeError for anything else."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        copy = [deepcopy(item) for item in value]
        return tuple(copy) if isinstance(value, tuple) else copy
    if isinstance(value, dict):
        made = _Ordered() if isinstance(value, _Ordered) else {}
        for key, item in value.items():
            made[deepcopy(key)] = deepcopy(item)
        return made
    raise TypeError("numbers, texts, None, lists, tuples and dicts are kept, got {}".format(type(value).__name__))


class LocalStorage:
    """Settings by name; what comes out is a copy."""

    def __init__(self):
        self._rows = {}
        self._path = None

    def from_json(self, path):
        """Merge what a file says. Raises ValueError."""
        if not exists(path):
            raise ValueError('"{}" not exists!'.format(path))
        with open(path) as file:
            rows = json.load(file)
        if not isinstance(rows, dict):
            raise ValueError('"{}" holds a {}, settings are an object'.format(path, type(rows).__name__))
        self._path = path
        return self.update(rows)

    def save(self, path=None):
        """Raises ValueError without a path."""
        import ql_fs
        target = path or self._path
        if not target:
            raise ValueError("no path to save.")
        if ql_fs.touch(target, self._rows):
            raise OSError("{} could not be written".format(target))

    def update(self, *rows, **more):
        for part in rows + (more,):
            for key, value in part.items():
                self[key] = value
        return self

    def get(self, key, default=None):
        return deepcopy(self._rows.get(key, default))

    def items(self):
        return deepcopy(self._rows).items()

    def keys(self):
        return list(self._rows)

    def __getitem__(self, key):
        return deepcopy(self._rows[key])

    def __setitem__(self, key, value):
        self._rows[key] = deepcopy(value)

    def __delitem__(self, key):
        del self._rows[key]

    def __contains__(self, key):
        return key in self._rows

    def __iter__(self):
        return iter(list(self._rows))

    def __len__(self):
        return len(self._rows)
