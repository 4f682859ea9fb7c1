"""HTTP/1.1 as a client speaks it: an address taken apart, a request as bytes, an answer piece by piece.

Source: RFC 9112, sections 2-7 (messages, length of a body, chunks), RFC 3986, section 3 (addresses).
"""

MAX_LINE = 4096                # bytes of a line of the head
MAX_HEAD = 16384               # of all heads, interim ones and the trailer too
_CHUNK_LINE = 256              # a size and its extensions
_PORTS = {"http": 80, "https": 443}


class HttpError(ValueError):
    """Raised for an address or an answer that is none; says what was expected. Never tells a path: it may be secret."""


def address(url):
    """(is_secure, host, port, path) of `http[s]://host[:port][/path][?query]`. Raises HttpError."""
    scheme, mark, rest = url.partition("://")
    scheme, end = scheme.lower(), _end_of_host(rest)
    host, colon, port = rest[:end].partition(":")
    if scheme not in _PORTS or not mark or not _is_host(host) or not _is_plain(url):
        raise HttpError("an address is http://host[:port]/path or https://..., in ASCII without blanks")
    path = rest[end:].partition("#")[0]
    return scheme == "https", host, _port(port) if port else _PORTS[scheme], path if path[:1] == "/" else "/" + path


def _end_of_host(text):
    for at, sign in enumerate(text):
        if sign in "/?#":
            return at
    return len(text)


def _is_host(text):
    return bool(text) and not any(sign in "@[]\\" for sign in text)


def _is_plain(text):
    return all("!" <= sign <= "~" for sign in text)


def _port(text):
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise HttpError("a port is 1 to 65535, got {}".format(text[:20]))
    return int(text)


def request(method, url, fields=(), body=b""):
    """Bytes of a request that wants the connection closed behind the answer. fields: pairs (name, value).

    Raises HttpError.
    """
    is_secure, host, port, path = address(url)
    if port != (443 if is_secure else 80):
        host = "{}:{}".format(host, port)
    lines = ["{} {} HTTP/1.1".format(method, path), "Host: " + host, "Connection: close"]
    lines += ["{}: {}".format(name, value) for name, value in fields]
    if body or method == "POST":
        lines.append("Content-Length: {}".format(len(body)))
    if any("\r" in line or "\n" in line for line in lines):
        raise HttpError("a field of a request is one line")
    return "\r\n".join(lines + ["", ""]).encode() + body


class Answer:
    """Takes an answer's bytes as they come. status: None until the head is there; done: the body is complete."""

    def __init__(self, method="GET"):
        self.status = None
        self.done = False
        self._bodiless = method == "HEAD"
        self._rest = b""
        self._head_left = MAX_HEAD
        self._length = None      # of the body, as told
        self._is_chunked = False
        self._left = 0           # bytes of the body, or of the chunk; None: up to the end of the connection
        self._read = self._start  # function that takes what it can from _rest: a piece of the body, None = wants more

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
        if not self.done and self._left is not None:
            raise HttpError("the answer ends too early")
        self.done = True

    def _start(self):
        line = self._line(MAX_LINE)
        if line is None:
            return None
        self.status, self._length, self._is_chunked = _status(line), None, False
        self._read = self._field
        return b""

    def _field(self):
        line = self._line(MAX_LINE)
        if line is None:
            return None
        if not line:
            return self._body_begins()
        name, _, value = line.partition(b":")
        name, value = name.strip().lower(), value.strip()
        if name == b"content-length":
            self._take_length(_number(value, 10))
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked" or self._is_chunked:
                raise HttpError("a body comes chunked or whole, got {}".format(value[:20]))
            self._is_chunked = True
        return b""

    def _take_length(self, length):
        if self._length not in (None, length):
            raise HttpError("an answer has one length, got {} and {}".format(self._length, length))
        self._length = length

    def _body_begins(self):
        """Find out where the body ends (RFC 9112, 6.3)."""
        if self.status < 200:            # 100 Continue: the answer proper follows
            self.status, self._read = None, self._start
        elif self._bodiless or self.status in (204, 304):
            self.done = True
        elif self._is_chunked:
            self._read = self._chunk_size
        else:
            self._left, self._read = self._length, self._body
            self.done = self._left == 0
        return b""

    def _body(self):
        if self._left is None:
            piece, self._rest = self._rest, b""
            return piece or None
        piece = self._take()
        self.done = not self._left
        return piece

    def _chunk_size(self):
        line = self._line(_CHUNK_LINE, is_head=False)
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
        line = self._line(0, is_head=False)
        if line is not None:
            self._read = self._chunk_size
        return line

    def _trailer(self):
        line = self._line(MAX_LINE)
        self.done = line == b""
        return None if line is None else b""

    def _take(self):
        """What is there of the _left bytes, None when nothing is."""
        piece, self._rest = self._rest[:self._left], self._rest[self._left:]
        self._left -= len(piece)
        return piece or None

    def _line(self, most, is_head=True):
        """A line of at most so many bytes, without its end; None when it is not whole yet."""
        line, end, rest = self._rest.partition(b"\n")
        length = len(line) - (line[-1:] == b"\r")
        if length > most or length > self._head_left:
            raise HttpError("a line or head of more bytes than {}".format(min(most, self._head_left)))
        if not end:
            return None
        if is_head:
            self._head_left -= length
        self._rest = rest
        return line[:length]


def _status(line):
    version, _, rest = line.partition(b" ")
    code, _, _ = rest.partition(b" ")
    if version[:7] != b"HTTP/1." or len(code) != 3 or not code.isdigit() or code < b"100":
        raise HttpError("an answer begins with HTTP/1.1 and a status, got {}".format(line[:40]))
    return int(code)


def _number(text, base):
    """Raises HttpError for anything but digits: int() would take signs and blanks."""
    if not text or len(text) > 9 or text.strip(b"0123456789abcdefABCDEF"):
        raise HttpError("a length is a number, got {}".format(text[:20]))
    try:
        return int(text, base)
    except ValueError:
        raise HttpError("a length is a number, got {}".format(text[:20]))
