"""Installs an update that the other side of a connector offers: fetched, checked, put in place as one over the air is.

A package is a set as board_update.py has it.
"""
import hashlib
import os
from binascii import hexlify

from micropython import const

from Files import remove
from Http import WebError, save
from Staging import ACTIVATE, STAGED, answer, discard, restart
from TaskManager import manager

from . import ground
from .board_update import unpack

_PACKAGE = const("/.package")
_SPARE_BYTES = const(32768)       # of the flash, that a package leaves free


class Install:
    """offer: {"url", "version", "size", "md5", "sha256"}; told: coroutine function(state, percent, why);

    leave: coroutine function that says goodbye
    """

    def __init__(self, offer, told, leave):
        self._offer, self._told, self._leave = offer, told, leave

    async def run(self):
        """Restarts when it is done."""
        try:
            await self._told("downloading", 0)
            await self._fetched()
            await self._told("installing", 50)
            discard(STAGED)
            await unpack(_PACKAGE)
            await answer(ACTIVATE)
        except (OSError, ValueError) as error:
            discard(STAGED)
            ground.blame("update", error)
            await self._told("failed", 0, str(error) or type(error).__name__)
            return
        finally:
            remove(_PACKAGE)
        await self._told("done", 100)
        manager().start("mqtt.restart", self._restart())      # a task of its own: who leaves ends the one we are in

    async def _restart(self):
        await self._leave()
        await restart()

    async def _fetched(self):
        block, _, _, free = os.statvfs("/")[:4]
        status = await save(self._offer["url"], _PACKAGE, (block * free - _SPARE_BYTES) // 2)
        if status != 200:
            raise WebError("the server of the package says {}".format(status))
        for kind in ("sha256", "md5"):
            wanted = self._offer.get(kind)
            if wanted and _hash(kind) != wanted.lower():
                raise ValueError("the package is not the one that was offered: its {} is another".format(kind))


def _hash(kind):
    made = getattr(hashlib, kind)()
    with open(_PACKAGE, "rb") as file:
        while True:
            piece = file.read(ground.CHUNK_BYTES)
            if not piece:
                return str(hexlify(made.digest()), "ascii")
            made.update(piece)
