"""A client's open association, as a table: what is asked, at once or in blocks, and what the answers mean.

get() gives the APDU to send; take(answer) gives the next one, or None when `result` is there. Reading only:
cosem_write.Writer sets and acts too. Source: IEC 62056-5-3, GET service and its block transfer.
"""
from . import cosem
from .axdr import Reader, decode
from .cosem import AccessError, CosemError

# state: {event: state}; an absent event is the error
NEXT = {
    "on": {"ask": "asked", "send blocks": "sending", "release": "releasing"},
    "asked": {"block": "asked", "done": "on", "denied": "on", "refused": "on"},
    "sending": {"next": "sending", "all sent": "asked", "done": "on", "denied": "on", "refused": "on"},
    "releasing": {"released": "off", "refused": "off"},
    "broken": {"release": "releasing"},      # the two no longer agree on where they are: only closing helps
}
OVERHEAD = 21                  # octets that ciphering adds at most: tag, length 3, control, counter 4, signature 12


class Client:
    """One association that is open.

    ciphering    Ciphering when its APDUs are ciphered, None when not
    meter_takes  octets of an APDU
    most_value   octets of a value that came in several blocks and is kept in one piece
    number       of the last question, 0-15
    """

    def __init__(self, ciphering=None, meter_takes=0xFFFF, most_value=8192, number=0):
        self.state = "on"
        self.result = None
        self._ciphering = ciphering
        self._takes = meter_takes - (OVERHEAD if ciphering else 0)
        self._most_value = most_value
        self._number = number
        self._forget()

    def get(self, what, chosen=b"\0", sink=None):
        """what: cosem.target(); chosen: cosem_write.selection(); result: the value as axdr.plain

        sink: object with feed(octets), takes the encoded value as it comes, which then is never held whole;
        result: number of its octets
        """
        return self._ask(cosem.get(self._numbered(), what, chosen), None, sink)

    def get_list(self, whats):
        """result: list of values; an AccessError in the place of one that the meter refuses"""
        return self._ask(cosem.get_list(self._numbered(), whats), len(whats))

    def release(self):
        self._see("release")
        return b"\x62\x03\x80\x01\0"

    def take(self, data):
        """The next APDU to send, or None: it is done. Raises CosemError, AxdrError, SecurityError.

        After AccessError and RefusedError the association goes on, after any other one it has to be closed.
        """
        try:
            return self._taken(data)
        except (AccessError, cosem.RefusedError):
            raise
        except IndexError:
            self.lost()
            raise CosemError("an answer that is cut off")
        except ValueError:
            self.lost()
            raise

    def lost(self):
        """No answer came, or none that can be trusted: only closing helps."""
        self.state = "off" if self.state == "releasing" else "broken"
        self._forget()

    # -- inside
    def _see(self, event):
        try:
            self.state = NEXT[self.state][event]
        except KeyError:
            raise CosemError("{} while the association is {}".format(event, self.state))

    def _forget(self):
        self._parts, self._size = [], 0
        self._block = 0                # number of the last block taken or sent
        self._service = 0
        self._count = None             # of values in a list
        self._sink = None

    def _numbered(self):
        if self.state != "on":
            raise CosemError("a question while the association is {}".format(self.state))
        self._number = self._number % 15 + 1
        return self._number

    def _out(self, apdu):
        return self._ciphering.protect(apdu) if self._ciphering else apdu

    def _ask(self, apdu, count=None, sink=None):
        if len(apdu) > self._takes:
            raise CosemError("a question of {} octets, the meter takes {}".format(len(apdu), self._takes))
        self._see("ask")
        self.result = None
        self._forget()
        self._service, self._count, self._sink = apdu[0], count, sink
        return self._out(apdu)

    def _taken(self, data):
        if self.state == "releasing":
            # its length is not looked at: meters are known that get it wrong
            self._see("released" if data[:1] == b"\x63" else "refused")
            return None
        if self.state not in ("asked", "sending"):
            raise CosemError("an answer that nobody asked for")
        problem = cosem.refusal(data)
        if problem:
            self._see("refused")
            raise problem
        apdu = self._ciphering.unprotect(data) if self._ciphering else data
        if len(apdu) < 4 or apdu[0] != self._service + 4 or apdu[2] & 15 != self._number:
            raise CosemError("the answer to another question: {}".format(bytes(apdu[:3]).hex()))
        handler = self._handler(apdu[0], apdu[1])
        if handler is None or (apdu[0] == 0xC4 and self._block and apdu[1] != cosem.NEXT):
            raise CosemError("an answer of an unknown kind: {}".format(bytes(apdu[:2]).hex()))
        return handler(apdu)

    def _handler(self, service, kind):
        return {1: self._got, 2: self._got_block, 3: self._got_list}.get(kind)

    def _denied(self, code):
        self._see("denied")
        self._forget()
        raise AccessError(code)

    def _done(self, result):
        self.result = result
        self._see("done")
        self._forget()

    def _got(self, apdu):
        if apdu[3] == 1:
            return self._denied(apdu[4])
        if apdu[3] or self._count is not None:
            raise CosemError("a result of kind {}".format(apdu[3]))
        return self._whole(apdu[4:])

    def _got_list(self, apdu):
        if self._count is None:
            raise CosemError("a list for one value")
        return self._whole(apdu[3:])

    def _got_block(self, apdu):
        self._count_block(apdu)
        return self._denied(apdu[9]) if apdu[8] == 1 else self._took(apdu, counted(apdu, 9, apdu[8]))

    def _count_block(self, apdu):
        number = long(apdu, 4)
        if number != self._block + 1:
            raise CosemError("block {} came, {} was expected".format(number, self._block + 1))
        self._block = number

    def _took(self, apdu, octets):
        """A block of the answer: the question for the next one, None after the last."""
        if not octets and not apdu[3]:
            raise CosemError("an empty block")
        self._keep(octets)
        if apdu[3]:
            return self._whole(b"")
        self._see("block")
        return self._out(cosem.next_block(self._service, self._number, self._block))

    def _keep(self, octets):
        self._size += len(octets)
        if self._sink:
            self._sink.feed(octets)
        elif self._size > self._most_value:
            raise CosemError("a value of more than {} octets".format(self._most_value))
        else:
            self._parts.append(octets)

    def _whole(self, octets):
        """The rest of a value has come."""
        if octets:
            self._keep(octets)
        if self._sink:
            return self._done(self._size)
        whole = b"".join(self._parts)
        return self._done(decode(whole) if self._count is None else listed(whole, self._count))


def long(apdu, at):
    """A number of four octets."""
    if len(apdu) < at + 4:
        raise CosemError("an answer that is cut off")
    return int.from_bytes(apdu[at:at + 4], "big")


def counted(apdu, at, choice=0):
    """Octets with their length in front, to the end of the APDU."""
    if choice:
        raise CosemError("a result of kind {}".format(choice))
    reader = Reader(apdu, at)
    octets = reader.take(reader.length())
    if reader.at != len(apdu):
        raise CosemError("octets follow the answer")
    return octets


def listed(octets, count, one=None):
    """List of so many results, nothing behind them. one: function(reader) -> one result"""
    reader = Reader(octets)
    if reader.length() != count:
        raise CosemError("{} values were asked for, another number came".format(count))
    found = [(one or given)(reader) for _ in range(count)]
    if reader.at != len(octets):
        raise CosemError("octets follow the answer")
    return found


def given(reader):
    """One value, or an AccessError."""
    choice = reader.octet()
    if choice > 1:
        raise CosemError("a result of kind {}".format(choice))
    return AccessError(reader.octet()) if choice else reader.value()
