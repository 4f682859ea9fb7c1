"""A TCP connection that breaks when a test wants it to: stands between the toolkit and a board's file port."""
import contextlib
import socket
import threading


class Relay:
    """Listens on a free port of the board's own address.

    cuts     bytes towards the board after which a connection breaks, one for each connection; then they hold
    at_cut   called before it breaks
    passed   bytes that went towards the board, by connection
    """

    def __init__(self, board, cuts=(), at_cut=None):
        self._to = board.address, board.webrepl_port
        self._cuts = list(cuts)
        self._at_cut = at_cut
        self.passed = []
        self._listener = socket.create_server((board.address, 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end(self._listener, *self._sockets)
        for thread in self._threads:
            thread.join(5)

    @staticmethod
    def _end(*sockets):
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(self._to, 5)
                except OSError:
                    near.close()
                    continue
                for each in (near, far):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [near, far]
                self.passed.append(0)
                self._start(self._up, near, far, self._cuts.pop(0) if self._cuts else None)
                self._start(self._down, near, far)

    def _start(self, target, *args):
        self._threads.append(threading.Thread(target=target, args=args, daemon=True))
        self._threads[-1].start()

    def _up(self, near, far, rest):
        with contextlib.suppress(OSError):
            while data := near.recv(1024):
                data = data if rest is None else data[:rest]
                far.sendall(data)
                self.passed[-1] += len(data)
                if rest is not None:
                    rest -= len(data)
                    if not rest:
                        (self._at_cut or (lambda: None))()
                        break
        self._end(near, far)

    def _down(self, near, far):
        with contextlib.suppress(OSError):
            while data := far.recv(4096):
                near.sendall(data)
        self._end(near, far)
