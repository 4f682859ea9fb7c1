"""VSOA on boards and hosts: the names of the public package, each loaded when it is first asked for.

On a board `import vsoa`; on a host `from micrOS.source import vsoa`. A method that waits is awaited inside of a running
loop; outside of one it blocks: on a host in any thread, on a board in that of a guest (Baton.py).
"""
import gc

METHOD_GET, METHOD_SET = 0, 1
CLIENT_DEF_TIMEOUT = 60.0                  # seconds that a request waits for its answer

_FILES = {
    "Server": "server", "Client": "client", "fetch": "once", "Position": "position", "lookup": "position",
    "pos": "position", "Timer": "timer", "EventEmitter": "events", "WorkQueue": "workqueue", "Payload": "records",
    "Header": "records", "Request": "records", "resource_recycle": "once",
}


def __getattr__(name):
    if name == "ground":                   # MicroPython asks here for a file of the package too
        return __import__(__name__ + ".ground", None, None, ("wire",))
    if name == "parser":
        return __import__(__name__ + ".parser", None, None, ("wire",))
    if name not in _FILES:
        raise AttributeError(name)
    gc.collect()                           # the file stays: it shall not lie between garbage
    found = getattr(__import__(__name__ + "." + _FILES[name], None, None, (name,)), name)
    globals()[name] = found                # so that nobody asks again
    return found
