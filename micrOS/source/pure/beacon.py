"""The beacon: one datagram asks who is there, each node answers the asker with one line of text.

    question   micros?1 id=3f9a01c2 name=lamp       and blanks up to 128 bytes; without a name everybody is meant
    answer     micros!1 id=3f9a01c2 name=lamp uid=micr240ac40102c3OS ip=192.168.1.7 shell=9008 files=8266
               version=2.0.0-0 locked=no board=ESP32S3       (one line)

Printable ASCII, at most 256 bytes. The number behind the mark is the version of who speaks; fields that one does not
know are passed over, in any order, so a later version only adds. An answer is at most twice as long as its question,
and no answer is a question: a node cannot be used to flood another, nor two to talk for ever.
"""
PORT = 9007                    # UDP
QUESTION = b"micros?"
ANSWER = b"micros!"
LEAST_BYTES = 128              # of a question
MOST_BYTES = 256               # of either
_TOKEN_CHARS = 16
# what an answer tells, in the order of its tuple, and how long it may be
_FIELDS = (("name", 32), ("uid", 40), ("ip", 15), ("shell", 5), ("files", 5), ("version", 24), ("locked", 3),
           ("board", 32))
_MOST_PORT = 65535


class BeaconError(ValueError):
    """Raised for bytes that are no question or no answer; says why."""


def question(token, name=""):
    """The datagram that asks. token: 1 to 16 characters that the answer repeats; name: a name or uid, "" = everybody.

    Raises BeaconError when no node can have that name.
    """
    if len(name) > _FIELDS[1][1] or not all("!" <= c <= "~" for c in name):
        raise BeaconError("no node is called {}".format(name))
    text = "micros?1 id={}{}".format(token, " name=" + name if name else "")
    return (text + " " * (LEAST_BYTES - len(text))).encode()


def asked(data):
    """(token, name) of a question, name "" when everybody is meant. Raises BeaconError."""
    if len(data) < LEAST_BYTES:
        raise BeaconError("shorter than {} bytes".format(LEAST_BYTES))
    fields = _fields(data, QUESTION)
    return _text(fields, "id", _TOKEN_CHARS), _text(fields, "name", _FIELDS[1][1], False)


def answer(token, values):
    """The datagram that answers.

    values: (name, uid, ip, shell, files, version, locked: bool, board); text that is too long is cut
    """
    words = ["micros!1 id=" + token]
    for (name, most), value in zip(_FIELDS, values):
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
        words.append("{}={}".format(name, text.replace(" ", "_")[:most]))
    return " ".join(words).encode()


def told(data, token):
    """(name, uid, ip, shell, files, version, locked, board) of the answer to the question with this token.

    shell, files: ports, files 0 when there is none; locked: bool. Raises BeaconError.
    """
    fields = _fields(data, ANSWER)
    if fields.get("id") != token:
        raise BeaconError("the answer to another question")
    name, uid, ip, shell, files, version, locked, board = [
        _text(fields, field, most, at in (0, 1, 3)) for at, (field, most) in enumerate(_FIELDS)]
    return name, uid, ip, _port(shell), _port(files or "0"), version, locked == "yes", board


def _fields(data, mark):
    """{key: text} of a datagram."""
    if len(data) > MOST_BYTES or data[:len(mark)] != mark or not all(32 <= byte < 127 for byte in data):
        raise BeaconError("no beacon")
    words = str(data, "ascii").split()
    if not words[0][len(mark):].isdigit():
        raise BeaconError("no version")
    pairs = [word.partition("=") for word in words[1:]]
    return {key: value for key, _, value in pairs}


def _text(fields, key, most, needed=True):
    value = fields.get(key, "")
    if len(value) > most or (needed and not value):
        raise BeaconError("{} is {} characters long".format(key, len(value)))
    return value


def _port(text):
    port = int(text) if text.isdigit() else _MOST_PORT + 1
    if port > _MOST_PORT:
        raise BeaconError("{} is no port".format(text))
    return port
