"""Conversations with a DLMS meter: its values with their units."""
from collections import OrderedDict

from micropython import const

from pure.cosem import AccessError, obis, obis_text
from pure.cosem_text import scaled, show, unit

_CLASSES = const((3, 1, 4, 5, 8, 7, 70))     # tried when the code does not tell
_KNOWN = ((b"\0\0\x01\0\0", 8), (b"\0\0\x60\x03\x0a", 70), (b"\0\0\x28", 15))
_UNKNOWN = const((4, 9))                     # results: no such object, or of another class
_READINGS = (("import", "1.0.1.8.0"), ("export", "1.0.2.8.0"), ("power", "1.0.1.7.0"), ("voltage", "1.0.32.7.0"),
             ("current", "1.0.31.7.0"), ("frequency", "1.0.14.7.0"))


async def read(session, code, attribute):
    """`1234.5 Wh`; of another attribute than 2 the value as it is."""
    if attribute == 2:
        return await measured(session, obis(code))
    return show((await value(session, obis(code), attribute))[1])


async def energy(session):
    """What is usual, of that which the meter has: {name: text}."""
    found = OrderedDict()
    for name, code in _READINGS:
        try:
            found[name] = await measured(session, obis(code))
        except AccessError:
            pass
    return found


async def several(session, codes):
    """[(code, text)]; what the meter refuses is its text."""
    found = []
    for code in codes:
        octets = obis(code)
        try:
            found.append((obis_text(octets), await measured(session, octets)))
        except AccessError as error:
            found.append((obis_text(octets), str(error)))
    return found


async def clock(session):
    return show(await session.get(8, b"\0\0\x01\0\0\xff", 2))


async def measured(session, code):
    """Text of a value with its unit."""
    class_id, found = await value(session, code, 2)
    if class_id not in (3, 4) or not isinstance(found, (int, float)):
        return show(found)
    scaler, number = await session.get(class_id, code, 3)
    return "{} {}".format(scaled(found, scaler), unit(number)).rstrip()


async def value(session, code, number):
    """(class, value). The class is told by the code, else tried."""
    guesses = _guesses(code)
    while True:
        guess = guesses.pop(0)
        try:
            return guess, await session.get(guess, code, number)
        except AccessError as error:
            if error.code not in _UNKNOWN or not guesses:
                raise


def _guesses(code):
    """Classes that an object may have, the likeliest first. Source: IEC 62056-6-1, codes of abstract and electricity"""
    for begin, class_id in _KNOWN:
        if code.startswith(begin):
            return [class_id]
    if code[2] in (98, 99):                  # load profiles and lists
        return [7]
    return sorted(_CLASSES, key=lambda class_id: class_id != 1) if code[0] == 0 else list(_CLASSES)
