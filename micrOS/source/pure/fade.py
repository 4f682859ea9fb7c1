"""Steps of a smooth change from one value to another; what waits between them is the caller's."""

STEP_MS = 10                  # the eye sees no steps


def steps(start, end, count):
    """Yield count + 1 rounded ints from start to end, both included; with count 0 only the end."""
    for i in range(count + 1):
        yield round(start + (end - start) * i / count if count else end)


async def walk(start, end, show, duration_ms, sleep_ms):
    """Go from one row of ints to another within duration_ms: show(row) at each step.

    sleep_ms: coroutine function that waits. No more steps than there are values on the way: one minute from
    0 to 3 wakes three times.
    """
    widest = max([abs(other - one) for one, other in zip(start, end)])
    count = max(1, min(duration_ms // STEP_MS, widest))
    rows = zip(*[steps(one, other, count) for one, other in zip(start, end)])
    show(next(rows))
    for row in rows:
        await sleep_ms(duration_ms // count)
        show(row)


def transition(from_val, to_val, step_ms, interval_sec):
    """Yield rounded ints, one for each step_ms of interval_sec, both values included; with no time only the target."""
    return steps(from_val, to_val, max(0, round(interval_sec * 1000 / step_ms)))


def transition_gen(*from_to_pairs, interval_sec=1.0):
    """(generator, step_ms) for one pair from, to; ([generators], step_ms) for several. step_ms: 5 or more.

    A step is as long as the value that has farthest to go takes for a change of 1.
    """
    pairs = [from_to_pairs[at:at + 2] for at in range(0, len(from_to_pairs), 2)]
    widest = max([abs(end - start) for start, end in pairs])
    step_ms = max(5, int(interval_sec * 1000 / widest)) if widest else 5
    made = [transition(start, end, step_ms, interval_sec) for start, end in pairs]
    return (made[0] if len(made) == 1 else made), step_ms
