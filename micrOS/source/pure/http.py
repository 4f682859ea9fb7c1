"""HTTP/1.1 as a client speaks it: an address taken apart, a request as bytes, an answer piece by piece.

Source: RFC 9112, sections 2-7 (messages, length of a body, chunks), RFC 3986, section 3 (addresses).
"""

MAX_HEAD = 4096                # bytes of the status line and all fields
_PORTS = {"http": 80, "https": 443}


class HttpError(ValueError):
    """Raised for an address or an answer that is none; says what was expected."""


def address(url):
    """(is_secure, host, port, path) of `http[s]://host[:port][/path]`. Raises HttpError."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    name, colon, port = host.partition(":")
    if scheme not in _PORTS or not mark or not name or "@" in host or " " in url:
        raise HttpError("an address is http://host[:port]/path or https://..., got {}".format(url))
    try:
        return scheme == "https", name, int(port) if colon else _PORTS[scheme], "/" + path
    except ValueError:
        raise HttpError("a port is a number, got {}".format(port))


def request(method, host, path, fields=(), body=b""):
    """Bytes of a request that wants the connection closed behind the answer. fields: pairs (name, value)."""
    lines = ["{} {} HTTP/1.1".format(method, path), "Host: " + host, "Connection: close"]
    lines += ["{}: {}".format(name, value) for name, value in fields]
    if body:
        lines.append("Content-Length: {}".format(len(body)))
    return "\r\n".join(lines + ["", ""]).encode() + body


class Answer:
    """Takes an answer's bytes as they come. status: None until the head is there; done: the body is complete."""

    def __init__(self, method="GET"):
        self.status = None
        self.done = False
        self._bodiless = method == "HEAD"
        self._rest = b""
        self._left = 0           # bytes of the body, or of the chunk; None: up to the end of the connection
        self._read = self._head  # function that takes what it can from _rest and returns a piece of the body, or None

    def feed(self, data):
        """Bytes of the body in what came. Raises HttpError."""
        self._rest += data
        body = b""
        while not self.done:
            piece = self._read()
            if piece is None:
                break
            body += piece
        return body

    def end(self):
        """The peer has closed. Raises HttpError when something is missing."""
        if not self.done and not (self.status and self._left is None):
            raise HttpError("the answer ends too early")
        self.done = True

    def _head(self):
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            if len(self._rest) > MAX_HEAD:
                raise HttpError("a head of more than {} bytes".format(MAX_HEAD))
            return None
        lines = self._rest[:end].split(b"\r\n")
        self._rest = self._rest[end + 4:]
        self.status = _status(lines[0])
        if self.status < 200:            # 100 Continue: the answer proper follows
            self.status = None
            return b""
        pairs = [line.partition(b":") for line in lines[1:]]
        self._expect({name.strip().lower(): value.strip() for name, _, value in pairs})
        return b""

    def _expect(self, fields):
        """Find out where the body ends (RFC 9112, 6.3)."""
        length = fields.get(b"content-length")
        if self._bodiless or self.status in (204, 304):
            self.done = True
        elif fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            self._read = self._chunk_size
        else:
            self._left = None if length is None else _number(length, 10)
            self._read = self._body
            self.done = self._left == 0

    def _body(self):
        if self._left is None:
            piece, self._rest = self._rest, b""
            return piece or None
        piece = self._take()
        self.done = not self._left
        return piece

    def _chunk_size(self):
        line = self._line(64)
        if line is None:
            return None
        self._left = _number(line.partition(b";")[0].strip(), 16)
        self._read = self._chunk if self._left else self._trailer
        return b""

    def _chunk(self):
        piece = self._take()
        if not self._left:
            self._read = self._chunk_end
        return piece

    def _chunk_end(self):
        line = self._line(2)
        if line:
            raise HttpError("a chunk is longer than it says")
        self._read = self._chunk_size
        return line

    def _trailer(self):
        line = self._line(MAX_HEAD)
        self.done = line == b""
        return line

    def _take(self):
        """What is there of the _left bytes, None when nothing is."""
        piece, self._rest = self._rest[:self._left], self._rest[self._left:]
        self._left -= len(piece)
        return piece or None

    def _line(self, most):
        """A line without its end, None when it is not whole yet."""
        line, end, rest = self._rest.partition(b"\n")
        if not end:
            if len(self._rest) > most:
                raise HttpError("a line of more than {} bytes".format(most))
            return None
        self._rest = rest
        return line.rstrip(b"\r")


def _status(line):
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise HttpError("an answer begins with HTTP/1.1 and a status, got {}".format(line[:40]))
    return int(rest[:3])


def _number(text, base):
    """Raises HttpError for anything but digits: int() would take signs and blanks."""
    if not text or len(text) > 9 or text.strip(b"0123456789abcdefABCDEF"):
        raise HttpError("a length is a number, got {}".format(text[:20]))
    try:
        return int(text, base)
    except ValueError:
        raise HttpError("a length is a number, got {}".format(text[:20]))
