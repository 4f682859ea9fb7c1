"""How long a guesser waits; runs on CPython and on MicroPython."""
from micrOS.source.pure.guard import LONGEST_S, PEERS, attempt


def failed(times, peer="a", now_s=100):
    """Failures after so many wrong tries, each made when the wait before was over. Ends at (list, now_s)."""
    failures = []
    for _ in range(times):
        wait_s = attempt(failures, peer, now_s, False)[1]
        if wait_s:
            now_s += wait_s
            attempt(failures, peer, now_s, False)
    return failures, now_s


def test_five_tries_are_free_and_each_further_one_doubles_the_wait():
    waits = []
    for times in range(10):
        failures, now_s = failed(times)
        waits.append(attempt(failures, "a", now_s, True)[1])
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16]


def test_while_it_waits_not_even_the_right_password_opens():
    failures, now_s = failed(8)
    assert attempt(failures, "a", now_s + 3, True) == (False, 5)
    assert attempt(failures, "a", now_s + 8, True) == (True, 0)


def test_the_wait_has_an_end():
    failures, now_s = failed(40)
    assert attempt(failures, "a", now_s, False)[1] == LONGEST_S


def test_a_peer_pays_for_itself_only_and_the_right_password_clears_it():
    failures, now_s = failed(9)
    assert attempt(failures, "b", now_s, True) == (True, 0)
    attempt(failures, "a", now_s + 1000, True)
    assert failures == []


def test_memory_is_bounded_and_the_oldest_is_forgotten():
    failures, now_s = failed(9)
    for number in range(PEERS):
        attempt(failures, str(number), now_s, False)
    assert attempt(failures, "a", now_s, True) == (True, 0) and len(failures) <= PEERS
