"""A serial cable between the toolkit and a virtual board: it can be pulled out, garble, and play an older firmware."""
import contextlib
import os
import pty
import select
import threading
import tty

PASTE = b"\x05A\x01"           # asks for raw-paste mode
ANSWER_OLD = b""               # a firmware before 1.14 does not know the question


class Cable:
    """path: the computer's end.

    pulled_after   bytes towards the board after which it is out
    swap           (bytes, other bytes) for those on their way to the board
    paste_answer   what a firmware without raw-paste mode says to the question; None: the board answers
    """

    def __init__(self, board, pulled_after=None, swap=None, paste_answer=None):
        self._rest = pulled_after
        self._swap = swap
        self._paste_answer = paste_answer
        self._board = os.open(board.serial, os.O_RDWR | os.O_NOCTTY)
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._end = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pull()
        self._thread.join(5)
        for fd in (self._board, *self._end):
            os.close(fd)

    def pull(self):
        os.write(self._end[1], b"x")

    def _carry(self):
        with contextlib.suppress(OSError):
            while self._rest is None or self._rest > 0:
                ready = select.select([self._ours, self._board, self._end[0]], (), ())[0]
                if self._end[0] in ready:
                    break
                if self._board in ready:
                    os.write(self._ours, os.read(self._board, 4096))
                if self._ours in ready:
                    self._to_board(os.read(self._ours, 4096))
        os.close(self._ours)
        os.close(self._theirs)

    def _to_board(self, data):
        if self._rest is not None:
            data = data[:self._rest]
            self._rest -= len(data)
        if self._swap:
            data = data.replace(*self._swap)
        if self._paste_answer is not None and PASTE in data:
            data = data.replace(PASTE, b"" if self._paste_answer else b"\x01")
            os.write(self._ours, self._paste_answer)
        while data:
            data = data[os.write(self._board, data):]
