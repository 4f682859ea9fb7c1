"""Security of suite 0: APDUs encrypted and signed under the global keys, and the proof of HLS-GMAC.

    tag 1 | length | control 1 | counter 4 | octets | tag 12                            glo-ciphering
    db | length, system title | length | control 1 | counter 4 | octets | tag 12        general-glo-ciphering
control: 10 signed, 20 encrypted, 30 both. Nonce: system title 8 and counter. Signed with it: control, authentication
key, and what is not encrypted. Source: IEC 62056-5-3, information security (suite 0, HLS mechanism 5).
"""
from .axdr import AxdrError, Reader, length
from .ciphering_errors import SecurityError
from .gcm import TagError
from .secret import same

SIGNED, ENCRYPTED, BOTH = 0x10, 0x20, 0x30
TAG_OCTETS = 12
MOST_COUNTER = 0xFFFFFFFF
# {tag of an APDU: tag of its ciphered form}: initiate request and response; get, set, action, and their responses
_OUTSIDE = {0x01: 0x21, 0x08: 0x28, 0xC0: 0xC8, 0xC1: 0xC9, 0xC3: 0xCB, 0xC4: 0xCC, 0xC5: 0xCD, 0xC7: 0xCF}
_INSIDE = {outside: inside for inside, outside in _OUTSIDE.items()}
_OPENS = (0x21, 0x28)          # those of an association are never general
_GENERAL = 0xDB


class Ciphering:
    """One side of a conversation.

    gcm        gcm.Gcm under the encryption key
    key        authentication key, 16 octets
    title      own system title, 8 octets
    counter    function() -> the next invocation counter, never twice the same
    heard      the other side's counters up to this one are old
    control    SIGNED, ENCRYPTED or BOTH: how this side speaks, and the least that it listens to
    """

    def __init__(self, gcm, key, title, counter, heard=-1, control=BOTH):
        if len(key) != 16 or len(title) != 8:
            raise SecurityError("a key has 16 octets and a system title 8, got {} and {}".format(len(key), len(title)))
        self.title = title
        self.other = b""               # system title of the other side
        self.heard = heard
        self.is_general = False        # the other side spoke general-glo-ciphering last, and is answered so
        self._gcm = gcm
        self._key = key
        self._counter = counter
        self._control = control

    def meet(self, title):
        """The other side has told its system title."""
        if len(title) != 8 or title == self.title:
            raise SecurityError("a system title that cannot be: {}".format(title.hex()))
        self.other = title

    def protect(self, apdu):
        """The ciphered APDU."""
        head = bytes((self._control,)) + self._next()
        body = self._sealed(head, apdu)
        outside = _OUTSIDE[apdu[0]]
        envelope = bytes((outside,))
        if self.is_general and outside not in _OPENS:
            envelope = bytes((_GENERAL, len(self.title))) + self.title
        return envelope + length(len(head) + len(body)) + head + body

    def unprotect(self, data):
        """The APDU of a ciphered one of the other side. Raises SecurityError; then nothing of it is told."""
        outside, control, counter, body = self._taken_apart(data)
        if control & self._control != self._control or control & ~BOTH:
            raise SecurityError("protected as {:#x}, expected {:#x}".format(control, self._control))
        apdu = self._opened(control, counter, body)
        self._heard(counter)           # of a genuine APDU only: no stranger shall push it up
        if not apdu or apdu[0] != _INSIDE.get(outside, apdu[0]) or apdu[0] not in _OUTSIDE:
            raise SecurityError("another APDU inside than outside")
        if outside not in _OPENS:
            self.is_general = outside == _GENERAL
        return apdu

    def proof(self, challenge):
        """What shows the other side that one has the keys."""
        head = bytes((SIGNED,)) + self._next()
        return head + self._gcm.seal(self.title + head[1:], head[:1] + self._key + challenge, b"")

    def check(self, proof, challenge):
        """Raises SecurityError when it is no proof of the other side for this challenge.

        Its counter may be older than that of the APDU around it, which was made later; the challenge is new each time.
        """
        if len(proof) != 5 + TAG_OCTETS or proof[0] != SIGNED:
            raise SecurityError("the other side gave no proof")
        expected = self._gcm.seal(self.other + proof[1:5], proof[:1] + self._key + challenge, b"")
        if not same(proof[5:], expected):
            raise SecurityError("the proof of the other side is wrong: it has other keys")
        self.heard = max(self.heard, int.from_bytes(proof[1:5], "big"))

    # -- inside
    def _next(self):
        counter = self._counter()
        if not 0 <= counter <= MOST_COUNTER:
            raise SecurityError("the invocation counter is used up: the meter needs new keys")
        return counter.to_bytes(4, "big")

    def _heard(self, counter):
        number = int.from_bytes(counter, "big")
        if number <= self.heard:
            raise SecurityError("counter {} again, {} was heard before: a replay".format(number, self.heard))
        self.heard = number

    def _taken_apart(self, data):
        """(tag, control, counter, octets and tag)"""
        reader = Reader(data)
        try:
            outside = reader.octet()
            title = reader.take(reader.length()) if outside == _GENERAL else self.other
            size = reader.length()
            control, counter = reader.octet(), reader.take(4)
        except AxdrError:
            raise SecurityError("a ciphered APDU that is cut off")
        body = memoryview(data)[reader.at:]          # an APDU is the largest thing in memory: no copies of it
        if outside not in _INSIDE and outside != _GENERAL or size != len(body) + 5 or title != self.other:
            raise SecurityError("no ciphered APDU of the other side: it begins with {:#x}".format(outside))
        return outside, control, counter, body

    def _sealed(self, head, apdu):
        iv, aad = self.title + head[1:], head[:1] + self._key
        if self._control == SIGNED:
            return apdu + self._gcm.seal(iv, aad + apdu, b"")
        if self._control == ENCRYPTED:
            return bytes(self._gcm.counted(iv, apdu))
        return self._gcm.seal(iv, aad, apdu)

    def _opened(self, control, counter, body):
        iv, aad = self.other + counter, bytes((control,)) + self._key
        try:
            if control == SIGNED:
                apdu = bytes(body[:-TAG_OCTETS])
                self._gcm.open(iv, aad + apdu, bytes(body[-TAG_OCTETS:]))
                return apdu
            return self._gcm.counted(iv, body) if control == ENCRYPTED else self._gcm.open(iv, aad, body)
        except TagError as error:
            raise SecurityError(str(error))
