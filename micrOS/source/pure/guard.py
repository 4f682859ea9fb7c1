"""Slows down guessing: after five wrong passwords a peer waits, each time twice as long.

PEERS peers have a row of their own. Those that come when all rows are taken share one, so that many addresses win no
tries. Its wait is short, since the innocent are among them: they are free CROWD_S after the last guess at the latest,
and who has once shown the right password while others fail has a row of his own again.
"""

FREE_TRIES = 5
LONGEST_S = 300
CROWD_S = 8               # longest wait of those that share a row
PEERS = 8
FORGET_S = 3600           # a row that nobody has touched for so long makes room, where room is wanted
_CROWD = None             # the peer of the shared row


def attempt(failures, peer, now_s, is_right):
    """(is_let_in, wait_s): what becomes of one try; wait_s: seconds this peer must wait, 0 when the try counted.

    failures: list of (peer, count, time of the last one), PEERS + 1 at most; kept here, held by the caller.
    now_s: seconds of a clock that nobody sets back.
    """
    if len(failures) >= PEERS:
        failures[:] = [row for row in failures if now_s - row[2] < FORGET_S]
    rows = {row[0]: row for row in failures}
    who = peer if peer in rows or len(rows) < PEERS else _CROWD
    _, count, last_s = rows.get(who, (who, 0, 0))
    wait_s = _wait_s(count, last_s, now_s, CROWD_S if who is _CROWD else LONGEST_S)
    if wait_s:
        return False, wait_s
    if is_right:
        _welcome(failures, peer, now_s)
    else:
        failures[:] = [row for row in failures if row[0] != who] + [(who, count + 1, now_s)]
    return is_right, 0


def _welcome(failures, peer, now_s):
    """What it failed is forgotten. While others fail it has a row, if need be that of who failed longest ago."""
    others = [row for row in failures if row[0] != peer]
    if not any(row[1] for row in others):
        failures[:] = []
        return
    if len(others) >= PEERS:
        others.pop(1 if others[0][0] is _CROWD else 0)
    failures[:] = others + [(peer, 0, now_s)]


def _wait_s(count, last_s, now_s, longest_s):
    if count < FREE_TRIES:
        return 0
    return max(0, last_s + min(longest_s, 1 << min(count - FREE_TRIES, 20)) - now_s)
