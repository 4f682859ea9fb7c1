"""Clients that send no newlines, as those of micrOS 1.20. Stays once one has come."""
import asyncio

from micropython import const
from InterpreterShell import is_command

_QUIET_MS = const(100)


async def feed(lines, reader, most_bytes):
    """The command that is pending: a known word at once, else what came before a silence."""
    while not is_command(lines.pending):
        try:
            data = await asyncio.wait_for_ms(reader.read(most_bytes), _QUIET_MS)
        except asyncio.TimeoutError:
            break
        commands = lines.feed(data)
        if lines.framed or not data:
            return commands
    line = lines.flush()
    return () if line is None else (line,)
