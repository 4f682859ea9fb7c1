"""Slows down guessing: after five wrong passwords a peer waits, each time twice as long."""

FREE_TRIES = 5
LONGEST_S = 300
PEERS = 8                 # remembered at the same time; the one that failed longest ago is forgotten


def attempt(failures, peer, now_s, is_right):
    """(is_let_in, wait_s): what becomes of one try; wait_s: seconds this peer must wait, 0 when the try counted.

    failures: list of (peer, count, time of the last one), oldest first; kept here, held by the caller.
    now_s: seconds of a clock that nobody sets back.
    """
    count, wait_s = 0, 0
    for entry in failures:
        if entry[0] == peer:
            count, wait_s = entry[1], _wait_s(entry[1], entry[2], now_s)
            break
    if wait_s:
        return False, wait_s
    failures[:] = [entry for entry in failures if entry[0] != peer][-(PEERS - 1):]
    if not is_right:
        failures.append((peer, count + 1, now_s))
    return is_right, 0


def _wait_s(count, last_s, now_s):
    if count < FREE_TRIES:
        return 0
    return max(0, last_s + min(LONGEST_S, 1 << min(count - FREE_TRIES, 20)) - now_s)
