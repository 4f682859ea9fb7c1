"""Steps of a smooth change from one value to another; what waits between them is the caller's."""


def steps(start, end, count):
    """Yield count + 1 rounded ints from start to end, both included. count: 1 or more."""
    for i in range(count + 1):
        yield round(start + (end - start) * i / count)
