"""Colours and the steps of a fade; runs on CPython and on MicroPython."""
from micrOS.source.pure.color import cold_pct, cycle, dimmed, meteor, scaled, wheel, white, whites, window
from micrOS.source.pure.fade import steps, transition, transition_gen, walk

SCALED = (                                    # (values, percent, full), result; the first two as 1.20.7 answers
    ((100, 200), 50, 1000, (250, 500)),
    ((10, 20, 30), 50, 1000, (167, 333, 500)),
    ((10, 20, 30), 50, 255, (42, 85, 128)),
    ((0, 0, 0), 50, 255, (128, 128, 128)),
    ((5, 0), 100, 1000, (1000, 0)),
    ((500, 500), 0, 1000, (0, 0)),
)
WHITES = ((0, (0, 800)), (25, (400, 800)), (50, (800, 800)), (75, (800, 400)), (100, (800, 0)))
WHEEL = ((0, (255, 0, 0)), (85, (0, 255, 0)), (128, (0, 127, 128)), (170, (0, 1, 254)), (256, (255, 0, 0)),
         (-256, (255, 0, 0)))
TRANSITIONS = (                               # (from, to, step_ms, interval_sec), values: spec/micros_core.md 9.1
    ((0, 10, 250, 1), [0, 2, 5, 8, 10]),
    ((10, 0, 500, 1), [10, 5, 0]),
    ((0, 10, 10, 0), [10]),
    ((0, 10, 10, -1), [10]),
    ((0, 10, 1000, 0.1), [10]),               # 1.20 divided by zero
)


def walked(start, end, duration_ms):
    """(rows shown, waits in ms) of a walk whose sleep returns at once."""
    rows, waits = [], []

    async def sleep_ms(ms):
        waits.append(ms)

    coroutine = walk(start, end, rows.append, duration_ms, sleep_ms)
    try:
        coroutine.send(None)
    except StopIteration:
        return rows, waits
    raise AssertionError("it waits for something else")


def test_a_mixture_keeps_its_colour_at_any_brightness():
    for values, percent, full, expected in SCALED:
        assert scaled(values, percent, full) == expected, values


def test_a_white_has_its_strongest_channel_at_the_brightness():
    for percent, channels in WHITES:
        assert white(percent, 800) == channels, percent
        assert cold_pct(*channels) == percent
    assert white(30, 0) == (0, 0) and cold_pct(0, 0) == 50


class Seen:
    """A lamp whose state is a white of 600 and 300."""

    def __init__(self):
        self.rows = []
        self.show = self.rows.append

    def goal(self):
        return 600, 300


def test_whites_go_at_the_brightness_of_the_lamp_and_end_at_its_state():
    lamp = Seen()
    for share in (0, 250, 750):
        whites(lamp, 750)((share,))
    assert lamp.rows == [(0, 600), (300, 600), (600, 300)]


def test_the_wheel_goes_round_in_full_colours():
    for position, color in WHEEL:
        assert wheel(position) == color, position
    for position in range(256):
        color = wheel(position)
        assert sum(color) == 255 and 0 in color, position


def test_dimming_gives_whole_numbers():
    assert dimmed((255, 100, 1), 50) == (127, 50, 0)
    assert dimmed((255, 100, 1), 12.5) == (31, 12, 0)
    assert dimmed((255, 100, 1), 100) == (255, 100, 1)


def test_effects_have_one_head_and_stay_on_the_strip():
    for count in (1, 2, 3, 24):
        for head in range(count):
            for levels in (meteor(count, head), cycle(count, head)):
                assert len(levels) == count and levels[head] == 100 and levels.count(100) == 1
                assert min(levels) >= 0
    assert meteor(8, 2) == [50, 75, 100, 0, 0, 0, 0, 25]
    assert cycle(5, 0) == [100, 20, 0, 0, 20]


def test_a_window_goes_round_the_end():
    assert window(6, 2, 0) == [100, 100, 0, 0, 0, 0]
    assert window(6, 3, 5) == [100, 100, 0, 0, 0, 100]


def test_without_time_there_is_only_the_target():
    assert list(steps(3, 8, 0)) == [8]


def test_transitions_end_at_the_target():
    for arguments, values in TRANSITIONS:
        assert list(transition(*arguments)) == values, arguments


def test_one_pair_gives_a_generator_and_more_give_a_list():
    generator, step_ms = transition_gen(0, 100, interval_sec=1.0)
    assert step_ms == 10 and generator.__next__() == 0
    generators, step_ms = transition_gen(0, 100, 7, 7, 5, 1005, interval_sec=2)
    assert step_ms == 5 and len(generators) == 3
    assert [list(one)[-1] for one in generators] == [100, 7, 1005]
    assert transition_gen(5, 5)[1] == 5


def test_a_walk_shows_both_ends_and_takes_its_time():
    rows, waits = walked((0, 100), (50, 0), 200)
    assert rows[0] == (0, 100) and rows[-1] == (50, 0) and len(rows) == 21
    assert waits == [10] * 20


def test_a_walk_wakes_no_more_often_than_there_is_something_new():
    rows, waits = walked((0, 7), (3, 7), 60000)
    assert rows == [(0, 7), (1, 7), (2, 7), (3, 7)] and waits == [20000] * 3


def test_a_walk_to_where_it_is_ends_after_its_time():
    assert walked((5,), (5,), 100) == ([(5,), (5,)], [100])
    assert walked((0,), (9,), 1) == ([(0,), (9,)], [1])
