"""How long a guesser waits; runs on CPython and on MicroPython."""
from micrOS.source.pure.guard import CROWD_S, FORGET_S, FREE_TRIES, LONGEST_S, PEERS, attempt


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


def besieged(peers, until_s, failures=None):
    """(failures, tries that counted) of wrong passwords from so many addresses in turn, one each second."""
    failures, tries = [] if failures is None else failures, 0
    for now_s in range(until_s):
        tries += not attempt(failures, now_s % peers, now_s, False)[1]
        assert len(failures) <= PEERS + 1
    return failures, tries


def test_many_addresses_in_turn_win_no_more_tries_than_their_rows_have():
    for peers in (PEERS + 1, 100):
        tries = besieged(peers, 900)[1]
        # each row: the free ones, then 1, 2, 4 ... s apart; the shared one goes on every CROWD_S
        assert tries < (PEERS + 1) * (FREE_TRIES + 9) + 900 // CROWD_S, (peers, tries)


def test_who_is_new_waits_no_longer_than_a_moment_for_what_others_did():
    failures, _ = besieged(100, 900)
    is_in, wait_s = attempt(failures, "new", 900, True)
    assert is_in or 0 < wait_s <= CROWD_S
    assert attempt(failures, "new", 900 + CROWD_S, True) == (True, 0)


def test_who_has_shown_the_password_is_let_in_while_others_go_on_guessing():
    failures, _ = besieged(100, 900)
    attempt(failures, "own", 900 + CROWD_S, True)
    for now_s in range(1000, 1900):
        attempt(failures, now_s % 100, now_s, False)
        assert attempt(failures, "own", now_s, True) == (True, 0)
        assert len(failures) <= PEERS + 1


def test_the_right_password_of_somebody_frees_no_row_for_those_who_guess():
    failures, _ = besieged(100, 900)
    counts = max(row[1] for row in failures)
    for now_s in range(1000, 1000 + 20 * CROWD_S, CROWD_S):      # each comes when the shared wait is over
        assert attempt(failures, ("innocent", now_s), now_s, True) == (True, 0)
        assert not attempt(failures, ("guess", now_s), now_s, False)[1]
        assert attempt(failures, "guess again", now_s, False)[1] == CROWD_S
    assert max(row[1] for row in failures) >= counts and len(failures) <= PEERS + 1


def test_a_row_that_rested_for_long_makes_room():
    failures, _ = besieged(PEERS, 8 * PEERS)
    assert attempt(failures, "new", FORGET_S + 8 * PEERS, False) == (False, 0)
    assert [row[:2] for row in failures] == [("new", 1)]
