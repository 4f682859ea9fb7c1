"""The configuration of a connector, `<name>-connect.cfg`: its keys, its rules; in memory only to read it."""
import json

from Files import exists, read

SUFFIX = "-connect.cfg"
SETTINGS = (                      # of each connector: key, default (... has to be given), meaning
    ("connector", None, "file cloud/to_<connector>.py; None: as the configuration is called"),
    ("every", 5, "s between two looks at the modules, 0.2-3600"),
    ("modules", None, "load modules to show, loaded at once; None: all that are loaded"),
    ("calls", True, "load modules that may be called; True: all, False: none"),
    ("updates", True, "an update that is offered may be installed"),
    ("bus", ["*"], "topics of the bus that are passed on"),
    ("clean", False, "forget what comes while there is no link"),
    ("tls", False, "encrypt"),
    ("ca", None, "file of the authority, DER, that vouches for the other side"),
    ("insecure", False, "believe whoever answers"),
    ("psk_identity", None, "encrypt by a key that both know: its name"),
    ("psk", None, "and the key, in hex digits"),
)


def connector(name):
    """The module. Raises ValueError for a name that is none."""
    try:
        return __import__("cloud.to_" + name, None, None, ("up",))
    except ImportError:
        raise ValueError("no connector {}: there is no cloud/to_{}.py".format(name, name))


def configured(name):
    """(connector, config) of `<name>-connect.cfg`. Raises ValueError that tells no value."""
    path = name + SUFFIX
    if not exists(path):
        raise ValueError("no {}; `mqtt settings {}` tells what goes into it".format(path, name))
    try:
        told = json.loads(read(path))
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ValueError("{} is to be a JSON object".format(path))
    told["connector"] = told.get("connector") or name
    made = connector(told["connector"])
    config = {}
    for key, default, _ in SETTINGS + made.settings():
        value = told.get(key, default)
        if value is ...:
            raise ValueError("{} is missing in {}".format(key, path))
        if default not in (None, ...) and type(value) is not type(default) and not _fits(value, default):
            raise ValueError("{} of {} is to be like {}".format(key, path, json.dumps(default)))
        config[key] = value
    strange = [key for key in told if key not in config]
    if strange:
        raise ValueError("{} has no {}; `mqtt settings {}` lists all".format(path, strange[0], name))
    if not 0.2 <= config["every"] <= 3600:
        raise ValueError("every of {} is 0.2-3600 s".format(path))
    if config["tls"] and not config["ca"] and not config["insecure"]:
        raise ValueError("tls of {} needs ca, a file in DER, or insecure".format(path))
    return made, config


def _fits(value, default):
    """A whole number stands for any; a truth may be a list of names."""
    return type(default) in (int, float) and type(value) in (int, float) or default is True and type(value) is list
