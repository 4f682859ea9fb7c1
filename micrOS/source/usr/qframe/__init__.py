"""QFrame: applications of extensions, for programs that block. Its parts are in memory as soon as they are used."""
import guest_world

guest_world.enter()

_WHERE = {"Application": "core", "AppExtensionABC": "core", "CurrentApp": "globals", "G": "globals",
          "TcpClient": "builtins.clients", "Uart": "builtins.uart"}

__all__ = tuple(_WHERE)          # for `import *`, which must not ask __getattr__


def __getattr__(name):
    if name in _WHERE:
        return getattr(__import__("usr.qframe." + _WHERE[name], None, None, (name,)), name)
    try:
        return __import__("usr.qframe." + name, None, None, (name,))
    except ImportError:
        raise AttributeError(name)
