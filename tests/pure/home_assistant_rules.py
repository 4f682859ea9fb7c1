"""Home Assistant's own rules for what a device may announce by MQTT, for the entity types that micrOS uses.

Source: home-assistant.io/integrations/mqtt ("Device discovery payload", "Supported abbreviations in MQTT discovery
messages", "Discovery topic"), /integrations/{sensor,binary_sensor,light,switch,number,button,update}.mqtt
("Configuration variables") and /integrations/{sensor,update} ("Device class"), read in November 2026. State of an
update: /integrations/update.mqtt ("JSON can also be used as state_topic payload", progress as of 2024.11) and
github.com/home-assistant/core/pull/129468 (a message that does not keep to its schema is dropped whole).
"""

LONG = {                       # the documented abbreviations, those that are used
    "p": "platform", "uniq_id": "unique_id", "stat_t": "state_topic", "cmd_t": "command_topic", "cmps": "components",
    "cmd_tpl": "command_template", "val_tpl": "value_template", "stat_val_tpl": "state_value_template",
    "unit_of_meas": "unit_of_measurement", "dev_cla": "device_class", "stat_cla": "state_class", "dev": "device",
    "o": "origin", "avty_t": "availability_topic", "pl_on": "payload_on", "pl_off": "payload_off",
    "pl_prs": "payload_press", "pl_inst": "payload_install", "ent_cat": "entity_category",
    "json_attr_t": "json_attributes_topic",
    "bri_cmd_t": "brightness_command_topic", "bri_cmd_tpl": "brightness_command_template",
    "bri_scl": "brightness_scale", "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template", "rgb_cmd_t": "rgb_command_topic",
    "rgb_cmd_tpl": "rgb_command_template", "rgb_stat_t": "rgb_state_topic",
    "rgb_val_tpl": "rgb_value_template",
}
DEVICE = {"ids": "identifiers", "name": "name", "mf": "manufacturer", "mdl": "model", "sw": "sw_version",
          "sn": "serial_number", "hw": "hw_version", "cns": "connections"}
ORIGIN = {"name": "name", "sw": "sw_version", "url": "support_url"}
ANY = ("platform", "unique_id", "name", "device_class", "entity_category", "qos")
KINDS = {                      # platform: (required, allowed beside these and ANY)
    "sensor": (("state_topic",), ("value_template", "unit_of_measurement", "state_class")),
    "binary_sensor": (("state_topic",), ("value_template", "payload_on", "payload_off")),
    "light": (("command_topic",), (
        "state_topic", "state_value_template", "payload_on", "payload_off", "brightness_command_topic",
        "brightness_command_template", "brightness_scale", "brightness_state_topic", "brightness_value_template",
        "rgb_command_topic", "rgb_command_template", "rgb_state_topic", "rgb_value_template")),
    "switch": (("command_topic",), ("state_topic", "value_template", "payload_on", "payload_off")),
    "number": (("command_topic",), ("command_template", "state_topic", "value_template", "min", "max", "step",
                                    "unit_of_measurement")),
    "button": (("command_topic",), ("command_template", "payload_press")),
    "update": ((), ("state_topic", "value_template", "command_topic", "payload_install", "latest_version_topic",
                    "json_attributes_topic")),
}
UNITS = {                      # of a sensor's device class
    "temperature": ("°C", "°F", "K"), "humidity": ("%",), "battery": ("%",), "carbon_dioxide": ("ppm",),
    "atmospheric_pressure": ("cbar", "bar", "hPa", "mmHg", "inHg", "kPa", "mbar", "Pa", "psi"), "illuminance": ("lx",),
    "distance": ("km", "m", "cm", "mm", "mi", "nmi", "yd", "in"), "voltage": ("V", "mV", "µV", "kV", "MV"),
    "current": ("A", "mA"), "power": ("mW", "W", "kW", "MW", "GW", "TW"), "energy": ("Wh", "kWh", "MWh"),
    "frequency": ("Hz", "kHz", "MHz", "GHz"), "signal_strength": ("dB", "dBm"),
}
UPDATE_TEXTS = ("installed_version", "latest_version", "title", "release_summary", "release_url", "entity_picture")
STATE_CLASSES = ("measurement", "total", "total_increasing")


def faults(topic, payload):
    """What Home Assistant would refuse; payload: dict"""
    found = []
    parts = topic.split("/")
    if len(parts) != 4 or parts[1] != "device" or parts[3] != "config" or not _is_id(parts[2]):
        found.append("topic " + topic)
    root = {LONG.get(key, key): value for key, value in payload.items()}
    found += ["root has " + key for key in root
              if key not in ("device", "origin", "components", "availability_topic", "qos", "encoding")]
    device = {DEVICE.get(key, "?" + key): value for key, value in root["device"].items()}
    found += ["device has " + key for key in device if key[0] == "?"]
    if not (device.get("identifiers") or device.get("connections")) or "name" not in device:
        found.append("a device has identifiers or connections, and a name")
    if not root["origin"].get("name") or [key for key in root["origin"] if key not in ORIGIN]:
        found.append("origin")
    uniques = []
    for ident, entity in root["components"].items():
        found += [f"{ident}: {fault}" for fault in entity_faults(entity, uniques)]
    return found


def _is_id(text):
    return text and not [c for c in text if not (c.isalpha() or c.isdigit() or c in "_-")]


def entity_faults(entity, uniques):
    full = {LONG.get(key, key): value for key, value in entity.items()}
    kind = full.get("platform")
    if kind not in KINDS:
        return [f"platform {kind}"]
    if len(full) == 1:                   # the platform alone: it shall be removed
        return []
    needed, allowed = KINDS[kind]
    found = ["no " + key for key in needed + ("unique_id",) if key not in full]
    found += ["strange " + key for key in full if key not in needed + allowed + ANY]
    if full.get("unique_id") in uniques:
        found.append("unique_id is not")
    uniques.append(full.get("unique_id"))
    for key, value in full.items():
        if key.endswith("_topic") and (not value or "+" in value or "#" in value or value[0] == "/"):
            found.append(f"{key} {value}")
        if key.endswith("_template") and (value.count("{{") != value.count("}}") or "{{" not in value):
            found.append(f"{key} {value}")
    return found + _KIND_FAULTS.get(kind, lambda full: [])(full)


def _sensor(full):
    found = []
    device_class, unit = full.get("device_class"), full.get("unit_of_measurement")
    if device_class and unit not in UNITS.get(device_class, ()):
        found.append(f"{device_class} in {unit}")
    if full.get("state_class") not in STATE_CLASSES + (None,):
        found.append("state_class")
    if device_class == "energy" and full.get("state_class") == "measurement":
        found.append("energy is no measurement")
    return found


def _number(full):
    return [] if full.get("min", 1) < full.get("max", 100) and full.get("step", 1) >= 0.001 else ["min, max, step"]


def _light(full):
    found = []
    for what in ("brightness", "rgb"):
        if what + "_state_topic" in full and what + "_command_topic" not in full:
            found.append(what)
    if full.get("brightness_scale", 255) < 1:
        found.append("brightness_scale")
    return found


def _update(full):
    return [] if full.get("device_class") in (None, "firmware") else ["device_class"]


_KIND_FAULTS = {"sensor": _sensor, "number": _number, "light": _light, "update": _update}


def update_state_faults(state):
    """What Home Assistant would drop the state of an update for; state: dict, the JSON payload"""
    found = ["strange " + key for key in state if key not in UPDATE_TEXTS + ("in_progress", "update_percentage")]
    found += ["no text: " + key for key in UPDATE_TEXTS if not isinstance(state.get(key, ""), str)]
    if not isinstance(state.get("in_progress", False), bool):
        found.append("in_progress is true or false")
    percent = state.get("update_percentage")
    if percent is not None and (isinstance(percent, bool) or not 0 <= percent <= 100):
        found.append("update_percentage is 0-100 or null")
    return found
