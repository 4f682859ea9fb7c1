"""Conversations with a DLMS meter that change it: its clock, its switch, one value."""
from micropython import const

from pure.axdr_write import INT8, OCTET_STRING
from pure.cosem import target
from pure.cosem_text import show
from pure.cosem_time import moment_octets

_CLOCK = b"\0\0\x01\0\0\xff"
_SWITCH = b"\0\0\x60\x03\x0a\xff"
_STATES = const(("disconnected", "connected", "ready for reconnection"))     # class 70, control_state


async def clock(session, moment):
    """Set the clock to the moment, a text; what it shows then."""
    await session.ask(session.client.set(target(8, _CLOCK, 2), (OCTET_STRING, moment_octets(moment))))
    return show(await session.get(8, _CLOCK, 2))


async def switch(session, is_on):
    """Close or open the meter's switch: text of the state that it is in then."""
    await session.ask(session.client.action(target(70, _SWITCH, 2 if is_on else 1), (INT8, 0)))
    state = await session.get(70, _SWITCH, 3)
    return _STATES[state] if state in (0, 1, 2) else show(state)
