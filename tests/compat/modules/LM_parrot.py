"""Lines that stream to the client before the answer."""
from Common import socket_stream


@socket_stream
def repeat(word, times=2, msgobj=None):
    for _ in range(times):
        msgobj(word)
    return "done"


@socket_stream
async def slowly(word, msgobj=None):
    import uasyncio
    await uasyncio.sleep_ms(1)
    msgobj(word)
    return "done slowly"
