"""What Home Assistant is told of a node: the entities that usage lines and readings of its load modules stand for.

Source: home-assistant.io/integrations/mqtt, "Device discovery payload" and "Supported abbreviations", and the pages
{sensor,binary_sensor,light,switch,number,button,update}.mqtt beside it.
"""
from .things import ASKED, name_of

# of a usage line that is no button: it tells, loads, lets go
_QUIET = ("help", "pinmap", "lmdep", "load", "load_n_init", "deinit", "logger", "distance_cm", "intensity",
          "get_samples", "read_state", "raw_measure_mq135", "measure_mq135", "measure_w_co2", "subscribe_presence",
          "hall", "battery", "genio_pins", "scan", "frames", "energy", "objects", "close", "show", "random") + ASKED
_CLASSES = (                   # unit as modules write it, as Home Assistant does, device class, and a word of the key
    ("ºC", "°C", "temperature", ""),
    ("°C", "°C", "temperature", ""),
    ("%", "%", "humidity", "hum"),
    ("%", "%", "battery", "bat"),
    ("%", "%", None, ""),
    ("hPa", "hPa", "atmospheric_pressure", ""),
    ("ppm", "ppm", "carbon_dioxide", "co2"),
    ("ppm", "ppm", None, ""),
    ("lux", "lx", "illuminance", ""),
    ("lx", "lx", "illuminance", ""),
    ("mm", "mm", "distance", ""),
    ("cm", "cm", "distance", ""),
    ("V", "V", "voltage", ""),
    ("A", "A", "current", ""),
    ("W", "W", "power", ""),
    ("kWh", "kWh", "energy", ""),
    ("Hz", "Hz", "frequency", ""),
    ("dBm", "dBm", "signal_strength", ""),
)


def envelope(uid, name, version, board, base):
    """What stands around the entities."""
    return {"dev": {"ids": uid, "name": name, "mf": "micrOS", "mdl": board, "sw": version, "sn": uid},
            "o": {"name": "micrOS", "sw": version}, "avty_t": base + "/status", "qos": 1}


def update(uid, base):
    """(id, entity) of the node's firmware."""
    return "update", {"p": "update", "uniq_id": uid + "_update", "name": "Firmware", "dev_cla": "firmware",
                      "ent_cat": "config", "stat_t": base + "/update", "json_attr_t": base + "/update/state",
                      "cmd_t": base + "/update/install", "pl_inst": "install"}


def entities(uid, base, module, rows, reading):
    """Generator of (id, entity) of a load module.

    base: the topic above `<module>/state` and `<module>/<function>/set`; rows: its usage lines; reading: dict, or None
    """
    usages = [usage(row) for row in rows]
    scene = Scene(uid, base, module, dict(reading or {}))
    for rule in (_light, _switches, _numbers, _buttons, _sensors):
        for function, kind, options in rule(scene, usages):
            yield scene.entity(function, kind, options)


class Scene:
    """left: {key: value} of the reading that no entity shows yet"""

    def __init__(self, uid, base, module, reading):
        self.uid, self.module, self.left = uid, module, reading
        self.state = "{}/{}/state".format(base, module)
        self._set = base + "/" + module + "/{}/set"

    def command(self, function):
        return self._set.format(function)

    def entity(self, name, kind, options):
        ident = "{}_{}".format(self.module, name)
        made = {"p": kind, "uniq_id": "{}_{}".format(self.uid, ident), "name": "{} {}".format(self.module, name)}
        made.update(options)
        return ident, made


def usage(row):
    """(function, [(name, what stands behind =, or None)]) of a usage line; `r=<0-255> g b`: g and b are as r."""
    words = row.split(" ")
    params, last = [], None
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            last = value
        params.append((name, last if equals or _range(last) else None))
    return words[0], params


def _range(text):
    """(least, most) of `<0-1000>`, else None."""
    if not text or text[:1] != "<" or text[-1:] != ">":
        return None
    least, _, most = text[1:-1].partition("-")
    try:
        return (int(least), int(most)) if "." not in text else (float(least), float(most))
    except ValueError:
        return None


def _is_truth(text):
    return text in ("<0,1>", "<1,0>", "<True,False>", "<False,True>")


def _value(key):
    return "value_json['{}']".format(key)


def _template(key):
    return "{{ " + _value(key) + " }}"


def _light(scene, usages):
    """A lamp has a function `toggle state` and tells "S", lit or not, beside its channels."""
    if "S" not in scene.left or ("toggle", "state") not in [(f, p[0][0]) for f, p in usages if p]:
        return
    scene.left.pop("S")
    channels = sorted([key for key, value in scene.left.items() if isinstance(value, int)])
    options = {"cmd_t": scene.command("toggle"), "pl_on": "state=1", "pl_off": "state=0", "stat_t": scene.state,
               "stat_val_tpl": "state={{ 1 if value_json.S else 0 }}"}
    options.update(_color(scene, usages, channels) or _brightness(scene, usages, channels))
    for key in channels:
        scene.left.pop(key)
    yield "light", "light", options


def _color(scene, usages, channels):
    if channels != ["B", "G", "R"]:
        return None
    for function, params in usages:
        if [name for name, _ in params[:3]] == ["r", "g", "b"] and _range(params[0][1]):
            most = _range(params[0][1])[1]
            to, back = ("", "") if most == 255 else (" * {} / 255) | round | int".format(most),
                                                     " * 255 / {}) | round | int".format(most))
            opening = "(" if to else ""
            return {"rgb_cmd_t": scene.command(function), "rgb_stat_t": scene.state,
                    "rgb_cmd_tpl": " ".join(["%s={{ %s%s%s }}" % (name[0], opening, name, to)
                                             for name in ("red", "green", "blue")]),
                    "rgb_val_tpl": ",".join(["{{ %s%s%s }}" % (opening, _value(key), back) for key in "RGB"])}
    return None


def _brightness(scene, usages, channels):
    """Of one channel by its own function, of several by `brightness percent`."""
    for function, params in usages:
        bounds = _range(params[0][1]) if params else None
        if len(channels) == 1 and bounds and params[0][0] == "value":
            most, told = bounds[1], _template(channels[0])
        elif function == "brightness" and params and params[0] == ("percent", "<0-100>"):
            bounds = [_range(p[0][1]) for f, p in usages if p and p[0][0] == channels[0].lower()]
            most, full = 100, bounds[0][1] if bounds and bounds[0] else 1000
            told = "{{ ([%s] | max * 100 / %d) | round | int }}" % (", ".join([_value(key) for key in channels]), full)
        else:
            continue
        return {"bri_cmd_t": scene.command(function), "bri_cmd_tpl": params[0][0] + "={{ value }}", "bri_scl": most,
                "bri_stat_t": scene.state, "bri_val_tpl": told}
    return {}


def _paired(usages, scene, keys):
    """Usages beside the keys of the reading that tell of them, in order, None where the numbers differ."""
    keys = sorted(keys)
    if len(keys) != len(usages):
        return [(function, params, None) for function, params in usages]
    for key in keys:
        scene.left.pop(key)
    return [(function, params, key) for (function, params), key in zip(usages, keys)]


def _switches(scene, usages):
    """Functions of one argument that is on or off."""
    found = [(f, p) for f, p in usages if len(p) == 1 and _is_truth(p[0][1])]
    truths = [key for key, value in scene.left.items() if value in (0, 1)]
    for function, params, key in _paired(found, scene, truths if found else ()):
        name = params[0][0]
        options = {"cmd_t": scene.command(function), "pl_on": name + "=1", "pl_off": name + "=0"}
        if key:
            options.update({"stat_t": scene.state, "val_tpl": "%s={{ 1 if %s else 0 }}" % (name, _value(key))})
        yield function, "switch", options


def _numbers(scene, usages):
    """Functions of one argument that has bounds; a value that they set has no unit, and keeps to the bounds."""
    found = [(f, p) for f, p in usages if len(p) == 1 and _range(p[0][1])]
    keys = [key for key, value in scene.left.items()
            if "[" not in key and (value is None or _keeps_to(value, [_range(p[0][1]) for _, p in found]))]
    for function, params, key in _paired(found, scene, keys if found else ()):
        least, most = _range(params[0][1])
        options = {"cmd_t": scene.command(function), "cmd_tpl": params[0][0] + "={{ value }}", "min": least,
                   "max": most, "step": 1 if isinstance(most, int) else 0.01}
        if key:
            options.update({"stat_t": scene.state, "val_tpl": _template(key)})
        yield function, "number", options


def _keeps_to(value, bounds):
    return type(value) in (int, float) and all(least <= value <= most for least, most in bounds)


def _buttons(scene, usages):
    """Functions without arguments that do something."""
    for function, params in usages:
        if not params and function not in _QUIET and not function.startswith("toggle"):
            yield function, "button", {"cmd_t": scene.command(function), "pl_prs": ""}


def _sensors(scene, usages):
    """What is left of the reading."""
    for key in sorted(scene.left):
        value = scene.left[key]
        if isinstance(value, bool):
            yield name_of(key), "binary_sensor", {
                "stat_t": scene.state, "val_tpl": "{{ 'ON' if " + _value(key) + " else 'OFF' }}"}
        elif value is None or isinstance(value, (int, float)) or isinstance(value, str) and _is_number(value):
            options = {"stat_t": scene.state, "val_tpl": _template(key)}
            options.update(_unit(key))
            options["stat_cla"] = "total_increasing" if options.get("dev_cla") == "energy" else "measurement"
            yield name_of(key), "sensor", options


def _is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def _unit(key):
    """Unit and device class of a key as `temp [ºC]`, `distance_mm`."""
    before, bracket, unit = key.partition("[")
    unit = unit.rstrip("] ") if bracket else key.rpartition("_")[2] if "_" in key else ""
    for own, theirs, device_class, word in _CLASSES:
        if unit == own and word in before.lower():
            found = {"unit_of_meas": theirs}
            if device_class:
                found["dev_cla"] = device_class
            return found
    return {"unit_of_meas": unit} if bracket and unit else {}
