"""A DLMS/COSEM meter: one conversation at a time, each loaded, held and forgotten; only keys and counters stay.

dlms_read, dlms_profile and dlms_act have the conversations, dlms_session what they share, dlms_keys the secrets.
"""
import asyncio
import gc
import sys

from micropython import const

from meter.dlms_line import DlmsError
from pure.lazy import unload

_WHILE_LOADING = const(8192)     # bytes between two collections: what is loaded shall lie close together
_USED = (
    "pure.axdr", "pure.cosem", "pure.cosem_client", "pure.cosem_open", "pure.acse", "pure.cosem_write",
    "pure.axdr_write", "pure.axdr_rows", "pure.axdr_compact", "pure.cosem_text", "pure.cosem_time", "pure.civil",
    "pure.crc", "pure.hdlc", "pure.hdlc_setup", "pure.hdlc_link", "pure.wrapper", "pure.ciphering",
    "pure.ciphering_errors", "pure.gcm", "pure.secret", "meter.dlms_session", "meter.dlms_open", "meter.dlms_read",
    "meter.dlms_profile", "meter.dlms_act", "meter.dlms_opening", "meter.dlms_hdlc", "meter.dlms_wrapper",
    "meter.dlms_inside", "meter.dlms_setup")


class Dlms:
    """pins, frames: as dlms_open.line() takes them"""

    def __init__(self, pins, frames):
        self._pins = pins
        self._frames = frames
        self._keys = None
        self._turn = asyncio.Lock()

    def keys(self):
        if not self._keys:
            from meter.dlms_keys import Keys
            self._keys = Keys()
        return self._keys

    async def run(self, module, talk, *words):
        """What the conversation gives: talk(session, *words) of meter.<module>. Raises DlmsError.

        AccessError instead when the meter refuses just this: it has a `code`.
        """
        async with self._turn:
            try:
                return await self._held(module, talk, words)
            except (OSError, ValueError) as error:
                if hasattr(error, "code"):
                    raise
                raise DlmsError(str(error))
            finally:
                gc.threshold(-1)
                unload(*_USED)
                if "meter.driver" not in sys.modules:
                    unload("meter.link")

    async def _held(self, module, talk, words):
        gc.collect()
        gc.threshold(_WHILE_LOADING)
        from meter import dlms_open
        from meter.dlms_session import Session, closed
        from meter.dlms_setup import settings
        how, session = settings(), None
        ciphering = dlms_open.ciphering(how, self.keys)
        line = dlms_open.line(how, self._pins, self._frames)
        try:
            takes = await dlms_open.opened(how, self.keys, ciphering, line)
            dlms_open = None
            unload("meter.dlms_open", "meter.dlms_setup", "pure.cosem_open", "pure.acse", "pure.hdlc_setup")
            if module == "dlms_act":
                from pure.cosem_write import Writer as Client
            else:
                from pure.cosem_client import Client
            session = Session(line, Client(ciphering if how["cipher"] else None, takes, number=1))
            talking = getattr(__import__("meter." + module, None, None, (talk,)), talk)
            gc.threshold(-1)
            return await talking(session, *words)
        finally:
            await closed(line, session)
            if ciphering:
                self._keys.note(ciphering.heard)


async def readings(meter, codes, seconds, publish):
    """publish("meter.reading", (code, text)) again and again; a failure is `meter.link` once, until it is over."""
    was_silent = False
    while True:
        try:
            for each in await meter.run("dlms_read", "several", codes):
                publish("meter.reading", each)
            was_silent = False
        except (OSError, ValueError) as error:
            if not was_silent:
                publish("meter.link", str(error))
            was_silent = True
        await asyncio.sleep(seconds)
