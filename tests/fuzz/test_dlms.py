"""DLMS APDUs and frames of any octets: read alike on both interpreters, or refused with a documented error.

FUZZ_EXAMPLES=10000 tries 100,000 in the last test but one.
"""
import json
import subprocess
import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure import axdr, axdr_write, hdlc
from micrOS.source.pure.axdr_rows import Rows
from tests.fuzz.dlms import KINDS, METER, TITLE, outcome, side
from tests.fuzz.effort import REPLAYS, dice, hard, times
from tests.micropython import command
from toolkit.simulator.models.dlms_meter import DlmsMeter
from toolkit.simulator.models.dlms_meter_lines import HdlcStation, ResetError
from toolkit.simulator.models.dlms_meter_objects import House, house_objects

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((ROOT / "tests" / "vectors" / "dlms.json").read_text())["sessions"]
MESSAGES = [bytes.fromhex(text) for session in RECORDED for step in session["steps"] for text in step[1:3]]
APDUS = [octets[8:] for octets in MESSAGES if octets[:2] == b"\0\x01"]
FRAMES = [octets for octets in MESSAGES if octets[:1] == b"\x7e"]
ANSWERS = [octets for octets in APDUS if octets[0] == 0xC4]
ROWS = (1, [(2, ((9, bytes(12)), (6, 1234567), (18, 230))), (2, ((0, None), (6, 1234568), (18, 231)))])
COMPACT = (19, ((2, (6, 18)), [(2, ((6, at), (18, at))) for at in range(5)]))
# what each kind reads as it should be: harmed, it comes further in than any octets do
WHOLE = {
    "value": [axdr_write.encode(ROWS), axdr_write.encode(COMPACT), *[octets[4:] for octets in ANSWERS]],
    "rows": [axdr_write.encode(ROWS), axdr_write.encode(COMPACT)],
    "opened": [octets for octets in APDUS if octets[0] == 0x61],
    "answered": [bytes((len(octets),)) + octets for octets in ANSWERS if len(octets) < 256],
    "acted": [octets for octets in APDUS if octets[0] == 0xC7] + [
        bytes.fromhex(text) for text in ("c701c100", "c701c100000906" + 6 * "11", "c702c10100000001020000")],
    "listed": [bytes.fromhex("c403c102000600000001" + rest) for rest in ("0104", "0009020102", "00" + "1205dc")],
    "ciphered": [side(METER, TITLE, 7).protect(octets) for octets in ANSWERS[:5]],
    "framed": [b"".join(FRAMES[at:at + 3]) for at in (1, 3, 5, 9, 20)] + FRAMES,
    "wrapped": [octets for octets in MESSAGES if octets[:2] == b"\0\x01"],
    "agreed": [bytes.fromhex("8180140502008006020080070400000001080400000001"), b""],
}

# -- whatever can be written reads back
SCALAR = st.one_of(
    st.tuples(st.just(0), st.none()), st.tuples(st.just(3), st.booleans()),
    st.tuples(st.sampled_from((5, 30)), st.integers(-1 << 31, (1 << 31) - 1)),
    st.tuples(st.sampled_from((6, 33)), st.integers(0, (1 << 32) - 1)),
    st.tuples(st.sampled_from((13, 15, 28)), st.integers(-128, 127)),
    st.tuples(st.sampled_from((16, 29)), st.integers(-32768, 32767)),
    st.tuples(st.sampled_from((17, 22, 31)), st.integers(0, 255)),
    st.tuples(st.sampled_from((18, 32)), st.integers(0, 65535)),
    st.tuples(st.just(20), st.integers(-1 << 63, (1 << 63) - 1)), st.tuples(st.just(21), st.integers(0, (1 << 64) - 1)),
    st.tuples(st.just(23), st.floats(width=32, allow_nan=False)), st.tuples(st.just(24), st.floats(allow_nan=False)),
    st.tuples(st.just(9), st.binary(max_size=300)), st.tuples(st.just(12), st.text(max_size=80)),
    st.tuples(st.just(10), st.text(st.characters(max_codepoint=255), max_size=80)),
    st.tuples(st.just(4), st.text("01", max_size=40)), st.tuples(st.just(25), st.binary(min_size=12, max_size=12)))
TYPED = st.recursive(SCALAR, lambda inner: st.one_of(
    st.tuples(st.just(1), st.lists(inner, max_size=5)),
    st.tuples(st.just(2), st.lists(inner, max_size=5).map(tuple))), max_leaves=20)


@hard
@given(TYPED)
def test_a_typed_value_reads_back(typed):
    assert axdr.decode(axdr_write.encode(typed), axdr.pair) == typed


@hard
@given(st.lists(st.tuples(SCALAR, SCALAR), max_size=20), st.integers(1, 40))
def test_rows_read_back_whatever_the_pieces(rows, size):
    typed = (1, [(2, pair) for pair in rows])
    octets, reader, found = axdr_write.encode(typed), Rows(1000), []
    for at in range(0, len(octets), size):
        found += reader.feed(octets[at:at + size])
    reader.finish()
    assert found == axdr.decode(octets)


# -- whatever comes is read or refused
KIND = st.sampled_from(sorted(KINDS))
START = st.sampled_from([*APDUS, *FRAMES, *MESSAGES[:30]])


def sound(kind, octets):
    assert outcome(kind, octets)[0] != "broken", (kind, octets.hex(), outcome(kind, octets))


@hard
@given(KIND, st.binary(max_size=300))
@example("value", b"\x13\x02\x82\x40\x00" + b"\x00" * 300)
@example("value", b"\x01\x84\xff\xff\xff\xff")
def test_any_octets_are_read_or_refused(kind, octets):
    sound(kind, octets)


@hard
@given(KIND, START, st.data())
def test_what_was_recorded_is_read_or_refused_with_other_octets_in_it(kind, whole, data):
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)) | st.just(len(changed)))
    sound(kind, bytes(changed[:cut]))


@hard
@given(st.lists(st.binary(max_size=40).map(lambda rest: b"\xc4\x02\xc1" + rest) | st.sampled_from(APDUS), max_size=6))
def test_any_answers_one_after_the_other_are_an_answer_or_refused(answers):
    sound("answered", b"".join(bytes((min(255, len(each)),)) + each[:255] for each in answers))


@hard
@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20), st.booleans()), max_size=12))
def test_a_link_survives_any_frames(frames):
    octets = b"".join(hdlc.Frame(b"\x21", b"\x03", control, information, more).octets()
                      for control, information, more in frames)
    sound("framed", hdlc.Frame(b"\x21", b"\x03", hdlc.UA).octets() + octets)


# -- the simulated meter answers whatever it hears
@hard
@given(st.lists(st.sampled_from(APDUS) | st.binary(min_size=1, max_size=80), max_size=6), st.data())
def test_the_meter_answers_any_apdu(asked, data):
    device = DlmsMeter(house_objects(House(lambda: 1_704_196_800.0), 20)).client(16)
    device.answer(APDUS[0])
    for each in asked:
        changed = bytearray(each)
        if data.draw(st.booleans()):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        assert device.answer(bytes(changed))


@hard
@given(st.lists(st.sampled_from(FRAMES) | st.binary(max_size=60), max_size=8))
def test_the_meter_on_a_wire_survives_any_octets(pieces):
    said = []
    station = HdlcStation(DlmsMeter(house_objects(House(lambda: 1_704_196_800.0), 20)), said.append)
    for each in pieces:
        try:
            station.feed(each)
        except ResetError as error:
            raise AssertionError from error
    for octets in said:
        hdlc.parse(octets[1:-1])


# -- in great numbers, and the same on the board's interpreter
def corpus(count, salt="dlms"):
    chance = dice(salt)
    for _ in range(count):
        kind = chance.choice(sorted(KINDS))
        octets = bytearray(chance.choice(WHOLE[kind]) if chance.random() < 0.8 else
                           chance.choice([*APDUS, *FRAMES, chance.randbytes(chance.randrange(60))]))
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            if octets:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        yield kind, bytes(octets[:chance.choice((len(octets), len(octets), chance.randint(0, len(octets))))])


def test_nothing_but_documented_errors():
    """3,000 in the suite; 100,000 with FUZZ_EXAMPLES=10000."""
    broken = [case for case in corpus(times(3000), "many") if outcome(*case)[0] == "broken"]
    assert broken == []


def test_micropython_reads_the_same():
    cases = list(corpus(REPLAYS))
    here = [outcome(*case) for case in cases]
    there = on_micropython(cases)
    assert [row for row in zip(cases, here, there, strict=True) if row[1] != row[2]] == []
    assert [row for row in here if row[0] == "broken"] == []


def on_micropython(cases):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps([kind, octets.hex()]) + "\n" for kind, octets in cases)
        file.flush()
        words = [*command(), "-X", "heapsize=16M", "tests/fuzz/dlms.py", file.name]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=50)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line]
