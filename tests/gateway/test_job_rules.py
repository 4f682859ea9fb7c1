"""The rules of a fleet job, without clock, node or engine."""
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.gateway.job_rules import AFTER, CONTROL, MOST_LOST, Job, Rules

HASTY = {"backoff_s": 0.0, "most_backoff_s": 0.0}


def begun(total: int, **rules) -> Job:
    return Job.begin(Rules(**{**HASTY, **rules}), total, now=0.0)


def do(job: Job, result: str, most: int = 1000, now: float = 0.0) -> int:
    """Claim what may be had, and let all of it end so."""
    claims = job.claim("gw", most, now)
    for claim in claims:
        assert job.settle(claim.index, claim.number, "gw", result, now)
    return len(claims)


def words(job: Job) -> dict[str, int]:
    return {word: count for word, count in job.counts().items() if count}


OUTCOMES = (
    # what came of each of two tries, the state of the node then
    (("ok",), "done"),
    (("current",), "current"),
    (("unknown",), "unknown"),
    (("failed", "ok"), "done"),
    (("failed", "failed"), "failed"),
    (("erred",), "failed"),                    # a command is not run again because it failed
    (("unsure", "erred"), "failed"),
    (("unreached", "ok"), "done"),
    (("unreached", "unreached"), "failed"),
    (("unsure", "ok"), "done"),
    (("unsure", "unsure"), "unknown"),
    (("unsure", "unreached"), "unknown"),      # the first try may have run
    (("unsure", "failed"), "failed"),          # the node has told
    (("lost", "unreached", "unreached"), "unknown"),
    (("lost", "ok"), "done"),
)


@pytest.mark.parametrize("results, state", OUTCOMES, ids=lambda row: "-".join(row) if isinstance(row, tuple) else row)
def test_what_becomes_of_a_node(results, state):
    job = begun(1, tries=2, abort_pct=100)
    for result in results:
        assert do(job, result) == 1
    assert job.state(0) == state and job.status == "done" and job.is_final


def test_a_canary_goes_first_and_alone():
    job = begun(100, phases=("5",))
    assert len(job.claim("a", 50, 0.0)) == 5
    assert job.claim("b", 50, 0.0) == []


def test_a_fault_in_the_canary_stops_the_job_before_the_others():
    job = begun(100, phases=("5",), tries=1)
    do(job, "failed")
    assert (job.status, words(job)) == ("stopped", {"waiting": 95, "failed": 5})
    assert "5 of 5 failed or are unknown in phase 1 (nodes 1 to 5), over 10 %" in job.why
    assert do(job, "ok") == 0


def test_resume_after_a_stop_tries_the_failed_again_and_goes_on():
    job = begun(30, phases=("5",), tries=1, concurrency=10)
    do(job, "failed")
    job.control("resume")
    while do(job, "ok"):
        pass
    assert (job.status, words(job)) == ("done", {"done": 30})


def test_a_few_failures_do_not_stop_a_large_phase():
    job = begun(100, tries=1, concurrency=20)
    assert do(job, "failed", 2) == 2 and job.status == "running"
    assert do(job, "failed", 1) == 1 and job.status == "stopped"       # 3 of 20 at a time, over 10 %


def test_no_more_at_a_time_than_allowed_over_all_gateways():
    job = begun(100, concurrency=7)
    assert [len(job.claim(name, 5, 0.0)) for name in "abc"] == [5, 2, 0]


def test_starts_a_minute_are_limited():
    job = begun(1000, per_minute=60, concurrency=1000)
    assert [len(job.claim("gw", 1000, now)) for now in (0.0, 0.5, 1.0, 1.2, 3.0)] == [1, 0, 1, 0, 1]
    assert job.wait_s(3.0) == pytest.approx(1.0)


def test_a_retry_waits_twice_as_long_each_time():
    job = begun(1, backoff_s=5, most_backoff_s=12, tries=5, abort_pct=100)
    waits, now = [], 0.0
    for _ in range(4):
        do(job, "unreached", now=now)
        waits.append(job.wait_s(now))
        now += waits[-1]
    assert waits == [5, 10, 12, 12]


def test_a_node_that_said_no_gets_a_new_id_and_one_that_was_not_reached_the_old():
    job = begun(1, tries=5)
    turns = []
    for result in ("unreached", "failed", "unsure", "failed", "ok"):
        claim, = job.claim("gw", 1, 0.0)
        turns.append((claim.turn, claim.again))
        job.settle(claim.index, claim.number, "gw", result, 0.0)
    assert turns == [(0, False), (0, False), (1, False), (1, True), (2, False)]


def test_what_a_dead_gateway_was_at_is_given_to_others_and_its_late_word_does_not_count():
    job = begun(10, concurrency=10)
    mine, others = job.claim("dead", 4, 0.0), job.claim("alive", 2, 0.0)
    assert job.release("dead", 1.0) == 4
    again = job.claim("alive", 10, 1.0)
    assert {claim.index for claim in again if claim.again} == {claim.index for claim in mine}
    assert not job.settle(mine[0].index, mine[0].number, "dead", "ok", 2.0)
    assert job.settle(others[0].index, others[0].number, "alive", "ok", 2.0)


def test_a_command_that_ran_and_failed_runs_again_only_by_a_person_and_under_a_new_id():
    job = begun(1, tries=20)
    do(job, "erred")
    assert job.status == "stopped" and job.claim("gw", 1, 9.0) == []
    job.control("resume", "anna")
    claim, = job.claim("gw", 1, 9.0)
    assert (claim.turn, claim.again) == (1, False)


def test_a_node_that_many_gateways_died_of_is_left_alone():
    job = begun(1)
    for _ in range(MOST_LOST + 1):
        job.claim("gw", 1, 0.0)
        job.release("gw", 0.0)
    assert words(job) == {"unknown": 1}


@pytest.mark.parametrize("status", ["running", "paused", "stopped", "aborted", "done"])
@pytest.mark.parametrize("word", ["pause", "resume", "abort"])
def test_what_a_person_may_ask(word, status):
    job = begun(3)
    job.status = status
    if (word, status) in CONTROL:
        job.control(word, "anna")
        assert job.status == CONTROL[word, status]
    else:
        with pytest.raises(UsageError, match=f"a job that is {status} cannot be told to {word}"):
            job.control(word)


def test_an_aborted_job_ends_when_what_runs_has_ended():
    job = begun(5)
    claim, = job.claim("gw", 1, 0.0)
    job.control("abort", "anna")
    assert words(job) == {"running": 1, "cancelled": 4} and not job.is_final
    job.settle(claim.index, claim.number, "gw", "unreached", 0.0)
    assert words(job) == {"failed": 1, "cancelled": 4} and job.is_final and job.why == "by anna"


@pytest.mark.parametrize("rules, words", [
    ({"concurrency": 0}, "concurrency is 1 to 1000, got 0"), ({"phases": ("x",)}, "a number of nodes or a share"),
    ({"phases": ("0",)}, "a number of nodes or a share"), ({"phases": ("120%",)}, "a number of nodes or a share"),
    ({"phases": ("2.5",)}, "a number of nodes or a share"), ({"speed": 3}, "no such rule: speed"),
    ({"tries": "many"}, "a rule has the wrong type")])
def test_wrong_rules_are_told(rules, words):
    with pytest.raises(UsageError, match=words):
        Rules.of(rules)


def test_phases_are_counts_or_shares():
    assert Rules(phases=("5", "10%", "50%")).ends(1000) == [5, 100, 500, 1000]
    assert Rules(phases=("5", "10%")).ends(3) == [1, 3]
    assert Rules(phases=("5",)).ends(5) == [5]


STEPS = st.lists(st.one_of(
    st.tuples(st.just("claim"), st.sampled_from("abc"), st.integers(1, 8)),
    st.tuples(st.just("settle"), st.integers(0, 30), st.sampled_from(sorted(AFTER))),
    st.tuples(st.just("die"), st.sampled_from("abc"), st.just(0)),
    st.tuples(st.sampled_from(["pause", "resume", "abort"]), st.just(""), st.just(0))), max_size=60)
RULES = st.builds(Rules, concurrency=st.integers(1, 6), tries=st.integers(1, 3),
                  abort_pct=st.sampled_from([0, 20, 100]), backoff_s=st.just(1.0), per_minute=st.sampled_from([0, 120]),
                  phases=st.sampled_from([(), ("3",), ("2", "50%")]))


@settings(max_examples=150, deadline=None)
@given(RULES, st.integers(1, 12), STEPS)
def test_whatever_happens_the_document_is_sound_and_the_job_ends(rules, total, steps):
    job = Job.begin(rules, total, 0.0)
    now, live, done_once = 0.0, [], set()
    for kind, first, second in steps:
        now += 1.0
        before = job.states.copy()
        if kind == "claim":
            claims = job.claim(first, second, now)
            live += [(claim, first) for claim in claims]
            assert all(claim.index < rules.ends(total)[job.phase] for claim in claims)
        elif kind == "settle" and live:
            claim, owner = live.pop(first % len(live))
            job.settle(claim.index, claim.number, owner, second, now)
            assert not job.settle(claim.index, claim.number, owner, second, now)      # told twice counts once
        elif kind == "die":
            job.release(first, now)
        elif (kind, job.status) in CONTROL:
            job.control(kind)
        job = Job.from_json(json.loads(json.dumps(job.to_json())))
        assert len(job.running) == job.states.count(b"r") <= rules.concurrency
        done_once |= {index for index in range(total) if before[index] in b"dcx"}
        assert all(job.states[index] in b"dcx" for index in done_once)                # what is done stays done
    for _ in range(20 * total):
        if job.status in ("paused", "stopped"):           # stopped once more by what failed before it was paused
            job.control("resume")
        for owner in "abc":
            job.release(owner, now)
        now += 1000
        do(job, "ok", now=now)
    assert job.is_final and sum(job.counts().values()) == total
