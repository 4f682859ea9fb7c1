"""Comparing secrets."""


def same(one, other):
    """True when equal, without telling by the time taken where they part. one, other: bytes."""
    differs = len(one) ^ len(other)
    for at in range(len(one)):
        differs |= one[at] ^ other[at % len(other)] if other else 1
    return not differs
