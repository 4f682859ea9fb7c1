"""The web requests of micrOS 1.20: they hold up the node until the answer is there, so each is short and bounded.

Code of its own time uses `await Http.fetch(url)`, which holds up nobody.
"""
import json as _json
import socket
import time
from select import POLLIN, POLLOUT, poll

from micropython import const

from Http import MOST_BYTES, WebError, host_of, secured
from pure.http import Answer, HttpError, address, request
from pure.lazy import unload
from Udp import connect

unload("Udp")

_SILENCE_MS = const(2000)         # as 1.20
_WHOLE_MS = const(5000)
_PIECE_BYTES = const(512)


def get(url, headers=None, jsonify=False, sock_size=_PIECE_BYTES):
    """(status, body): text, or what the JSON in it says. Raises WebError (an OSError), ValueError for bad JSON."""
    return _told(ask(url, "GET", (headers or {}).items(), b"", sock_size), jsonify)


def post(url, data=None, json=None, headers=None, jsonify=False, sock_size=_PIECE_BYTES):
    """The same with a body. data: text or bytes; json: anything, sent as JSON"""
    fields = list((headers or {}).items())
    if json is not None:
        data = _json.dumps(json)
        fields.append(("Content-Type", "application/json"))
    body = data.encode() if isinstance(data, str) else data or b""
    return _told(ask(url, "POST", fields, body, sock_size), jsonify)


def _told(answer, jsonify):
    status, body = answer
    return status, _json.loads(body) if jsonify else str(body, "utf-8")


def ask(url, method="GET", fields=(), body=b"", piece_bytes=_PIECE_BYTES):
    """(status, body as bytes). Raises WebError."""
    link = socket.socket()
    try:
        question = request(method, url, fields, body)
        talk = _Talk(link, *address(url)[:3])
        talk.say(question)
        return _answered(talk, Answer(method), piece_bytes)
    except (OSError, HttpError) as error:
        raise WebError("{}: {}".format(host_of(url), error))
    finally:
        link.close()


def _answered(talk, answer, piece_bytes):
    body = b""
    while not answer.done:
        data = talk.hear(piece_bytes)
        body += answer.feed(data)
        if not data:
            answer.end()
        if len(body) > MOST_BYTES:
            raise WebError("more than {} bytes".format(MOST_BYTES))
    return answer.status, body


class _Talk:
    """A connection whose every wait has an end. Raises WebError, OSError."""

    def __init__(self, link, is_secure, host, port):
        self._end_ms = time.ticks_add(time.ticks_ms(), _WHOLE_MS)
        self._link = link
        connect(link, host, port)
        self._wait(POLLOUT)
        if is_secure:
            self._link = secured(link, host, do_handshake_on_connect=False)

    def say(self, data):
        while data:
            self._wait(POLLOUT)
            data = data[self._link.write(data) or 0:]

    def hear(self, most):
        """Bytes that came; b"" at the end."""
        while True:
            data = self._link.read(most)
            if data is not None:
                return data
            self._wait(POLLIN)

    def _wait(self, event):
        left_ms = time.ticks_diff(self._end_ms, time.ticks_ms())
        watch = poll()
        watch.register(self._link, event)
        if left_ms <= 0 or not watch.poll(min(_SILENCE_MS, left_ms)):
            raise WebError("no answer in time")
