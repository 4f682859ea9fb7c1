"""The cloud side of a gateway: what its parts share."""
from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from toolkit.gateway.cloud.bell import Bell
from toolkit.gateway.cloud.door import Door
from toolkit.gateway.cloud.files import Files
from toolkit.gateway.cloud.mailbox import Action, Mailbox
from toolkit.gateway.cloud.relay import Relays
from toolkit.gateway.cloud.samples import Item, Samples
from toolkit.gateway.cloud.session import Session
from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.gateway.cloud.things import Thing, Things
from toolkit.gateway.cloud.vault import FileVault, chosen
from toolkit.gateway.engine import Engine
from toolkit.gateway.errors import UnavailableError

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway

NOWHERE = CloudSettings(mqtt=None, mqtts=None, https=None)

log = logging.getLogger(__name__)


class Cloud:
    """things samples mailbox files relays: see there; door: who is connected. Events cloud.up|down|action|<kind>"""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        settings = getattr(gateway.settings, "cloud", None)
        self.settings: CloudSettings = settings or NOWHERE
        self.vault = chosen(gateway.engine, gateway.settings.folder)
        self.bell = Bell(self.vault if isinstance(self.vault, Engine) else None)
        self.things = Things(self.vault)
        self.samples = Samples(self.vault)
        self.mailbox = Mailbox(self.vault, self.bell)
        self.files = Files(self.vault, self.settings)
        self.relays = Relays(self.settings.relay_s)
        self.door = Door(self)
        self.https = ""                # "name:port" by which things reach our HTTPS, "" without
        self._chores: set[asyncio.Task[None]] = set()
        self.mailbox.on_mail, self.mailbox.on_end, self.mailbox.on_change = self._mail, self._ended, self._ended
        self.bell.on("here", self._elsewhere)
        self.bell.on("kick", lambda told: self.door.kick(str(told.get("thing"))))

    async def start(self) -> None:
        if isinstance(self.vault, FileVault):
            await self.vault.start()
        for part in (self.bell, self.mailbox, self.files, self.door):
            await part.start()

    async def stop(self) -> None:
        self.relays.stop()
        for part in (self.door, self.files, self.mailbox, self.bell):
            await part.stop()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        if isinstance(self.vault, FileVault):
            await self.vault.stop()

    def upstream(self) -> str:
        """"host:port" of the MQTT server for clients that are no things, "" for none."""
        return self.settings.upstream or str(getattr(self.gateway.settings, "mqtt", "") or "")

    def is_other(self, username: str) -> bool:
        """True for a name that may be known to the MQTT server behind us."""
        return bool(self.settings.upstream) or username in (getattr(self.gateway.settings, "mqtt_users", None) or {})

    def described(self, thing: Thing) -> dict[str, Any]:
        """For operators, and for the thing itself."""
        session = self.door.sessions.get(thing.key)
        return {"key": thing.key, "role": thing.role, "connected": session is not None, "blocked": thing.is_blocked,
                "made_at": thing.made_at, "seen_at": thing.seen_at, "address": session.link.peer if session else None,
                "requests": session.requests if session else 0, "strange": session.strange if session else 0,
                **{name: thing.details.get(name, "") for name in ("name", "desc")},
                "details": {name: text for name, text in thing.details.items() if name not in ("name", "desc")}}

    async def revoke(self, ident: str) -> bool:
        """A token counts no more, and whoever came with it is let go."""
        found = await self.things.revoke(ident)
        for thing in await self.things.all() if found else ():
            if thing.token == ident:
                self.bell.ring("kick", thing=thing.key)
        return found

    async def forget(self, key: str) -> None:
        """All of a thing. Raises UnknownThingError."""
        await self.things.get(key)
        self.bell.ring("kick", thing=key)
        await self.files.forget(key)
        await asyncio.gather(self.samples.forget(key), self.mailbox.forget(key))
        await self.things.forget(key)

    # -- what happens
    def came(self, session: Session) -> None:
        self.gateway.events.publish("cloud.up", {"thing": session.thing.key, "address": session.link.peer})

    def left(self, session: Session) -> None:
        self.samples.end(session.thing.key)
        self.mailbox.end(session.thing.key)
        self.gateway.events.publish("cloud.down", {"thing": session.thing.key})

    def told(self, thing: str, kind: str | None, items: list[Item]) -> None:
        if items and self.gateway.events.listeners:
            self.gateway.events.publish(f"cloud.{kind}", {"thing": thing, "items": items[-100:]})

    def _ended(self, action: Action) -> None:
        self.gateway.events.publish("cloud.action", {
            "thing": action.thing, "ident": action.ident, "method": action.method, "state": action.state,
            "code": action.code, "message": action.message, "by": action.by})

    def _mail(self, thing: str) -> None:
        session = self.door.sessions.get(thing)
        if session:
            chore = asyncio.create_task(self._notify(session))
            self._chores.add(chore)
            chore.add_done_callback(self._chores.discard)

    async def _notify(self, session: Session) -> None:
        try:
            await self.mailbox.refreshed(session.thing.key)
            await session.notify()
        except (UnavailableError, OSError, TimeoutError) as error:
            log.debug("%s was not told of its mail: %s", session.thing.key, error)
            session.close()
        except Exception:                # outer wall: the thing is told again when it comes back
            log.exception("%s was not told of its mail", session.thing.key)
            session.close()

    def _elsewhere(self, told: dict[str, Any]) -> None:
        """A thing has come to another gateway: its connection here is of no use any more."""
        if told.get("is_far"):
            self.door.kick(str(told.get("thing")))
