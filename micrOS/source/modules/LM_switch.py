"""Four relays on pins `switch_1` to `switch_4`; each takes its pin when it is switched first."""
from Common import Saved, once
from Debug import errlog_add
from Drives import outputs, whole
from LogicalPins import PinError, pinmap_dump

PINS = ("switch_1", "switch_2", "switch_3", "switch_4")
_KEYS = ("SW1", "SW2", "SW3", "SW4")


class Relays:
    """Which are on, 0 or 1 by channel 0-3; kept over a reboot unless started without."""

    def __init__(self, saved):
        self._saved = saved
        self._pins = [None] * 4
        self.is_started = False
        self.is_kept = True

    def start(self, is_kept):
        """Before the first use: switch on what was on. Not kept: all is off, and nothing is written."""
        self.is_kept = is_kept
        if not self.is_started:
            self.is_started = True
            for channel, key in enumerate(_KEYS):
                if self._saved.data[key] and not self._restored(channel):
                    self._saved.data[key] = 0

    def _restored(self, channel):
        """True when it is on again."""
        try:
            if self.is_kept:
                self.drive(channel)
            return self.is_kept
        except PinError as error:          # the others have to come up
            errlog_add("[ERR] switch {} stays off: {}".format(channel + 1, error))
            return False

    def is_on(self, channel):
        return self._saved.data[_KEYS[channel]]

    def set(self, channel, state):
        """state: 0 or 1."""
        self.drive(channel, state)
        change = {_KEYS[channel]: state}
        if self.is_kept:
            self._saved.keep(**change)
        else:
            self._saved.data.update(change)

    def drive(self, channel, state=None):
        """Put a channel's state, or another one, on its pin."""
        if self._pins[channel] is None:
            self._pins[channel] = outputs(PINS[channel:channel + 1])[0]
        self._pins[channel].value(self.is_on(channel) if state is None else state)

    def state(self):
        return self._saved.data.copy()


@once
def _made():
    return Relays(Saved("switch", *[(key, 0) for key in _KEYS]))


def _relays():
    if not _made().is_started:
        _made().start(True)
    return _made()


def _set(channel, state):
    """Text of set_state...(state) and toggle...(), which give no state."""
    if state is None:
        state = _relays().is_on(channel)
    if state not in (0, 1):
        return "[ERROR] switch input have to 0 or 1"
    _relays().set(channel, int(state))
    return "SET STATE{}: {}".format("({})".format(channel + 1) if channel else "", int(state))


def _toggle(channel):
    return _set(channel, 1 - _relays().is_on(channel))


def load_n_init(cache=None, ch_init=None):
    """Switch on what was on before the reboot. cache=False: start with all off, keep nothing.

    ch_init: channels 1-4 that shall take their pins now, whatever their state
    """
    channels = [whole("a channel of ch_init", channel, 1, 4) for channel in ch_init or ()]
    _made().start(cache is not False)
    for channel in channels:
        _made().drive(channel - 1)
    return "CACHE: {}".format(_made().is_kept)


def set_state(state=None):
    """Switch channel 1. state: 0 or 1; None: as it is."""
    return _set(0, state)


def toggle():
    return _toggle(0)


def set_state2(state=None):
    return _set(1, state)


def toggle2():
    return _toggle(1)


def set_state3(state=None):
    return _set(2, state)


def toggle3():
    return _toggle(2)


def set_state4(state=None):
    return _set(3, state)


def toggle4():
    return _toggle(3)


def status(lmf=None):
    """{"SW1" ... "SW4": 0 or 1}; {"S": state} of the channel that the function lmf switches."""
    if lmf is None:
        return _relays().state()
    return {"S": _relays().is_on(max(0, "1234".find(lmf[-1:])))}


def pinmap():
    return pinmap_dump(PINS)


def help():
    return ("set_state state=<0,1>", "toggle", "set_state2 state=<0,1>", "toggle2", "set_state3 state=<0,1>", "toggle3",
            "set_state4 state=<0,1>", "toggle4", "load_n_init cache=None ch_init=[1,2]", "status lmf=set_state2",
            "pinmap")
