"""Ring tones: RTTTL text into notes.

    tune     = [ name ":" ] [ setting { "," setting } ] ":" note { "," note } [ "," ]
    setting  = "d=" length | "o=" octave | "b=" beats      without: d=4, o=6, b=63; other letters count nothing
    note     = [ length ] pitch [ "." ] [ octave ] [ "." ]      with ".": half as long again
    length   = 1 | 2 | 4 | 8 | 16 | 32       part of a whole note
    pitch    = c | c# | d ... b | h | p      h is b, p a pause
    octave   = 1-8                           a4 is 440 Hz
    beats    = 25-900                        quarter notes per minute
Blanks and upper case count nothing. Source: Nokia, RTTTL Format Specifications (octaves 4-7 there). The name may be
missing and the dot may stand on either side, as in many tunes that go round.
"""

_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11, "p": None}
_DIGITS = "0123456789"
_ALLOWED = {
    "d": lambda value: value in (1, 2, 4, 8, 16, 32),
    "o": lambda value: 1 <= value <= 8,
    "b": lambda value: 25 <= value <= 900,
}
_A4_HZ = 440


class TuneError(ValueError):
    """Raised when text is no tune; says what and where."""


def notes(text):
    """Yield (pitch in Hz, 0 for a pause, and length in ms) of each note. Raises TuneError."""
    parts = text.lower().replace(" ", "").split(":")
    if not 2 <= len(parts) <= 3:
        raise TuneError("a tune is name:d=4,o=6,b=63:notes, got {} colons".format(len(parts) - 1))
    known = _settings(parts[-2])
    words = parts[-1].split(",")
    if len(words) > 1 and not words[-1]:
        words.pop()
    for at, word in enumerate(words):
        try:
            yield _note(word, known)
        except ValueError:
            raise TuneError("note {}: {} is none; 8c#5 or 4p is".format(at + 1, word or "nothing"))


def pitch_hz(semitone, octave):
    """Equal temperament; semitone: 0 is c, None a pause."""
    if semitone is None:
        return 0
    return round(_A4_HZ * 2 ** (octave - 4 + (semitone - 9) / 12))


def _settings(text):
    known = {"d": 4, "o": 6, "b": 63}
    for setting in text.split(",") if text else ():
        key, equals, value = setting.partition("=")
        try:
            if equals and key in _ALLOWED:
                known[key] = _number(key, value)
            elif not equals:
                raise ValueError
        except ValueError:
            raise TuneError("{} is no setting; d=4, o=6 and b=63 are".format(setting or "nothing"))
    return known


def _number(key, digits):
    """Value of digits. Raises ValueError when they are none, or what key cannot be."""
    value = int(digits)
    if digits.strip(_DIGITS) or not _ALLOWED[key](value):
        raise ValueError
    return value


def _note(word, known):
    """(Hz, ms) of one note. Raises ValueError when it is none."""
    rest = word.lstrip(_DIGITS)
    digits, pitch, octave = word[:len(word) - len(rest)], rest[:1], rest[1:]
    if pitch not in _SEMITONES:
        raise ValueError
    semitone = _SEMITONES[pitch]
    if octave[:1] == "#" and semitone is not None:
        semitone, octave = semitone + 1, octave[1:]
    is_dotted = octave[:1] == "." or octave[-1:] == "."
    octave = octave.replace(".", "", 1)
    length = _number("d", digits) if digits else known["d"]
    hz = pitch_hz(semitone, _number("o", octave) if octave else known["o"])
    return hz, round(4 * 60000 / known["b"] / length * (1.5 if is_dotted else 1))
