"""A DLMS meter for QFrame programs: `app.dlms.read("1.0.1.8.0")`. Configuration DLMS: the settings of dlms_setup.

    DLMS: {"host": "192.168.1.9", "line": "wrapper", "auth": "lls"}
"""
import asyncio

import blocking
from meter.dlms import Dlms

_TIMEOUT_S = 30


class DlmsExtension:
    """app: has config and append_extension(); frames: as meter.dlms.Dlms takes it, for a meter inside frames"""

    def __init__(self, app=None, name="dlms", frames=None):
        self.name = name
        self._meter = Dlms(dict, frames)
        if app:
            self.init_app(app)

    def init_app(self, app):
        from meter.dlms_setup import setup
        setup(dict(app.config["DLMS"]))
        app.append_extension(self)

    def load(self):
        """Nothing is open between two questions."""

    def read(self, obis, timeout_s=_TIMEOUT_S):
        """`1234.5 Wh`. Waits; a program without a thread of its own may wait for 2 s only (WouldBlockError).

        Raises DlmsError (an OSError) when there is no answer, AccessError (a ValueError) when the meter refuses.
        """
        told = []
        task = asyncio.create_task(self._tell(told, obis))
        try:
            if not blocking.until(lambda: told, timeout_s * 1000, "reading a meter"):
                raise OSError("the meter gave no answer in {} s".format(timeout_s))
        finally:
            if not told:
                task.cancel()
        if isinstance(told[0], Exception):
            raise told[0]
        return told[0]

    async def _tell(self, told, obis):
        try:
            told.append(await self._meter.run("dlms_read", "read", obis, 2))
        except (OSError, ValueError) as error:
            told.append(error)
