"""What other modules offer: some take more from a module than its commands."""


def has(module, *names):
    """Names that it lacks."""
    found = __import__("LM_" + module)
    return [name for name in names if not hasattr(found, name)]


def in_memory(name):
    import sys
    return name in sys.modules
