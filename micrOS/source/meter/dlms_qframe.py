"""A DLMS meter for QFrame programs: `app.dlms.read("1.0.1.8.0")`. Configuration DLMS: the settings of dlms_setup.

    DLMS: {"host": "192.168.1.9", "line": "wrapper", "auth": "lls"}
    DLMS: {"inside": True}       in the 0x2100 frames of the extension `uart` of usr.business: while a value is read
                                 they are for us, else for the TCP server, as ever
"""
import asyncio

import blocking
from meter.dlms import Dlms

_TIMEOUT_S = 30


class DlmsExtension:
    """app: has config and append_extension()"""

    def __init__(self, app=None, name="dlms"):
        self.name = name
        self._meter = Dlms(dict, self._frames)
        self._heard = None               # function(data): the conversation inside frames
        if app:
            self.init_app(app)

    def init_app(self, app):
        """Raises ValueError for settings that cannot be, and for `inside` when 0x2100 has a handler of the user."""
        from meter.dlms_setup import setup
        how = dict(app.config["DLMS"])
        setup(how)
        if how.get("inside"):
            from usr.business import rfc1662resolver
            rfc1662resolver.register(0x2100)(self._framed)
        app.append_extension(self)
        self._app = app

    def load(self):
        """Nothing is open between two questions."""

    def read(self, obis, timeout_s=_TIMEOUT_S):
        """`1234.5 Wh`. Waits, so it is for a program's own threads; elsewhere: WouldBlockError.

        Raises DlmsError (an OSError) when there is no answer, AccessError (a ValueError) when the meter refuses.
        """
        told = []
        task = asyncio.create_task(self._tell(told, obis))
        try:
            if not blocking.until(lambda: told, int(1000 * timeout_s), "reading a meter"):
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
        except Exception as error:       # outer wall: it is raised in the thread that waits
            told.append(error)

    def _frames(self, heard):
        """See dlms_inside.Inside."""
        self._heard = heard
        return self._pass_on

    async def _pass_on(self, data):
        from usr.protocol import RFC1662Protocol
        frame = RFC1662Protocol.build_rfc_0x2100(data)
        return self._app.uart.write(frame) == len(frame)

    def _framed(self, msg):
        from usr.business import handle2100
        if self._heard:
            self._heard(msg.info().request_data())
        elif hasattr(self._app, "client"):
            handle2100(msg)
