"""Load modules: `LM_<name>` is found by name, imported on first use, and its own functions can be called."""
import gc
import json
import sys

from Debug import console_write, trace
from Files import exists
from pure.lazy import once, publish
from pure.words import WordError, arguments, is_name

PREFIX = "LM_"
FOLDERS = ("/", "/modules/")          # the root wins, so a file put there by hand does
ENDINGS = (".py", ".mpy")             # so does source over bytecode
_FUNCTION = type(lambda: None)
_COROUTINE = type((lambda: (yield))())      # what calling an async function gives
_GENERATOR = type(lambda: (yield))


class CallError(Exception):
    """Raised when a call cannot be made or fails; its text is the line for the user."""


class Modules:
    """Calls functions of load modules; knows who asks while a call runs."""

    def __init__(self):
        self.say = console_write        # takes a line that a running function streams
        self.running = None             # words of the call that holds the loop

    def call(self, words, as_json, say):
        """Text that `module function args...` gives, or a coroutine that gives it when the function is one.

        say: takes streamed lines. Raises CallError.
        """
        name, function = words[0], words[1]
        try:
            args, kwargs = arguments(words[2:])
            self.running = words
            value = self._enter(self._function(name, function), args, kwargs, say)
            if type(value) is _COROUTINE:
                return self._awaited(name, function, value, as_json)
            return printed(value, function == "help", as_json)
        except (Exception, SystemExit) as error:       # outer wall: a guest must not bring the house down
            raise self._failed(name, function, error)

    async def _awaited(self, name, function, value, as_json):
        try:
            return printed(await value, function == "help", as_json)
        except (Exception, SystemExit) as error:       # outer wall, as in call()
            raise self._failed(name, function, error)

    def _failed(self, name, function, error):
        """CallError with the line for the user; what the guest raised by itself is traced on the console."""
        self.running = None              # when nothing could be entered
        text = str(error) or type(error).__name__
        if isinstance(error, MemoryError):
            self.forget(name)
            gc.collect()
            text += "; the module is unloaded"
        elif not isinstance(error, (CallError, WordError)):
            trace(error)
        return CallError("exec_lm_core LM_{}->{}: {}".format(name, function, text))

    def _enter(self, function, args, kwargs, say):
        """Has a frame of its own: when memory is out, that of call() must not hold the module that ate it."""
        before, self.say = self.say, say
        try:
            return function(*args, **kwargs)
        finally:
            self.say = before
            self.running = None

    def _function(self, name, function):
        module = self.load(name)
        # not getattr(): that would intern whatever a client types, for ever
        found = None if function[0] == "_" else module.__dict__.get(function)
        if found is None and function == "load":
            found = module.__dict__.get("load_n_init")      # its name in newer versions
        if not is_own(module, found):
            raise CallError("no function {}; {} help lists them".format(function, name))
        return found

    def load(self, name):
        """The module object, imported if need be. Raises CallError when there is none, else what the import raises."""
        full = PREFIX + name
        module = sys.modules.get(full)
        if module is None:
            if not is_name(name) or self.path(name) is None:
                raise CallError("no module LM_{}; help lm lists them".format(name))
            gc.collect()                 # the module stays: it shall not lie between garbage
            module = __import__(full)
            console_write("[lm] {} loaded".format(name))
            publish("module", name)
        return module

    def forget(self, name):
        """Unload; the next call imports it anew. True when it was loaded."""
        return sys.modules.pop(PREFIX + name, None) is not None

    def path(self, name):
        """File that holds a module, None when there is none."""
        for folder in FOLDERS:
            for ending in ENDINGS:
                path = folder + PREFIX + name + ending
                if exists(path):
                    return path
        return None


def is_own(module, function):
    """True when the module itself defines the function; what it imports cannot be called from outside.

    A closure (a function wrapped by a decorator) and a method of an object do not tell where they were made:
    they are foreign when a module of the core holds the same one. Of load modules each offers what it has.
    """
    kind = type(function)
    if kind is _FUNCTION or kind is _GENERATOR:
        return getattr(function, "__globals__", None) is module.__dict__
    if kind not in _UNSIGNED:
        return False
    for name, other in sys.modules.items():
        if name[:3] != PREFIX and function in getattr(other, "__dict__", {}).values():
            return False
    return True


def printed(value, is_help, as_json):
    """Text of a returned value: a dict as lines or JSON, help as lines or JSON, anything else as it prints."""
    if isinstance(value, dict):
        if as_json:
            return json.dumps(value)
        return "\n".join([" {}: {}".format(key, item) for key, item in value.items()])
    if is_help and isinstance(value, (tuple, list)):
        return json.dumps(value) if as_json else "\n".join(map(" {},".format, value))
    return str(value)


@once
def modules():
    """The node's one Modules."""
    return Modules()


_UNSIGNED = (type(modules), type([].append))       # a closure, a method: what does not tell its module
