"""What Home Assistant is shown of a node, one message for all of it; in memory only to say so.

A message is  `{device, origin, "cmps": {` | `"id": {entity}`, each behind a comma but the first | `}}`.
"""
import gc
import json

from micropython import const

from Debug import errlog_add
from Files import read, write_whole
from pure.lazy import unload

_KNOWN = const("mqtt.pds")        # which entities it was shown: {id: platform}
_MOST_BYTES = const(12288)        # of them in one message
_CLEAN = const(8)                 # entities between two collections
_FULL = const("[ERR] mqtt: Home Assistant is shown {} entities, for {} there is no room, {} the first of them; "
              "name fewer `modules` in the configuration")


def messages(here, base, table):
    """Generator of (topic, payload, is_retained): the device as it is; before that, once, with those emptied that went.

    table: [(module, its usage lines, its last reading, {} when it tells nothing, None when none has come yet)]
    """
    topic = "{}/device/{}/config".format(here.config["discovery"], here.uid)
    known = _known()
    shown, left, size = _chosen(here, base, table, known)
    gone = [ident for ident in known if ident not in shown and not _is_awaited(ident, table)]
    if gone:
        emptied = b"".join([_part(ident, {"p": known[ident]}) for ident in gone])
        yield topic, _whole(here, base, table, shown, size, emptied), True
    yield topic, _whole(here, base, table, shown, size, b""), True
    if left:
        errlog_add(_FULL.format(len(shown), len(left), left[0]))
    for ident in known:
        if ident not in gone:
            shown.setdefault(ident, known[ident])
    if known != shown:
        write_whole(_KNOWN, (json.dumps(shown),))


def _known():
    try:
        return json.loads(read(_KNOWN) or "{}")
    except ValueError:
        return {}


def _is_awaited(ident, table):
    """True for an entity of a module that could not be read yet: it is not there, but not gone either."""
    return any(reading is None and ident.startswith(module + "_") for module, _, reading in table)


def _chosen(here, base, table, known):
    """({id: platform}, ids for which there is no room, bytes of the former); what is known goes before what is new."""
    from pure import home_assistant
    rows = [(ident not in known, ident, entity["p"], len(_part(ident, entity)))
            for ident, entity in _entities(home_assistant, here, base, table)]
    shown, left, size = {"update": "update"}, [], 0
    for _, ident, platform, length in sorted(rows):
        if size + length > _MOST_BYTES:
            left.append(ident)
        elif ident not in shown:
            shown[ident] = platform
            size += length
    return shown, left, size


def _whole(here, base, table, shown, size, emptied):
    """The message, written into one piece of memory: the board may not have two of that size."""
    from pure import home_assistant
    head = json.dumps(home_assistant.envelope(here.uid, here.name, here.version, here.board, base))[:-1] + ', "cmps": {'
    head = head.encode() + _part(*home_assistant.update(here.uid, base))[2:]
    gc.collect()
    whole = bytearray(len(head) + size + len(emptied) + 2)
    whole[:len(head)] = head
    at, written = len(head), {"update"}
    for ident, entity in _entities(home_assistant, here, base, table):
        if ident in shown and ident not in written:
            part = _part(ident, entity)
            whole[at:at + len(part)] = part
            at += len(part)
            written.add(ident)
    whole[at:] = emptied + b"}}"
    unload("pure.home_assistant")        # whoever sends it needs the room
    return whole


def _part(ident, entity):
    return ", {}: {}".format(json.dumps(ident), json.dumps(entity)).encode()


def _entities(home_assistant, here, base, table):
    """(id, entity) of all modules."""
    count = 0
    for module, usages, reading in table:
        for row in home_assistant.entities(here.uid, base, module, usages, reading):
            count += 1
            if count % _CLEAN == 0:      # else what stays lies strewn over all the garbage of making it
                gc.collect()
            yield row
