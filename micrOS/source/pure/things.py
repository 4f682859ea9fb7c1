"""What a load module tells of itself, and what clouds call it: a property.

A property `<module>__<key>` is a value that the module tells; set, `<module>__<function>` calls the function. Letters,
digits and underscores are all that these clouds take. Names of the user's own stand in a table:
    {"Light": {"tells": "dimmer.S", "sets": "dimmer toggle"}}
"""
import json

MOST_CHARS = 32                # of a name, so that every cloud takes it
ASKED = ("status", "measure", "state", "getstate", "get_state", "distance_mm", "illuminance", "temp")


def asked(rows):
    """The function of a module that tells its reading, None when it has none. rows: its usage lines"""
    functions = [row.split(" ")[0] for row in rows]
    for name in ASKED:
        if name in functions:
            return name
    return None


def name_of(key):
    """`temp [ºC]` -> `temp`: the part before the unit, of letters, digits and underscores."""
    name = "".join([c if "a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" else "_"
                    for c in key.partition("[")[0].strip()])
    return name.strip("_") or "value"


def told(table, module, reading):
    """{property: value} of what a module tells; values that are no number, truth or text are left out."""
    own = {row["tells"]: name for name, row in table.items() if row.get("tells")}
    found = {}
    for key, value in reading.items():
        if isinstance(value, (bool, int, float, str)):
            plain = "{}__{}".format(module, name_of(key))[:MOST_CHARS]
            found[own.get("{}.{}".format(module, key), plain)] = value
    return found


def words(table, name, value):
    """Words of the call that sets a property, None when there is none."""
    row = table.get(name)
    if row:
        call = (row.get("sets") or "").split()
    else:
        module, _, function = name.partition("__")
        call = [module, function] if module and function else []
    return call + written(value) if len(call) > 1 else None


def calls(table, values):
    """One list of words for each property that is to be set; its name alone where it is nothing of ours."""
    return [words(table, name, values[name]) or [name] for name in values]


def written(value):
    """Words of the shell that mean these arguments: a dict by name, a list in order, anything else as the only one."""
    if isinstance(value, dict):
        return ["{}={}".format(key, _word(value[key])) for key in value]
    if isinstance(value, (list, tuple)):
        return [_word(one) for one in value]
    return [] if value is None else [_word(value)]


def _word(value):
    """As the shell writes it; it knows True, not JSON's true."""
    return str(value) if value is None or isinstance(value, bool) else json.dumps(value)
