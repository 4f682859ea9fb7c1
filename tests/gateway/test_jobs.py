"""Fleet jobs over a real engine, with nodes that are functions."""
import asyncio
import json
import os
import random
import signal
import zlib
from collections import Counter
from pathlib import Path

import pytest

from toolkit.errors import UnknownDeviceError, UsageError
from toolkit.gateway import job_ledger
from toolkit.gateway.engine import MIB, Engine, EngineFullError, Store
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.job_ledger import (
    BEATS,
    JOBS,
    Ledger,
    Outcome,
    Spec,
    TakenError,
    Target,
    UnreadableJobError,
    nodes_of,
    summary,
)
from toolkit.gateway.job_rules import Job, Rules
from toolkit.gateway.jobs import Crew, Presence
from toolkit.gateway.nats_server import EmbeddedServer

NODES = int(os.environ.get("FLEET_NODES", "200"))         # 1000 is the long form
HASTY = {"backoff_s": 0.0, "most_backoff_s": 0.0}


def with_engine(folder: Path, test):
    async def run():
        engine = Engine(None, EmbeddedServer(folder / "engine"))
        engine.declare(JOBS, BEATS)
        await engine.start()
        try:
            return await asyncio.wait_for(test(engine), 50)
        finally:
            await engine.stop()

    return asyncio.run(run())


def order(count: int, ident: str = "job-1", apart: dict | None = None, **what) -> Spec:
    nodes = [Target(f"uid{number}", f"node{number}", "127.0.0.1", number) for number in range(count)]
    return Spec(ident, "update", what, nodes, "all", "me", apart=apart or {})


def begun(rules: Rules, count: int = 3) -> Job:
    return Job.begin(rules, count, now=0.0)


async def ended(crew: Crew, ident: str = "job-1") -> dict:
    """The report, once nothing happens any more by itself."""
    while True:
        report = await summary(crew.ledger, ident)
        if report["status"] != "running" and not report["running"]:
            return report
        await asyncio.sleep(0.02)


class Nodes:
    """What was done to each; how many at a time. version: what the nodes that are not named in it have"""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.versions: dict[str, int] = {}
        self.fault = ""
        self.now = self.most = 0
        self.open = asyncio.Event()
        self.open.set()

    async def reach(self, count: int) -> None:
        """Until so many are under way."""
        while self.now < count:
            await asyncio.sleep(0.01)

    async def update(self, target: Target, spec: Spec, claim) -> Outcome:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(random.uniform(0, 0.002))
            await self.open.wait()
            if self.versions.get(target.uid) == 2:
                return Outcome("current", "it has version 2")
            if self.fault:
                return Outcome("failed", self.fault)
            self.done[target.uid] += 1
            self.versions[target.uid] = 2
            return Outcome("ok", "1 -> 2")
        finally:
            self.now -= 1


def crewed(engine: Engine, execute, count: int = 1, **options) -> list[Crew]:
    made = [Crew(engine, execute, owner=f"gw{number}", **{"lease_s": 3.0, **options}) for number in range(count)]
    for crew in made:
        crew.start()
    return made


def test_a_job_of_another_version_of_the_gateway_does_not_hold_up_the_others(tmp_path):
    async def use(engine):
        (crew,) = crewed(engine, Nodes().update)
        for ident, spec in (("job-0", order(1, "job-0").packed()), ("job-00", b"packed in another way")):
            await engine.put(JOBS, f"spec.{ident}", spec)
            await engine.put(JOBS, f"doc.{ident}", b'{"rules": {"of_tomorrow": 1}, "states": "w"}')
        assert await crew.create(order(3), Rules(**HASTY))
        assert (await ended(crew))["done"] == 3
        with pytest.raises(UnreadableJobError, match="another version"):
            await summary(crew.ledger, "job-0")
        await crew.stop()

    with_engine(tmp_path, use)


def test_a_faulty_update_stops_at_its_canary_and_goes_on_when_it_is_mended(tmp_path):
    async def use(engine):
        nodes = Nodes()
        nodes.fault = "modules/LM_lamp.mpy did not arrive as the manifest says"
        left, right = crewed(engine, nodes.update, 2)
        assert await left.create(order(NODES), Rules(concurrency=20, phases=("5",), tries=2, **HASTY))
        report = await ended(left)
        assert (report["status"], report["phase"], report["waiting"]) == ("stopped", 1, NODES - 5)
        assert not nodes.done
        rows = await nodes_of(left.ledger, "job-1", ["failed"])
        assert {row["text"] for row in rows} == {nodes.fault}
        nodes.fault = ""
        nodes.versions = {f"uid{number}": 2 for number in range(3, NODES, 3)}      # somebody has seen to these by hand
        await right.control("job-1", "resume", "anna")
        report = await ended(left)
        by_hand = len(range(3, NODES, 3))
        assert (report["status"], report["done"], report["current"]) == ("done", NODES - by_hand, by_hand)
        assert set(nodes.done.values()) == {1} and len(nodes.done) == NODES - by_hand
        assert 1 < nodes.most <= 20
        await asyncio.gather(left.stop(), right.stop())

    with_engine(tmp_path, use)


def test_the_engine_dies_in_mid_flight_and_nothing_that_was_done_is_lost(tmp_path):
    async def use(engine):
        nodes = Nodes()
        crew, = crewed(engine, nodes.update)
        await crew.create(order(60), Rules(concurrency=5, **HASTY))
        while sum(nodes.done.values()) < 10:
            await asyncio.sleep(0.01)
        nodes.open.clear()
        os.kill(engine._embedded._process.pid, signal.SIGKILL)
        while engine.state == "up":
            await asyncio.sleep(0.01)
        with pytest.raises(UnavailableError, match="the engine is down"):
            await crew.create(order(3, "job-2"), Rules())
        nodes.open.set()
        while nodes.now:                  # what was under way ends while the engine is down
            await asyncio.sleep(0.01)
        await engine.wait_up()
        report = await ended(crew)
        assert report["done"] == 60 and set(nodes.done.values()) == {1} and len(nodes.done) == 60
        assert await crew.ledger.idents() == ["job-1"]
        await crew.stop()

    with_engine(tmp_path, use)


def test_a_full_disk_refuses_new_jobs_and_keeps_the_outcomes_for_later(tmp_path, monkeypatch):
    small = Store("jobs", MIB // 2)
    monkeypatch.setattr(job_ledger, "JOBS", small)

    async def use(engine):
        engine.declare(small)
        await engine._prepare(engine.js)
        nodes = Nodes()
        nodes.open.clear()
        crew, = crewed(engine, nodes.update)
        await crew.create(order(20), Rules(concurrency=20, **HASTY))
        await nodes.reach(20)
        with pytest.raises(EngineFullError):
            for number in range(1000):
                await engine.put(small, f"ballast.{number}", os.urandom(9_000 if number < 40 else 500))
        with pytest.raises(EngineFullError, match="the engine is full"):
            await crew.create(order(50, "job-2"), Rules())
        nodes.open.set()
        while nodes.now:
            await asyncio.sleep(0.01)
        await engine.remove(small, "ballast.>")
        report = await ended(crew)
        assert (report["status"], report["done"]) == ("done", 20)
        with pytest.raises(UnknownDeviceError):
            await crew.ledger.spec("job-2")
        await crew.stop()

    with_engine(tmp_path, use)


def test_a_gateway_that_stops_gives_back_what_it_was_at(tmp_path):
    async def use(engine):
        nodes = Nodes()
        nodes.open.clear()
        left, = crewed(engine, nodes.update)
        await left.create(order(5), Rules(concurrency=5))
        await nodes.reach(5)
        await left.stop()
        job, _ = await left.ledger.job("job-1")
        assert job.counts()["waiting"] == 5 and job.past[0].again
        nodes.open.set()
        right, = crewed(engine, nodes.update)
        assert (await ended(right))["done"] == 5
        await right.stop()

    with_engine(tmp_path, use)


def test_pause_begins_nothing_new_and_abort_is_for_ever(tmp_path):
    async def use(engine):
        nodes = Nodes()
        nodes.open.clear()
        crew, = crewed(engine, nodes.update)
        await crew.create(order(10), Rules(concurrency=2))
        await nodes.reach(2)
        await crew.control("job-1", "pause", "anna")
        with pytest.raises(UsageError, match="abort it, and remove it"):
            await crew.ledger.remove("job-1")
        nodes.open.set()
        report = await ended(crew)
        assert (report["status"], report["why"], report["done"], report["waiting"]) == ("paused", "by anna", 2, 8)
        await crew.control("job-1", "abort", "bert")
        assert (await ended(crew))["cancelled"] == 8
        with pytest.raises(UsageError, match="a job that is aborted cannot be told to resume"):
            await crew.control("job-1", "resume", "anna")
        await crew.ledger.remove("job-1")
        assert await crew.ledger.idents() == [] and await engine.keys(JOBS) == []
        await crew.stop()

    with_engine(tmp_path, use)


def test_the_same_order_sent_twice_is_one_job(tmp_path):
    async def use(engine):
        nodes = Nodes()
        crew, = crewed(engine, nodes.update)
        assert await crew.create(order(3), Rules())
        assert not await crew.create(order(3), Rules())
        assert (await ended(crew))["done"] == 3 and set(nodes.done.values()) == {1}
        await crew.stop()

    with_engine(tmp_path, use)


def test_another_order_under_the_id_of_a_job_is_refused(tmp_path):
    async def use(engine):
        ledger = Ledger(engine)
        assert await ledger.create(order(3, apart={"value": "a"}, key="appwd"), begun(Rules()))
        for other, rules in ((order(3, apart={"value": "b"}, key="appwd"), Rules()),
                             (order(3, apart={"value": "a"}, key="auth"), Rules()),
                             (order(3, apart={"value": "a"}, key="appwd"), Rules(tries=1))):
            with pytest.raises(TakenError, match="another order under the id job-1"):
                await ledger.create(other, begun(rules))
        assert not await ledger.create(order(5, apart={"value": "a"}, key="appwd"), begun(Rules()))
        assert len((await ledger.spec("job-1")).targets) == 3

    with_engine(tmp_path, use)


def test_an_order_whose_gateway_died_amid_it_is_taken_up_when_it_comes_again(tmp_path):
    async def use(engine):
        nodes = Nodes()
        crew, = crewed(engine, nodes.update)
        left = order(2, apart={"value": "a"})
        await engine.put(JOBS, "spec.job-1", left.sealed(left.mark).packed())
        assert await crew.create(order(5, apart={"value": "a"}), Rules(**HASTY))
        report = await ended(crew)
        assert (report["status"], report["done"], report["nodes"]) == ("done", 2, 2)       # the nodes of that time
        await crew.stop()

    with_engine(tmp_path, use)


def test_an_id_that_was_used_before_begins_anew(tmp_path):
    async def use(engine):
        told = []

        async def tell(target, spec, claim):
            told.append((spec.what["say"], spec.on_node(claim.turn)))
            return Outcome("ok", spec.what["say"])

        crew, = crewed(engine, tell)
        other = Crew(engine, tell)                            # orders, and does nothing
        for word, orderer in (("first", crew), ("second", other), ("third", crew)):
            assert await orderer.create(order(8, say=word), Rules(concurrency=8))
            assert (await ended(crew))["done"] == 8
            assert {row["text"] for row in await nodes_of(crew.ledger, "job-1")} == {word}
            await other.ledger.remove("job-1")
        assert Counter(word for word, _ in told) == {"first": 8, "second": 8, "third": 8}
        assert len({ident for _, ident in told}) == 3
        await crew.stop()

    with_engine(tmp_path, use)


def test_what_a_gateway_still_does_for_a_removed_job_is_not_told_of_another_of_its_id(tmp_path):
    async def use(engine):
        nodes = Nodes()
        nodes.open.clear()

        async def say(target, spec, claim):
            await nodes.update(target, spec, claim)
            return Outcome("ok", spec.what["say"])

        crew, = crewed(engine, say)
        await crew.create(order(2, say="old"), Rules(concurrency=2))
        await nodes.reach(2)
        await crew.control("job-1", "abort", "anna")
        other = Crew(engine, nodes.update)                    # it takes the first one for dead
        job, revision = await other.ledger.job("job-1")
        job.release("gw0", 0.0)
        await other.ledger.change("job-1", revision, job)
        await other.ledger.remove("job-1")
        await other.create(order(2, say="new"), Rules(concurrency=2))
        nodes.open.set()
        report = await ended(crew)
        assert (report["what"], report["done"]) == ({"say": "new"}, 2)
        assert {row["text"] for row in await nodes_of(other.ledger, "job-1")} == {"new"}
        await crew.stop()

    with_engine(tmp_path, use)


def test_a_gateway_that_missed_how_an_id_went_to_another_job_does_that_one(tmp_path):
    async def say(target, spec, claim):
        return Outcome("ok", spec.what["say"])

    async def use(engine):
        crew, other = Crew(engine, say), Crew(engine, say)
        await other.create(order(2, say="old"), Rules())
        crew._active["job-1"] = await other.ledger.work("job-1")
        await other.control("job-1", "abort", "anna")
        await other.ledger.remove("job-1")
        await other.create(order(3, say="new"), Rules())
        crew.start()
        assert (await ended(crew))["done"] == 3
        assert {row["text"] for row in await nodes_of(other.ledger, "job-1")} == {"new"}
        await crew.stop()

    with_engine(tmp_path, use)


def test_the_jobs_that_have_been_over_for_longest_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(job_ledger, "KEPT_JOBS", 3)

    async def use(engine):
        ledger = Ledger(engine)
        for ident, status in (("z", "done"), ("a", "done"), ("open", "running"), ("m", "done"), ("b", "done")):
            job = begun(Rules(), 1)
            job.status = status
            await ledger.create(order(1, ident), job)
        assert sorted(await ledger.idents()) == ["b", "m", "open"]

    with_engine(tmp_path, use)


def test_what_is_secret_is_gone_from_the_disk_when_the_job_is_over(tmp_path):
    secret = {"value": os.urandom(20).hex()}
    packed = zlib.compress(json.dumps(secret, separators=(",", ":")).encode())

    def on_disk() -> bool:
        return any(packed in content(path) for path in tmp_path.rglob("*"))

    def content(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:                          # a folder, or one of the server's own that it has just removed
            return b""

    async def use(engine):
        seen = []

        async def look(target, spec, claim):
            seen.append((spec.whole["value"], on_disk()))
            return Outcome("ok")

        crew, = crewed(engine, look)
        await crew.create(order(2, apart=secret, value="***"), Rules(concurrency=1))
        assert (await ended(crew))["what"] == {"value": "***"}
        while await engine.keys(JOBS, "apart.>"):
            await asyncio.sleep(0.01)
        assert seen == [(secret["value"], True)] * 2 and not on_disk()
        assert not await crew.create(order(2, apart=secret, value="***"), Rules(concurrency=1))
        assert not await engine.keys(JOBS, "apart.>")
        await crew.stop()

    with_engine(tmp_path, use)


def test_secrets_that_a_dead_gateway_left_are_swept_away(tmp_path):
    async def use(engine):
        ledger = Ledger(engine)
        for ident, status in (("over", "done"), ("goes-on", "running")):
            job = begun(Rules(), 1)
            job.status = status
            await ledger.create(order(1, ident, apart={"value": "a"}), job)
        await engine.put(JOBS, "apart.never-made.0123456789", b"x")
        alone = await ledger.sweep(())
        assert alone == {"apart.never-made.0123456789"}
        assert [key.split(".")[1] for key in await engine.keys(JOBS, "apart.>")] == ["goes-on", "never-made"]
        assert await ledger.sweep(alone)
        assert [key.split(".")[1] for key in await engine.keys(JOBS, "apart.>")] == ["goes-on"]

    with_engine(tmp_path, use)


def test_nodes_that_a_gateway_has_no_room_for_wait_for_any_other(tmp_path):
    async def use(engine):
        nodes = Nodes()
        nodes.open.clear()
        left, = crewed(engine, nodes.update, rooms={"update": 2})
        await left.create(order(5), Rules(concurrency=5))
        await nodes.reach(2)
        job, _ = await left.ledger.job("job-1")
        assert (job.counts()["running"], job.counts()["waiting"]) == (2, 3)
        right = Crew(engine, nodes.update, owner="other", lease_s=3.0)
        right.start()
        await nodes.reach(5)
        nodes.open.set()
        assert (await ended(left))["done"] == 5 and nodes.most == 5
        await asyncio.gather(left.stop(), right.stop())

    with_engine(tmp_path, use)


def test_a_fault_of_ours_with_one_node_does_not_end_the_job(tmp_path, caplog):
    async def broken(target, spec, claim):
        if target.uid == "uid1":
            raise ValueError("oops")
        return Outcome("ok")

    async def use(engine):
        crew, = crewed(engine, broken)
        await crew.create(order(3), Rules(tries=2, abort_pct=100, **HASTY))
        report = await ended(crew)
        assert (report["done"], report["unknown"]) == (2, 1)
        row, = await nodes_of(crew.ledger, "job-1", ["unknown"])
        assert row["text"] == "the gateway failed at it: ValueError: oops"
        await crew.stop()

    with_engine(tmp_path, use)


def test_a_late_word_does_not_replace_a_later_one(tmp_path):
    from toolkit.gateway.job_rules import Claim

    async def use(engine):
        ledger, spec = Ledger(engine), order(1)
        await ledger.tell(spec, Claim(0, 7, 0, True), Outcome("ok", "second"))
        await ledger.tell(spec, Claim(0, 3, 0, False), Outcome("failed", "first, late"))
        assert (await ledger.told(spec, [0]))[0]["text"] == "second"

    with_engine(tmp_path, use)


@pytest.mark.parametrize("spec, words", [
    (order(1, "a.b"), "letters, digits and -"), (order(1, ""), "letters, digits and -"),
    (order(1, files={"a": os.urandom(1_000_000).hex()}), "split it"),
    (order(1, apart={"files": os.urandom(1_000_000).hex()}), "split it")], ids=["dot", "empty", "large", "heavy"])
def test_what_is_no_job_is_told(spec, words):
    with pytest.raises(UsageError, match=words):
        asyncio.run(Ledger(None).create(spec, None))


def test_a_gateway_is_dead_when_its_beat_stands_still():
    presence = Presence(10)
    presence.see({"a": 1, "b": 1}, 0)
    presence.see({"a": 2, "b": 1}, 6)
    assert not presence.is_dead("a", 11) and presence.is_dead("b", 11)
    assert not presence.is_dead("unheard of", 11) and presence.is_dead("unheard of", 22)
    presence.start_over(22)
    assert not presence.is_dead("b", 30)
