"""Lines of a log: stamped, bounded, counted; runs on CPython and on MicroPython."""
from micrOS.source.pure.log import LINE_CHARS, added, counted, errors, parts, tidy

NOW = (2026, 1, 2, 3, 4, 5, 4, 2)
STAMP = "2026.1.2-3:4:5 "
LINES = (                        # (line, (text, how often))
    (STAMP + "[ERR] x y", ("[ERR] x y", 1)),
    (STAMP + "x (4 times)", ("x", 4)),
    (STAMP + "x (1) (12 times)", ("x (1)", 12)),
    (STAMP + "(4 times)", ("(4 times)", 1)),
    (STAMP + "x (a times)", ("x (a times)", 1)),
    (STAMP + "x 4 times)", ("x 4 times)", 1)),
    (STAMP, ("", 1)),
    ("", ("", 1)),
)


def test_a_line_is_text_and_number():
    for line, expected in LINES:
        assert parts(line) == expected, line


def test_a_line_has_a_stamp_without_zeros_and_the_oldest_go():
    assert added([], NOW, "x", 3) == [STAMP + "x"]
    assert added(["1", "2", "3"], NOW, "x", 3) == ["2", "3", STAMP + "x"]
    assert added(["1", "2", "3"], NOW, "x", 1) == [STAMP + "x"]


def test_a_text_that_stands_there_is_counted_and_moves_to_the_end():
    assert counted([STAMP + "a", STAMP + "b"], "c", 1) == ([STAMP + "a", STAMP + "b"], "c")
    assert counted([STAMP + "a", STAMP + "b"], "a", 1) == ([STAMP + "b"], "a (2 times)")
    assert counted([STAMP + "a (4 times)"], "a", 12) == ([], "a (16 times)")
    assert counted([STAMP + "a", STAMP + "a (2 times)"], "a", 1) == ([], "a (4 times)")
    assert counted([STAMP + "ab"], "a", 3) == ([STAMP + "ab"], "a (3 times)")


def test_a_text_fits_one_line():
    assert tidy("a\r\nb\n") == "a  b " and len(tidy("x" * 999)) == LINE_CHARS and tidy(5) == "5"


def test_errors_are_lines_with_their_mark():
    assert errors([STAMP + "[ERR] a", STAMP + "b", STAMP + "c [ERR]"]) == 2
