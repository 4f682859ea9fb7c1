"""Colours as numbers: brightness of a mixture, white from warm to cold, the colour wheel, frames of effects."""


def scaled(values, percent, full):
    """The same mixture with its strongest value at percent of full, in ints; all dark counts as all alike."""
    most = max(values)
    return tuple([round((value if most else 1) * percent * full / 100 / (most or 1)) for value in values])


def white(cold_pct, brightest):
    """(cold, warm) of a white. cold_pct: 0 only warm, 50 both, 100 only cold; brightest: value of the stronger one."""
    return round(brightest * min(1, cold_pct / 50)), round(brightest * min(1, 2 - cold_pct / 50))


def cold_pct(cold, warm):
    """The share that white() takes; 50 when both are dark."""
    if cold == warm:
        return 50
    return 50 * cold / warm if cold < warm else 100 - 50 * warm / cold


def whites(lamp, goal):
    """Function(row) that shows a white on a lamp while its cold share goes to goal. row: (share in per mille,)

    The brightness is that of the lamp's state, which may change on the way.
    """
    def show(row):
        lamp.show(lamp.goal() if row[0] == goal else white(row[0] / 10, max(lamp.goal())))
    return show


def wheel(position):
    """Full colour, (r, g, b) 0-255. position: 0-255 from red over green and blue back to red."""
    third, into = divmod(position % 256 * 3, 256)
    return ((255 - into, into, 0), (0, 255 - into, into), (into, 0, 255 - into))[third]


def dimmed(color, percent):
    """The colour at that share of its brightness, as a tuple of ints."""
    return tuple([int(value * percent) // 100 for value in color])


def meteor(count, head):
    """Percent of brightness for each of count pixels: full at head, a tail over the half strip behind it."""
    tail = max(1, count // 2)
    return [max(0, 100 - 100 * ((head - at) % count) // tail) for at in range(count)]


def cycle(count, head):
    """The same for one bright pixel with a faint one at each side."""
    return [{1: 20, count - 1: 20, 0: 100}.get((at - head) % count, 0) for at in range(count)]


def window(count, size, offset):
    """The same for size lit pixels from offset on, round the end; the others are dark."""
    return [100 if (at - offset) % count < size else 0 for at in range(count)]
