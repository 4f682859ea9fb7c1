"""A board of 1.20 as the network sees it, in front of a virtual board whose flash it fills: its shell, its WebREPL.

Written from spec/micros_core.md 10 and spec/devtoolkit.md 5. The loader runs on the board (test_takeover.LOADER): it
waits for `micros` in .if_mode and resets. The WebREPL of the firmware writes straight to the name, makes no folders.
"""
import socket
import threading

from foreign import Node120, Server, StockWebrepl

HELP = b"[MICROS]   - built-in shell commands\n   webrepl    - start web repl for file transfers\n      --update\n"
INFO = b"CPU clock: 24 [MHz]\nMem usage: 58 %%\nupython: v%s\nboard: ESP32 module with ESP32\n"
PROMPT = b"node01 $ "
FAREWELL = b" Start micropython WEBREPL\n Bye!\n"


class At(Server):
    """A server with a place of its own. where: (address, port)"""

    where = ("127.0.0.1", 0)

    def __init__(self):
        self.listener = socket.create_server(self.where)
        self.port = self.listener.getsockname()[1]
        self.clients = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def leave(self):
        """Listen no more; who is in stays. Only a shutdown wakes the thread that holds the port."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Shell(Node120, At):
    """told(command): called with each command before it is answered"""

    def __init__(self, where, upython, told):
        self.where = where
        self.told = told
        super().__init__({"hello": (b"hello:node01:micr01OS\n", PROMPT), "help": (HELP, PROMPT),
                          "system info": (INFO % upython, PROMPT), "webrepl --update": (FAREWELL, None)})

    def serve(self, client):
        self.told(self)
        super().serve(client)
        self.told(self)


class Flash:
    """Names at the root of a board, as StockWebrepl takes them. lose: names whose session breaks off once"""

    def __init__(self, board, lose):
        self.board = board
        self.lose = list(lose)
        self.log = []
        self.is_unlocked = False

    def __setitem__(self, name, content):
        if name in self.lose:
            self.lose.remove(name)
            raise ConnectionError
        if (name, content) == (".if_mode", b"micros"):
            self.is_unlocked = True
        self.log.append(name)
        self.pending = name, content

    def get(self, name):
        path = self.board.dir / name
        return path.read_bytes() if path.is_file() else None


class Webrepl(StockWebrepl, At):
    def __init__(self, where, flash, password="ADmin123"):
        self.where = where
        super().__init__(password)
        self.files = flash

    def operate(self, take, send):
        super().operate(take, send)
        flash = self.files
        if flash.is_unlocked:
            self.leave()                        # our node listens here as soon as the board has booted
        if pending := flash.__dict__.pop("pending", None):
            (flash.board.dir / pending[0]).write_bytes(pending[1])     # OSError where there is no such folder


class OldNode:
    """Answers at the board's address until the new set boots. heard: commands of the shell; log: files that came"""

    def __init__(self, board, upython=b"1.24.1", lose=(), is_locked=False):
        self._board = board
        self._flash = Flash(board, lose)
        self._webrepl = None
        self._shell = None if is_locked else Shell((board.address, 9008), upython, self._look)
        if is_locked:
            self._lock()

    @property
    def heard(self):
        return self._shell.heard

    @property
    def log(self):
        return self._flash.log

    def _look(self, shell):
        if "webrepl --update" in shell.heard and not self._webrepl:
            shell.leave()
            self._lock()

    def _lock(self):
        self._webrepl = Webrepl((self._board.address, 8266), self._flash)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (self._shell, self._webrepl):
            if each:
                each.__exit__()
