"""Clients that send no newlines, as those of micrOS 1.20. Stays once one has come."""
import asyncio

from micropython import const
from InterpreterShell import AT_ONCE, built_ins
from pure.unframed import flush, pending

_QUIET_MS = const(100)


async def feed(lines, reader, most_bytes):
    """The command that is pending: a known word at once, else what came before a silence."""
    while not _is_command(pending(lines)):
        try:
            data = await asyncio.wait_for_ms(reader.read(most_bytes), _QUIET_MS)
        except asyncio.TimeoutError:
            break
        commands = lines.feed(data)
        if lines.framed or not data:
            return commands
    line = flush(lines)
    return () if line is None else (line,)


def _is_command(text):
    """True for a whole command of one word: who has sent it need not wait."""
    return text in AT_ONCE or text in built_ins()
