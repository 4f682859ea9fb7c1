"""The one-function files of pure/; runs on CPython and on MicroPython."""
from micrOS.source.pure.fade import steps
from micrOS.source.pure.lazy import once
from micrOS.source.pure.secret import same


def test_steps_include_both_ends_and_are_whole_numbers():
    assert list(steps(0, 10, 4)) == [0, 2, 5, 8, 10]
    assert list(steps(7, 7, 2)) == [7, 7, 7]
    assert list(steps(100, 0, 1)) == [100, 0]


def test_once_makes_one_thing():
    made = once(lambda: [])
    assert made() is made()


def test_same_compares_all_of_both():
    assert same(b"", b"") and same(b"abc", b"abc")
    assert not same(b"a", b"")
    for one, other in ((b"abc", b"abd"), (b"abc", b"ab"), (b"ab", b"abc"), (b"abcabc", b"abc"), (b"", b"a")):
        assert not same(one, other), (one, other)
