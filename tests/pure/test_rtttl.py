"""Ring tones into notes; runs on CPython and on MicroPython."""
from micrOS.source.pure.rtttl import TuneError, notes, pitch_hz

# equal temperament with a4 at 440 Hz (ISO 16:1975), rounded
PITCHES = (
    ("a4", 440), ("a5", 880), ("a6", 1760), ("a7", 3520), ("c4", 262), ("c#4", 277), ("d4", 294), ("d#4", 311),
    ("e4", 330), ("f4", 349), ("f#4", 370), ("g4", 392), ("g#4", 415), ("a#4", 466), ("b4", 494), ("h4", 494),
    ("c5", 523), ("c8", 4186), ("c1", 33), ("b#4", 523), ("p", 0), ("p6", 0), ("A4", 440), ("C#5", 554),
)
LENGTHS = (                            # b=60: a quarter note is a second
    ("1c", 4000), ("2c", 2000), ("4c", 1000), ("8c", 500), ("16c", 250), ("32c", 125), ("c", 1000),
    ("c.", 1500), ("8c.", 750), ("8c#.5", 750), ("8c#5.", 750), ("8p.", 750), ("4p", 1000),
)
TUNES = (
    ("d=4,o=5,b=250:e,8p", [(659, 240), (0, 120)]),                       # without a name, as micrOS 1.20 has it
    ("Beep:d=32,o=7,b=900:a", [(3520, 8)]),
    ("x::c", [(1047, 952)]),                                              # d=4, o=6, b=63
    (" x : b = 60 , o = 4 : c , e ", [(262, 1000), (330, 1000)]),
    ("x:b=60,d=8:c", [(1047, 500)]),
    ("x:b=60,s=n,l=15:c", [(1047, 1000)]),                                # unknown settings count nothing
    ("x:b=60,o=5:c,", [(523, 1000)]),
    ("Simpsons:d=4,o=5,b=160:32p,c.6,e6,8a6", [(0, 47), (1047, 562), (1319, 375), (1760, 188)]),   # Nokia's example
)
REFUSED = (
    ("", "a tune is name:d=4,o=6,b=63:notes, got 0 colons"),
    ("c,d,e", "a tune is name:d=4,o=6,b=63:notes, got 0 colons"),
    ("a:b=60:c:d", "a tune is name:d=4,o=6,b=63:notes, got 3 colons"),
    ("x:d=5:c", "d=5 is no setting; d=4, o=6 and b=63 are"),
    ("x:o=9:c", "o=9 is no setting; d=4, o=6 and b=63 are"),
    ("x:b=24:c", "b=24 is no setting; d=4, o=6 and b=63 are"),
    ("x:b=901:c", "b=901 is no setting; d=4, o=6 and b=63 are"),
    ("x:b=:c", "b= is no setting; d=4, o=6 and b=63 are"),
    ("x:d=+4:c", "d=+4 is no setting; d=4, o=6 and b=63 are"),
    ("x:d=4,:c", "nothing is no setting; d=4, o=6 and b=63 are"),
    ("x:fast:c", "fast is no setting; d=4, o=6 and b=63 are"),
    ("x::", "note 1: nothing is none; 8c#5 or 4p is"),
    ("x::c,,d", "note 2: nothing is none; 8c#5 or 4p is"),
    ("x::c,z", "note 2: z is none; 8c#5 or 4p is"),
    ("x::c,8", "note 2: 8 is none; 8c#5 or 4p is"),
    ("x::3c", "note 1: 3c is none; 8c#5 or 4p is"),
    ("x::c9", "note 1: c9 is none; 8c#5 or 4p is"),
    ("x::c55", "note 1: c55 is none; 8c#5 or 4p is"),
    ("x::c12", "note 1: c12 is none; 8c#5 or 4p is"),
    ("x::c..", "note 1: c.. is none; 8c#5 or 4p is"),
    ("x::c##", "note 1: c## is none; 8c#5 or 4p is"),
    ("x::p#", "note 1: p# is none; 8c#5 or 4p is"),
    ("x::c,,", "note 2: nothing is none; 8c#5 or 4p is"),
)


def test_pitches_are_those_of_the_piano():
    for note, hz in PITCHES:
        assert [found for found, _ in notes("x:o=5:" + note)] == [hz], note


def test_an_octave_doubles():
    for semitone in range(12):
        for octave in range(1, 8):
            assert abs(2 * pitch_hz(semitone, octave) - pitch_hz(semitone, octave + 1)) <= 1


def test_lengths_count_quarter_notes_per_minute():
    for note, ms in LENGTHS:
        assert [found for _, found in notes("x:b=60:" + note)] == [ms], note


def test_tunes_have_a_name_or_none_and_settings_or_none():
    for text, expected in TUNES:
        assert list(notes(text)) == expected, text


def test_what_is_no_tune_is_told_where():
    for text, expected in REFUSED:
        try:
            list(notes(text))
        except TuneError as error:
            assert str(error) == expected, (text, str(error))
        else:
            raise AssertionError(text)
