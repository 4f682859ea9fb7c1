"""Opening an association, as a table: the wish, the proof of both sides, and what they agree on.

associate() gives the APDU to send; take(answer) gives the next one, or None when the association is open.
Source: IEC 62056-5-3, association establishment; HLS authentication, passes 1 to 4.
"""
from . import acse
from .axdr import decode, length
from .ciphering_errors import SecurityError
from .cosem import ACTION, NORMAL, CosemError, RefusedError, head, refusal, target

# state: {event: state}; an absent event is the error
NEXT = {
    "off": {"associate": "associating"},
    "associating": {"accepted": "on", "proof wanted": "proving", "refused": "off"},
    "proving": {"proved": "on", "refused": "off"},
}
_PROVE = target(15, b"\0\0\x28\0\0\xff", 1)    # reply_to_HLS_authentication of the current association


class Opening:
    """One try.

    ciphering    Ciphering for ciphered APDUs and HLS-GMAC, None without
    is_ciphered  False: its keys serve for the proof only
    mechanism, secret    acse.LLS and a password, acse.GMAC and a challenge of 8-64 random octets
    title        expected of the meter, b"" = any
    most_octets  of an APDU that this side takes; meter_takes, conformance: what came out of it
    """

    def __init__(self, ciphering=None, is_ciphered=False, mechanism=acse.NONE, secret=b"", title=b"",
                 most_octets=1024):
        self.state = "off"
        self.conformance = self.meter_takes = 0
        self._ciphering = ciphering
        self._is_ciphered = is_ciphered
        self._mechanism = mechanism
        self._secret = secret
        self._title = title
        self._most = most_octets

    def associate(self):
        self._see("associate")
        user = self._out(acse.initiate(acse.CONFORMANCE, self._most))
        title = self._ciphering.title if self._ciphering else b""
        return acse.aarq(user, self._context(), self._mechanism, self._secret, title)

    def take(self, data):
        """The next APDU to send, or None. Raises CosemError, AcseError, AxdrError, SecurityError: it is off."""
        try:
            return self._associated(data) if self.state == "associating" else self._proved(data)
        except IndexError:
            self.state = "off"
            raise CosemError("an answer that is cut off")
        except ValueError:
            self.state = "off"
            raise

    def _see(self, event):
        try:
            self.state = NEXT[self.state][event]
        except KeyError:
            raise CosemError("{} while the association is {}".format(event, self.state))

    def _out(self, apdu):
        return self._ciphering.protect(apdu) if self._is_ciphered else apdu

    def _associated(self, data):
        if data[0] != acse.AARE:
            raise refusal(data) or CosemError("an answer that begins with {:#x}".format(data[0]))
        aare = acse.Aare(data)
        self._judge(aare)
        if self._ciphering:
            self._ciphering.meet(aare.title)
        user = self._ciphering.unprotect(aare.user) if self._is_ciphered else aare.user
        self.conformance, self.meter_takes = acse.initiated(user)
        if self._mechanism == acse.GMAC:
            return self._prove(aare)
        if aare.diagnostic:
            raise CosemError("the meter wants more: {}".format(aare.why()))
        self._see("accepted")
        return None

    def _context(self):
        return acse.CIPHERED if self._is_ciphered else acse.PLAIN

    def _judge(self, aare):
        """Raises RefusedError, and SecurityError when it is not the meter that was asked for."""
        if aare.result:
            raise RefusedError("the meter refuses the association: {}".format(aare.why()))
        if aare.context != self._context():
            raise SecurityError("the meter answers in application context {}".format(aare.context))
        if self._title and aare.title != self._title:
            raise SecurityError("the meter calls itself {}, expected {}".format(aare.title.hex(), self._title.hex()))

    def _prove(self, aare):
        if aare.diagnostic != acse.PROOF_WANTED or aare.mechanism != acse.GMAC:
            raise SecurityError("the meter wants no proof: {}".format(aare.why()))
        # our own challenge thrown back: who answers that gives away a proof
        if not 8 <= len(aare.challenge) <= 64 or aare.challenge == self._secret:
            raise SecurityError("the meter's challenge has {} octets, or is ours".format(len(aare.challenge)))
        self._see("proof wanted")
        proof = self._ciphering.proof(aare.challenge)
        return self._out(head(ACTION, NORMAL, 1) + _PROVE + b"\x01\x09" + length(len(proof)) + proof)

    def _proved(self, data):
        self._see("proved")
        problem = refusal(data)
        if problem:
            raise problem
        apdu = self._ciphering.unprotect(data) if self._is_ciphered else data
        if apdu[:2] != b"\xc7\x01" or apdu[2] & 15 != 1:
            raise CosemError("the answer to another question: {}".format(bytes(apdu[:3]).hex()))
        if apdu[3]:
            raise SecurityError("the meter does not accept our proof: it has other keys")
        proof = decode(apdu[6:]) if apdu[4:6] == b"\x01\0" else None
        if not isinstance(proof, bytes):
            raise SecurityError("the meter gave no proof")
        self._ciphering.check(proof, self._secret)
