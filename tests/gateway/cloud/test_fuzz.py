"""Whatever comes through the door or in its JSON: an answer or the end of that one session, and nothing is left over.

MICROS_FUZZ_CLOUD=100000 tries as many inputs; MICROS_FUZZ_SEED names the run to be repeated.
"""
import asyncio
import gc
import json
import logging
import os
import random
import secrets

import pytest

from micrOS.source.pure import mqtt, tr50
from tests.gateway.cloud.light import WithCloud
from toolkit.gateway import app as assembly
from toolkit.gateway.cloud.commands import COMMANDS, Speaker, answer
from toolkit.gateway.cloud.operator import Operators
from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.inventory import Inventory

INPUTS = int(os.environ.get("MICROS_FUZZ_CLOUD", "1200"))
SEED = os.environ.get("MICROS_FUZZ_SEED") or secrets.token_hex(4)
KEY = "fuzz-app"
MORE = 1500                    # objects that the second half of the inputs may leave behind
NAMES = ("thingKey", "key", "value", "ts", "corrId", "corrid", "data", "state", "msg", "lat", "lng", "id", "errorCode",
         "errorMessage", "params", "fileName", "crc32", "global", "public", "method", "ackTimeout", "ttl", "limit",
         "name", "desc", "unset", "iccid", "republish", "autoComplete", "username", "password", "appToken")
TEXTS = ("", KEY, "x", "a.b", "*", ">", "../..", "\0", "\ud800", "\U0001f600", "x" * 300, "2026-11-21T01:00:00.000000Z",
         "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "NaN", "=", "%s{}", "all", "1" * 400)
NUMBERS = (0, 1, -1, 1.5, 2 ** 31, 2 ** 53, 2 ** 64, 10 ** 40, -2 ** 63, float("nan"), float("inf"), 1e308, -0.0)

pytestmark = pytest.mark.timeout(60 + INPUTS // 50)


def value(dice, depth=0):
    kind = dice.randrange(8 if depth < 3 else 5)
    if kind == 5:
        return [value(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind > 5:
        return {dice.choice(NAMES): value(dice, depth + 1) for _ in range(dice.randrange(5))}
    return (None, dice.random() < 0.5, dice.choice(NUMBERS), dice.choice(TEXTS), dice.choice(TEXTS))[kind]


def params(dice):
    made = {name: value(dice) for name in dice.sample(NAMES, dice.randrange(8))}
    if dice.random() < 0.7:
        made |= {"thingKey": KEY, "key": dice.choice((KEY, "temp"))}
    if dice.random() < 0.3:
        made["data"] = [dict(dice.sample(sorted(made.items(), key=str), min(3, len(made)))) for _ in range(3)]
    return made


def request(dice):
    idents = ("1", "2", "a", '"', "1" * 50)
    rows = {dice.choice(idents): {"command": dice.choice(list(COMMANDS)), "params": params(dice)}
            for _ in range(dice.randrange(1, 4))}
    return json.dumps(rows).encode("utf-8", "surrogatepass")


def mutated(dice, data):
    data = bytearray(data)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            data[at:at + 1] = bytes((dice.randrange(256),))
        elif kind == 1:
            del data[at:at + dice.randrange(1, 9)]
        elif kind == 2:
            data[at:at] = dice.randbytes(dice.randrange(1, 9))
        else:
            data[at:at] = data[:dice.randrange(1, 64)]
    return bytes(data)


def conversation(dice, token):
    """Bytes of a whole connection, most of them right."""
    hello = mqtt.connect(KEY, KEY, token if dice.random() < 0.8 else "guess", dice.choice((0, 1, 60)))
    packets = [hello]
    for number in range(dice.randrange(6)):
        payload = request(dice) if dice.random() < 0.6 else dice.randbytes(dice.randrange(40))
        payload = mutated(dice, payload) if dice.random() < 0.3 else payload
        topic = dice.choice((tr50.api_topic(number), "api/1", "reply/0001", "x", "api/" + "9" * 12))
        packets.append(mqtt.publish(topic, payload, 1, number + 1))
    packets += dice.choices((mqtt.packet(mqtt.PINGREQ), mqtt.puback(1), mqtt.subscribe(5, [("#", 1)]), hello,
                             mqtt.packet(mqtt.DISCONNECT)), k=dice.randrange(3))
    data = b"".join(packets)
    return mutated(dice, data) if dice.random() < 0.6 else data


class Bytes:
    """A link that says so much, in pieces, and is gone."""

    peer = "fuzz"

    def __init__(self, dice, data):
        cut = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(3)))
        self._pieces = [data[a:b] for a, b in zip([0, *cut], [*cut, len(data)], strict=True) if a < b]
        self.said = bytearray()

    async def read(self):
        await asyncio.sleep(0)
        return self._pieces.pop(0) if self._pieces else b""

    async def send(self, data):
        self.said += data

    def close(self):
        self._pieces.clear()


def with_cloud(folder, work):
    async def run():
        settings = WithCloud(folder=folder, engine="off", discover=False, cloud=CloudSettings(mqtt=None))
        cloud = assembly.build(settings, Inventory(folder / "d.json"), ("cloud",)).state.cloud
        await cloud.start()
        try:
            _, token = await cloud.things.make_token(KEY, "share", limits={"rate_hz": 1e9, "burst": 1e9})
            return await work(cloud, token)
        finally:
            await cloud.stop()

    return asyncio.run(run())


class Growth:
    """How many objects there are when half of the inputs are done, and when all are."""

    def __init__(self, inputs):
        self._marks = (inputs // 2, inputs - 1)
        self.sizes = []

    async def look(self, cloud, number):
        """After input `number`, when nothing of it is under way any more."""
        if number in self._marks:
            while len(cloud.mailbox._chores) > 1:        # one is its sweep
                await asyncio.sleep(0)
            gc.collect()
            self.sizes.append(len(gc.get_objects()))

    def check(self, cloud):
        assert not cloud.door.sessions and not cloud.door._links and cloud.door.strangers == 0
        assert not cloud.mailbox._boxes and not cloud.mailbox._waiters
        assert not cloud.samples._lasts and not cloud.samples._untimed
        half, whole = self.sizes
        assert whole < half + MORE, (SEED, half, whole)


def test_no_conversation_breaks_the_door(tmp_path, caplog):
    dice = random.Random(SEED)
    caplog.set_level(logging.WARNING)

    async def work(cloud, token):
        growth = Growth(INPUTS // 3)
        for number in range(INPUTS // 3):
            data = conversation(dice, token) if dice.random() < 0.9 else dice.randbytes(dice.randrange(1, 80))
            try:
                await cloud.door.serve(Bytes(dice, data))
            except Exception as error:
                raise AssertionError(f"seed {SEED}, input {number}: {data!r}") from error
            await growth.look(cloud, number)
        growth.check(cloud)

    with_cloud(tmp_path, work)
    assert not [row for row in caplog.records if row.levelno >= logging.ERROR], SEED


def test_no_command_breaks_what_is_behind_it(tmp_path, caplog):
    dice = random.Random(SEED + "json")
    outcomes = {True: 0, False: 0}

    async def work(cloud, token):
        thing = await cloud.things.admit(KEY, token.encode())
        speakers = [Speaker(KEY, thing), Speaker("me", role=lambda role: role != "nobody")]
        growth = Growth(INPUTS - 2 * (INPUTS // 3))
        for number in range(INPUTS - 2 * (INPUTS // 3)):
            speaker, command, given = dice.choice(speakers), dice.choice(list(COMMANDS)), params(dice)
            given["ackTimeout"] = 0 if "ackTimeout" in given else 0.001
            speaker.ident = str(number)
            try:
                reply = await answer(cloud, speaker, command, given)
                tr50.loaded(json.dumps(reply, allow_nan=False))
            except Exception as error:
                raise AssertionError(f"seed {SEED}, input {number}: {command} {given!r}") from error
            outcomes[reply["success"]] += 1
            if number % 500 == 0:
                await cloud.forget(KEY)
                thing = await cloud.things.admit(KEY, token.encode())
                speakers[0] = Speaker(KEY, thing)        # as another session of it
            await growth.look(cloud, number)
        growth.check(cloud)

    with_cloud(tmp_path, work)
    assert min(outcomes.values()) > INPUTS // 60, outcomes
    assert not [row for row in caplog.records if row.levelno >= logging.ERROR], SEED


def test_no_request_of_an_operator_breaks_the_api(tmp_path):
    dice = random.Random(SEED + "api")

    async def work(cloud, token):
        operators = Operators(cloud)
        operators._slowed = lambda: asyncio.sleep(0)
        told = await operators.answer("", tr50.dumped({"auth": {"command": "api.authenticate", "params": {
            "appToken": token, "appId": "a", "thingKey": KEY}}}).encode())
        session = told["auth"]["params"]["sessionId"]
        growth = Growth(INPUTS // 3)
        for number in range(INPUTS // 3):
            data = request(dice) if dice.random() < 0.7 else mutated(dice, request(dice))
            try:
                json.dumps(await operators.answer(dice.choice((session, "", "guess")), data), allow_nan=False)
            except tr50.Tr50Error:
                pass
            except Exception as error:
                raise AssertionError(f"seed {SEED}, input {number}: {data!r}") from error
            await growth.look(cloud, number)
        growth.check(cloud)
        assert operators._wrong == 0

    with_cloud(tmp_path, work)
