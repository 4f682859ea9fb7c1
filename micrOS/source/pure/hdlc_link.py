"""The client's end of an HDLC link: a table of states, sequence numbers, segments, and what is said once more.

No clock: the driver sends what it is given, hands in what comes, and calls again() when nothing came in time.
Source: IEC 62056-46, MAC sublayer; ISO/IEC 13239, normal response mode: who has the final bit may speak.
"""
from . import hdlc
from .hdlc import HdlcError

# state: {event: state}; an absent event is the error
NEXT = {
    "off": {"connect": "connecting"},
    "connecting": {"connect": "connecting", "ua": "up", "dm": "off"},
    "up": {"send": "sending", "disconnect": "leaving", "rr": "up", "again": "up"},
    "sending": {"rr": "sending", "all sent": "waiting", "disconnect": "leaving", "dm": "off", "frmr": "off"},
    "waiting": {"rr": "waiting", "resend": "sending", "i": "taking", "answer": "up", "disconnect": "leaving",
                "dm": "off", "frmr": "off"},
    "taking": {"i": "taking", "rr": "taking", "answer": "up", "disconnect": "leaving", "dm": "off", "frmr": "off"},
    "leaving": {"ua": "off", "dm": "off", "i": "leaving", "rr": "leaving", "disconnect": "leaving"},
}
_UNNUMBERED = {hdlc.UA: "ua", hdlc.DM: "dm", 0x97: "frmr"}
_WHY_OFF = {"dm": "the meter is not connected", "frmr": "the meter refused a frame"}


class Link:
    """A link to one meter.

    client, meter   addresses as hdlc_setup.address() gives them
    information     octets of information that this side takes in one frame, 16-2030
    frames          that it takes at a time, 1-7
    most_octets     of an answer of several segments
    """

    def __init__(self, client, meter, information=hdlc.INFORMATION, frames=hdlc.WINDOW, most_octets=4096):
        self.client = client
        self.meter = meter
        self.state = "off"
        self._wanted = (information, information, frames, frames)
        self._most = most_octets
        self._forget()

    def connect(self):
        """Octets that ask for the link."""
        self._forget()
        self._see("connect")
        return self._set_up()

    def disconnect(self):
        self._see("disconnect")
        return self._frame(hdlc.DISC)

    def send(self, apdu):
        """Octets of the first frames of a question; the others follow as the meter asks for them."""
        self._see("send")
        whole, size = hdlc.CLIENT_LLC + apdu, self._out_octets
        self._pieces = [whole[at:at + size] for at in range(0, len(whole), size)]
        self._base = self._next_out
        self._acked = 0
        self._parts = []
        return self._window()

    def again(self):
        """Octets to say when nothing came in time: the question once more, or where this side stands.

        A frame that the meter did not hear it sends for anew, and so one of its own that was lost on the way here.
        """
        if self.state == "connecting":
            return self._set_up()
        if self.state == "leaving":
            return self._frame(hdlc.DISC)
        if self.state == "off":
            raise HdlcError("there is no link")
        return self._ready()

    def take(self, frame):
        """(octets to send, answer): b"" when there is nothing to send, None while there is no whole answer.

        Raises HdlcError: the link is down, or a frame is not what the standard allows.
        """
        if (frame.destination, frame.source) != (self.client, self.meter):
            return b"", None                     # of another conversation on the same wire
        if frame.is_information:
            return self._information(frame)
        if frame.control | 0x10 == 0x13:
            return b"", None                     # a notification that nobody asked for
        if frame.control & 0x0F == 0x01:
            return self._receive_ready(frame.control >> 5)
        return self._unnumbered(frame)

    # -- inside
    def _forget(self):
        self._next_out = self._next_in = 0       # V(S), V(R): 0-7
        self._out_octets, self._out_frames = hdlc.INFORMATION, hdlc.WINDOW
        self._pieces, self._parts = [], []
        self._base = self._acked = 0             # number of the first piece; pieces that the meter has

    def _see(self, event):
        try:
            self.state = NEXT[self.state][event]
        except KeyError:
            raise HdlcError("{} while the link is {}".format(event, self.state))

    def _frame(self, control, information=b"", more=False):
        return hdlc.Frame(self.meter, self.client, control, information, more).octets()

    def _set_up(self):
        from .hdlc_setup import parameters
        return self._frame(hdlc.SNRM, parameters(*self._wanted))

    def _ready(self):
        return self._frame(self._next_in << 5 | 0x11)

    def _window(self):
        """The next frames that the meter may be sent at a time; the last one lets it speak."""
        first, frames = self._acked, []
        last = min(len(self._pieces), first + self._out_frames) - 1
        for at in range(first, last + 1):
            control = self._next_in << 5 | (0x10 if at == last else 0) | ((self._base + at) & 7) << 1
            frames.append(self._frame(control, self._pieces[at], at < len(self._pieces) - 1))
        self._next_out = (self._base + last + 1) & 7
        if last == len(self._pieces) - 1:
            self._see("all sent")
        return b"".join(frames)

    def _receive_ready(self, number):
        self._see("rr")
        if self.state not in ("sending", "waiting"):
            return b"", None
        acked = (number - self._base - self._acked) & 7
        if acked > self._out_frames or self._acked + acked > len(self._pieces):
            raise HdlcError("the meter acknowledges a frame that was not sent")
        self._acked += acked
        if self._acked == len(self._pieces):
            return b"", None                     # it has all and works on the answer; again() asks for it
        if self.state == "waiting":
            self._see("resend")
        return self._window(), None

    def _information(self, frame):
        if self.state == "leaving":
            return b"", None
        if frame.control >> 1 & 7 != self._next_in or self.state == "up":
            # a frame twice, or after a lost one: the number says which one is wanted
            return (self._ready() if frame.control & 0x10 and self.state != "up" else b""), None
        self._see("i")
        self._next_in = (self._next_in + 1) & 7
        self._parts.append(frame.information)
        if sum([len(part) for part in self._parts]) > self._most:
            raise HdlcError("an answer of more than {} octets".format(self._most))
        if not frame.more:
            return b"", self._answer()
        return (self._ready() if frame.control & 0x10 else b""), None

    def _answer(self):
        whole, self._parts = b"".join(self._parts), []
        if whole[:3] != hdlc.METER_LLC:
            raise HdlcError("an answer without the header of a meter")
        self._see("answer")
        return whole[3:]

    def _unnumbered(self, frame):
        event = _UNNUMBERED.get(frame.control | 0x10)
        if event is None:
            raise HdlcError("a frame of an unknown kind, {:#x}".format(frame.control))
        was = self.state
        self._see(event)
        if event == "ua" and was == "connecting":
            from .hdlc_setup import agreed
            told = agreed(frame.information)
            # what the meter takes is what this side may send; an unasked-for parameter holds all the same
            self._out_octets, self._out_frames = told[6], told[8]
        elif self.state == "off" and was != "leaving":
            raise HdlcError(_WHY_OFF[event])
        return b"", None
