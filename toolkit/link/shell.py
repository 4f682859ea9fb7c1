"""A client of a node's shell: one connection, commands in, answers out.

    node:    prompt                            "[password] [configure] node01 $ ", no newline
    client:  command "\\n"                      1.20 frames nothing and strips the newline
    node:    answer lines, each with "\\n", prompt     or "Bye!" and the end of the connection
"""
from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import NoReturn, Self

from toolkit.errors import LinkError, RefusedError, UsageError
from toolkit.link.base import CHUNK_BYTES, dial

PORT = 9008
MAX_COMMAND_BYTES = 2047        # one read of a 1.20 node takes 2048, newline included; the rest would run as a command
MAX_ANSWER_BYTES = 1 << 20
MAX_GREETING_BYTES = 1024
MIN_WAIT_S = 0.001              # 0 would mean not to wait
TIMEOUT_S = 10.0
REBOOT_WAIT_S = 3.0             # a 1.20 board often goes down before its answer leaves
SETTLE_S = 0.3                  # silence that ends an answer whose end is not plain
BUSY_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6)

TAIL_BYTES = 4096               # the prompt that ends an answer is looked for in so many bytes
GREETING = re.compile(rb"^((?:\[password\] )?(?:\[configure\] )?)([^\n]+?) \$ \Z", re.MULTILINE)    # marks, name
FAREWELL = re.compile(rb"^ ?Bye!\n+\Z", re.MULTILINE)
LATE_LINE = re.compile(rb"\A\[HA\] Shells cleanup: [^\n]*\n")
_LATE = b"[HA] Shells cleanup: "        # 1.20 sends this line after the prompt: it belongs to no answer


def prompts_of(name: bytes) -> re.Pattern[bytes]:
    """Matches every prompt of the node of this name; group 1 has the marks."""
    return re.compile(rb"((?:\[password\] )?(?:\[configure\] )?)%s \$ " % re.escape(name))


def last_prompt(prompts: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """The last prompt so far, None if there is none."""
    return next(iter(deque(prompts.finditer(text, max(0, len(text) - TAIL_BYTES)), maxlen=1)), None)


def has_own_line(prompt: re.Match[bytes]) -> bool:
    return prompt.string[max(0, prompt.start() - 1):prompt.start()] in (b"", b"\n")


def is_plain(prompt: re.Match[bytes]) -> bool:
    """True for a prompt on a line of its own that nothing but the late line follows."""
    return has_own_line(prompt) and _LATE.startswith(prompt.string[prompt.end():][:len(_LATE)])


def without_strays(text: bytes) -> bytes:
    """What has come since the last prompt without other clients' output, which 1.20 streams to everyone.

    What stays is the begin of a late line: its end is still to come.
    """
    last = text.rpartition(b"\n")[2]
    return last if _LATE.startswith(last[:len(_LATE)]) else b""


class ShellLink:
    """An open session with a node.

    name     the node's name, as its prompt says
    prompt   the prompt as last seen, marks included
    locked   the node waits for a password
    closed   the node has ended the session
    """

    def __init__(
        self,
        address: str,
        port: int = PORT,
        password: str | None = None,
        timeout_s: float = TIMEOUT_S,
        busy_pauses_s: Sequence[float] = BUSY_PAUSES_S,
    ) -> None:
        """Connects, and logs in where the node asks for it.

        timeout_s   silence that is taken for a dead node
        Raises LinkError when there is no node, RefusedError when it is busy or wants another password.
        """
        self.where = f"{address}:{port}"
        self.name = self.where
        self.prompt = ""
        self.locked = self.closed = False
        self._timeout_s = timeout_s
        self._who = self.where      # as errors call the node
        self._buffer = b""
        self._enter(address, port, busy_pauses_s)
        if self.locked and password is not None:
            self._log_in(password)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def ask(self, command: str) -> str:
        """Answer to one command: its lines without the prompt.

        Raises LinkError when the node goes silent or away, RefusedError when it waits for a password,
        UsageError when command is no single line.
        """
        self._check(command)
        if self.locked and command.split()[:1] not in (["hello"], ["exit"]):
            self._refuse_unlocked()
        if command.split()[0] == "reboot":
            return self._reboot(command)
        return self._exchange(command)

    def hello(self) -> tuple[str, str]:
        """(name, uid) as the node tells them; works without a password."""
        answer = self.ask("hello")
        mark, _, rest = answer.partition(":")
        name, colon, uid = rest.rpartition(":")      # a name may hold a colon, a uid does not
        if mark != "hello" or not colon:
            raise LinkError(f"{self.where} is no micrOS node: expected hello:<name>:<uid>, got {answer[:60]!r}")
        return name, uid

    def close(self) -> None:
        self.closed = True
        self._socket.close()

    def _enter(self, address: str, port: int, pauses_s: Sequence[float]) -> None:
        for pause_s in (*pauses_s, None):
            self._socket = dial(address, port, self._timeout_s)
            if self._greeted():
                return
            self._socket.close()
            if pause_s is not None:
                time.sleep(pause_s)
        raise RefusedError(f"{self.where} is busy: all its sessions are in use; close another client, then try again")

    def _greeted(self) -> bool:
        """True when the prompt has come, False when the node is busy."""
        self._buffer = b""
        deadline = time.monotonic() + self._timeout_s
        while not (greeting := GREETING.search(self._buffer)):
            try:
                alive = self._receive(max(MIN_WAIT_S, deadline - time.monotonic()))
                if len(self._buffer) > MAX_GREETING_BYTES:      # something that never stops talking
                    raise TimeoutError
            except TimeoutError:
                self._fail(LinkError(
                    f"{self.where} sent no prompt within {self._timeout_s:g} s: is it booting, or no micrOS shell?"))
            if not alive:
                return self._turned_away()
        self.name = self._text(greeting[2])
        self._who = f"{self.name} ({self.where})"
        self._prompts = prompts_of(greeting[2])
        self._see(greeting)
        self._buffer = b""
        return True

    def _turned_away(self) -> bool:
        if b"busy" in self._buffer:
            return False
        said = self._text(self._buffer).replace("Bye!", "").strip()
        if not said:
            self._fail(LinkError(f"{self.where} closed the connection without a prompt: is it a micrOS shell?"))
        return self._fail(RefusedError(f"{self.where} refused the session: {said}"))

    def _log_in(self, password: str) -> None:
        if not password.split() or "\n" in password:
            self._fail(RefusedError(f"{self.name} asks for a password, and the one given is empty or holds a newline"))
        answer = self._exchange(password)
        if self.locked or self.closed:
            why = answer.replace(password, "***").replace("Bye!", "").strip()
            self._fail(RefusedError(f"{self._who} refused the password: {why or 'session closed'}"))

    def _refuse_unlocked(self) -> None:
        # 1.20 would take the first word for a password, and ours would count it as a wrong one.
        raise RefusedError(f"{self._who} asks for a password: set it in the variable MICROS_PASSWORD")

    def _check(self, command: str) -> None:
        if not command.strip() or "\n" in command or "\r" in command:
            raise UsageError(f"a command is one line with a word in it, got {command!r}")
        if len(command.encode()) > MAX_COMMAND_BYTES:
            raise UsageError(f"a command takes up to {MAX_COMMAND_BYTES} bytes, got {len(command.encode())}")

    def _reboot(self, command: str) -> str:
        self._say(command)
        try:
            return self._reply(min(self._timeout_s, REBOOT_WAIT_S))
        except LinkError:
            self.close()
            return "Bye!"

    def _exchange(self, line: str) -> str:
        self._say(line)
        return self._reply(self._timeout_s)

    def _say(self, line: str) -> None:
        self._drop_strays()
        self._socket.settimeout(self._timeout_s)
        try:
            self._socket.sendall(line.encode() + b"\n")
        except OSError as error:
            self._fail(LinkError(f"{self._who} broke off: {error}"))

    def _reply(self, timeout_s: float) -> str:
        return self._text(LATE_LINE.sub(b"", self._answer(timeout_s))).rstrip("\n")

    def _drop_strays(self) -> None:
        """Forget what came after the last prompt."""
        try:
            while not self.closed and self._receive(0):
                pass
        except BlockingIOError:
            self._buffer = without_strays(self._buffer)
            return
        self._fail(LinkError(f"{self._who} has closed the session: connect again"))

    def _answer(self, timeout_s: float) -> bytes:
        """Bytes up to the prompt, or up to the farewell of a node that leaves."""
        while True:
            end = last_prompt(self._prompts, self._buffer)
            if end is not None and is_plain(end):
                return self._cut(end)
            leaving = FAREWELL.search(self._buffer, max(0, len(self._buffer) - TAIL_BYTES))
            try:
                alive = self._receive(SETTLE_S if end or leaving else timeout_s)
            except TimeoutError:
                if end is not None:
                    return self._cut(end)
                if not leaving:
                    self._fail(LinkError(self._silence(timeout_s)))
                alive = False
            if not alive:
                return self._last_words(leaving is not None)

    def _cut(self, end: re.Match[bytes]) -> bytes:
        answer, self._buffer = self._buffer[:end.start()], self._buffer[end.end():]
        self._see(end)
        return answer

    def _see(self, prompt: re.Match[bytes]) -> None:
        self.locked = prompt[1].startswith(b"[password]")
        self.prompt = self._text(prompt[0])

    def _last_words(self, said_bye: bool) -> bytes:
        answer, self._buffer = self._buffer, b""
        self.close()
        if not said_bye:
            raise LinkError(f"{self._who} closed the session within an answer: did it restart?")
        return answer

    def _receive(self, wait_s: float) -> bool:
        """Take what has come. False: the node has closed. Raises TimeoutError when nothing comes.

        wait_s   0: do not wait, BlockingIOError when nothing has come
        """
        self._socket.settimeout(wait_s)
        try:
            data = self._socket.recv(CHUNK_BYTES)
        except (TimeoutError, BlockingIOError):
            raise
        except OSError:
            data = b""
        self._buffer += data
        if len(self._buffer) > MAX_ANSWER_BYTES:
            self._fail(LinkError(f"{self._who} sent over {MAX_ANSWER_BYTES} bytes and no prompt"))
        return bool(data)

    def _silence(self, wait_s: float) -> str:
        return f"{self._who} was silent for {wait_s:g} s: is it still up? --timeout waits longer"

    def _fail(self, error: Exception) -> NoReturn:
        self.close()
        raise error

    @staticmethod
    def _text(data: bytes) -> str:
        return str(data, "utf-8", "replace")
