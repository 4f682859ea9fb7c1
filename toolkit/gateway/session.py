"""One open session with a node's shell, under asyncio. What the wire looks like: toolkit/link/shell.py."""
from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from collections.abc import Callable
from typing import Self, cast

from toolkit.errors import LinkError
from toolkit.fileport import OURS, numbers
from toolkit.gateway.errors import (
    NodeBusyError,
    NodeLockedError,
    NodeOfflineError,
    NodeSilentError,
    StrangeAnswerError,
)
from toolkit.inventory import Device
from toolkit.link.shell import (
    FAREWELL,
    GREETING,
    LATE_LINE,
    MAX_ANSWER_BYTES,
    MAX_GREETING_BYTES,
    SETTLE_S,
    TAIL_BYTES,
    has_own_line,
    is_plain,
    last_prompt,
    prompts_of,
    without_strays,
)

MOST_UNSENT_BYTES = 1 << 18

Reply = asyncio.Future[bytes]
Raw = Callable[[bytes], None]


class Session(asyncio.Protocol):
    """A connection that has been greeted, knows who is there, and is logged in.

    uid, name, version   as the node has just told them; version "" where it does not
    is_locked            it waits for a password that nobody gave
    pipelines            it takes several lines at a time and answers in order
    in_configure         its prompt says so
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.uid = self.name = self.version = ""
        self.is_locked = self.in_configure = False
        self.lost: asyncio.Future[LinkError | None] = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._under_way: deque[Reply] = deque()
        self._greeting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._prompts: re.Pattern[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._settle: asyncio.TimerHandle | None = None
        self._raw: Raw | None = None
        self.prompt = b""

    @classmethod
    async def open(cls, device: Device, step_s: float, password: Callable[[], str | None]) -> Self:
        """step_s: for connection, prompt, and each answer. password: asked for only when the node wants one.

        Raises NodeOfflineError, StrangeAnswerError, NodeBusyError, NodeLockedError; nothing has happened then.
        """
        session = await cls._connected(device, step_s)
        try:
            await session._greeted(step_s)
            await session._introduced(step_s)
            await session._logged_in(step_s, password)
            if not session.is_locked:
                session.version = (await session.say("version", step_s)).strip()[:40]
        except NodeSilentError as error:
            session.close()
            raise NodeOfflineError(f"{device.name} ({device.where}) went silent while a session began: "
                                   f"is it restarting? {error}") from None
        except BaseException:
            session.close()
            raise
        return session

    @property
    def pipelines(self) -> bool:
        return tuple(numbers(self.version)) >= OURS

    @property
    def is_open(self) -> bool:
        return not self.lost.done()

    async def say(self, line: str, timeout_s: float) -> str:
        """The answer to one line, without its last newline. May be called again before the answer has come.

        Raises NodeOfflineError when the session is gone already, NodeSilentError when it was sent and no answer came.
        """
        if not self.is_open or self._transport is None or self._transport.is_closing():
            raise NodeOfflineError(f"{self._who} has closed the session")
        reply: Reply = asyncio.get_running_loop().create_future()
        if not self._under_way:
            self._buffer = without_strays(self._buffer)
        self._under_way.append(reply)
        self._transport.write(line.encode("utf-8", "replace") + b"\n")
        try:
            async with asyncio.timeout(timeout_s):
                answer = await reply
        except TimeoutError:
            self._fail(NodeSilentError(f"{self._who} was silent for {timeout_s:g} s: it may have done it, or not"))
            raise self._gone() from None
        except asyncio.CancelledError:
            self.close()                  # an answer nobody waits for would be taken for the next one's
            raise
        return str(LATE_LINE.sub(b"", answer), "utf-8", "replace").rstrip("\n")

    def go_raw(self, receive: Raw) -> None:
        """From now on bytes pass as they come, for a console; what say() did is over."""
        self._raw = receive

    def write(self, data: bytes) -> None:
        """Ends the session when the node takes nothing: what waits for it would grow for ever."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
                self.close()

    def close(self) -> None:
        if self._transport:
            self._transport.abort()
        self._lose(None)

    # -- asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)         # uvloop's is no subclass of it
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)      # link/base.py has the reason
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        if self._raw:
            self._raw(data)
            return
        self._buffer += data
        if self._prompts is None:
            self._look_for_greeting()
        elif self._under_way:
            self._look_for_answers()
        elif len(self._buffer) > TAIL_BYTES:        # strays
            self._buffer = b""

    def connection_lost(self, error: Exception | None) -> None:
        self._look_for_farewell()
        self._lose(NodeSilentError(f"{self._who} closed the session within an answer: did it restart? "
                                   "It may have done it, or not") if self._under_way else None)

    # -- opening
    @classmethod
    async def _connected(cls, device: Device, step_s: float) -> Self:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(step_s):
                _, session = await loop.create_connection(lambda: cls(device), device.address, device.port)
        except (OSError, ValueError) as error:       # TimeoutError is an OSError
            why = f"no answer within {step_s:g} s" if isinstance(error, TimeoutError) else str(error)
            raise NodeOfflineError(f"{device.name} ({device.where}) cannot be reached: {why}") from None
        return session

    async def _greeted(self, step_s: float) -> None:
        try:
            async with asyncio.timeout(step_s):
                await self._greeting
        except TimeoutError:
            raise NodeOfflineError(f"{self._who} sent no prompt within {step_s:g} s: is it booting?") from None

    async def _introduced(self, step_s: float) -> None:
        mark, _, rest = (await self.say("hello", step_s)).strip().partition(":")
        name, colon, uid = rest.rpartition(":")
        if mark != "hello" or not colon or not uid:
            raise StrangeAnswerError(f"{self.device.where} is no micrOS node: expected hello:<name>:<uid>")
        self.name, self.uid = name[:64], uid[:64]

    async def _logged_in(self, step_s: float, password: Callable[[], str | None]) -> None:
        if not self.is_locked:
            return
        secret = await asyncio.to_thread(password)
        if not secret or "\n" in secret:
            raise NodeLockedError(f"{self._who} asks for a password, and the archive has none that it takes: "
                                  "devToolKit.py --backup of that node keeps it")
        said = await self.say(secret, step_s)
        if "too many tries" in said:             # it has not looked at the password
            raise NodeBusyError(f"{self._who} lets nobody in for a while: {said.splitlines()[0][:80]}")
        if self.is_locked or not self.is_open:
            raise NodeLockedError(f"{self._who} refused the password in the archive")

    # -- reading
    def _look_for_greeting(self) -> None:
        found = GREETING.search(self._buffer)
        if found:
            self._prompts = prompts_of(found[2])
            self._see(found)
            self._buffer = b""
            if not self._greeting.done():
                self._greeting.set_result(None)
        elif len(self._buffer) > MAX_GREETING_BYTES:
            self._fail(StrangeAnswerError(f"{self.device.where} talks without a prompt: that is no micrOS shell"))

    def _look_for_answers(self) -> None:
        while self._under_way and (end := self._end()) is not None:
            self._cut(end)
        if self._under_way and len(self._buffer) > MAX_ANSWER_BYTES:
            self._fail(NodeSilentError(f"{self._who} sent over {MAX_ANSWER_BYTES} bytes and no prompt"))

    def _end(self) -> re.Match[bytes] | None:
        """The prompt that ends the answer under way: the first one while others follow, else the last of all."""
        assert self._prompts
        if len(self._under_way) > 1:
            return next(filter(has_own_line, self._prompts.finditer(self._buffer)), None)
        last = last_prompt(self._prompts, self._buffer)
        if last is None or is_plain(last):
            return last
        self._settle_later()
        return None

    def _settle_later(self) -> None:
        """A prompt that is not plainly the end is taken for it when nothing more comes."""
        if self._settle:
            self._settle.cancel()
        self._settle = asyncio.get_running_loop().call_later(SETTLE_S, self._settled, len(self._buffer))

    def _settled(self, length: int) -> None:
        assert self._prompts
        is_quiet = len(self._under_way) == 1 and len(self._buffer) == length
        if is_quiet and (last := last_prompt(self._prompts, self._buffer)):
            self._cut(last)

    def _cut(self, end: re.Match[bytes]) -> None:
        answer, self._buffer = self._buffer[:end.start()], self._buffer[end.end():]
        self._see(end)
        self._answer(answer)

    def _see(self, prompt: re.Match[bytes]) -> None:
        self.is_locked = b"[password]" in prompt[1]
        self.in_configure = b"[configure]" in prompt[1]
        self.prompt = prompt[0]

    def _answer(self, answer: bytes) -> None:
        reply = self._under_way.popleft()
        if not reply.done():
            reply.set_result(answer)

    # -- ending
    def _look_for_farewell(self) -> None:
        """Last words: the answer to reboot and the like, or why a newcomer is not wanted."""
        text = self._buffer
        if self._prompts is None and not self._greeting.done():
            self._greeting.set_exception(self._refusal(text))
            self._greeting.exception()
        elif self._under_way and FAREWELL.search(text):
            self._buffer = b""
            self._answer(text)

    def _refusal(self, text: bytes) -> Exception:
        if b"busy" in text:
            return NodeBusyError(f"{self._who} is busy: all its sessions are in use by others")
        if b"AuthFailed" in text:
            return NodeLockedError(f"{self._who} refused the session: {str(text[:80], 'utf-8', 'replace').strip()}")
        return StrangeAnswerError(f"{self.device.where} closed the connection without a prompt: no micrOS shell?")

    def _fail(self, error: LinkError) -> None:
        self._lose(error)
        if self._transport:
            self._transport.abort()

    def _lose(self, error: LinkError | None) -> None:
        if self._settle:
            self._settle.cancel()
        if not self.lost.done():
            self.lost.set_result(error)
        if not self._greeting.done():
            self._greeting.set_exception(error or NodeOfflineError(f"{self._who} closed the connection"))
            self._greeting.exception()             # asked for by open(), or by nobody any more
        while self._under_way:
            reply = self._under_way.popleft()
            if not reply.done():
                reply.set_exception(error or NodeSilentError(f"{self._who}: the session was closed before the answer"))
                reply.exception()

    def _gone(self) -> LinkError:
        return self.lost.result() or NodeOfflineError(f"{self._who} has closed the session")

    @property
    def _who(self) -> str:
        return f"{self.device.name} ({self.device.where})"
