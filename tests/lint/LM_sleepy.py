"""An async function that holds up everybody."""
import time

_PAUSE_S = 2


async def blink():
    time.sleep(_PAUSE_S)    # <- blocking
    return "done"


def help():
    return ("blink",)
