"""Things that are made on first use, and modules that leave memory after it."""
import gc
import sys

tell = None                    # function(topic, message) of the bus, once somebody has loaded it


def publish(name, value):
    """A word of the kernel's, topic and message, for who listens. Allocates nothing: an interrupt may call it."""
    if tell:
        tell(name, value)


def once(make):
    """Decorator: make the thing on the first call, return the same one ever after."""
    made = [make]                # then the thing, too: one variable, for each more a closure takes 64 bytes

    def get():
        if len(made) == 1:
            made.append(made[0]())
        return made[1]
    return get


def unload(*names):
    """Forget modules that were imported for one job.

    Collects, so that the next job begins where the heap is free first: names that stay lie close together then.
    """
    for name in names:
        sys.modules.pop(name, None)
        package, _, leaf = name.rpartition(".")
        if package in sys.modules and hasattr(sys.modules[package], leaf):
            delattr(sys.modules[package], leaf)
    gc.collect()


def door(*asked):
    """`__getattr__` of a module or an object: its names of micrOS 1.20 are in Compat.py, loaded when one is wanted.

    asked: (name,) or (object, name). Raises AttributeError.
    """
    return __import__("Compat").door(*asked)
