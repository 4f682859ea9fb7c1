"""Beacons, mDNS messages and replies of other nodes, of any bytes: read alike on both interpreters, or refused."""
import contextlib
import json
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure import beacon, dns
from tests.fuzz import datagrams
from tests.fuzz.effort import REPLAYS, dice, hard, times
from tests.fuzz.outcomes import outcome
from tests.fuzz.replay import alike
from tests.micropython import command

ROOT = Path(__file__).parents[2]
TOKEN = datagrams.TOKEN
LINE = (b"micros!1 id=3f9a01c2 name=lamp uid=micr240ac40102c3OS ip=192.168.1.7 shell=9008 files=8266 "
        b"version=2.0.0-0 locked=yes board=ESP32S3")
QUESTION = beacon.question(TOKEN, "lamp")

# -- the beacon
WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
VALUES = st.tuples(WORD, WORD, WORD, st.integers(0, 65535), st.integers(0, 65535), WORD, st.booleans(), WORD)


def kinds(data):
    """What both readers make of bytes: values, or None for a refusal; anything else is a failure."""
    results = []
    for read in (beacon.asked, lambda data: beacon.told(data, TOKEN)):
        try:
            results.append(read(data))
        except beacon.BeaconError:
            results.append(None)
    return results


@hard
@given(st.binary(max_size=600) | st.binary(max_size=300).map(b"micros?1 id=1 ".__add__)
       | st.binary(max_size=200).map(b"micros!1 id=3f9a01c2 ".__add__))
@example(b"micros?" + b"9" * 240)
def test_any_bytes_are_a_beacon_or_refused_and_never_both(data):
    question, answer = kinds(data)
    assert question is None or answer is None


@hard
@given(VALUES)
def test_whatever_a_node_is_called_its_answer_reads_back_within_the_limit(values):
    data = beacon.answer(TOKEN, values)
    told = beacon.told(data, TOKEN)
    assert len(data) <= 2 * len(QUESTION)
    assert told[0] == values[0][:32] and told[1] == values[1][:40] and told[3:5] == values[3:5] and told[6] == values[6]


@hard
@given(st.data())
def test_a_beacon_with_other_bytes_in_it_is_read_or_refused(data):
    for whole in (LINE, QUESTION):
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        kinds(bytes(damaged))


# -- DNS
LABEL = st.binary(min_size=1, max_size=63).filter(lambda label: b"\0" not in label and b"\\" not in label)
NAME = st.lists(LABEL, min_size=1, max_size=4).map(
    lambda labels: b".".join(label.replace(b".", b"\\.") for label in labels)).filter(lambda name: len(name) < 250)
KIND = st.sampled_from((dns.A, dns.PTR, dns.TXT, dns.SRV, dns.ANY, 28, 47))
RECORD = st.tuples(NAME, KIND, st.integers(0, 0xFFFFFFFF), st.booleans(), st.binary(max_size=40), NAME)


def wire(name, kind, ttl_s, flush, data, target):
    """A record, and what reads back of it."""
    if kind == dns.PTR:
        return dns.record(name, kind, ttl_s, dns.pointer(target), flush), target.lower()
    if kind == dns.SRV:
        return dns.record(name, kind, ttl_s, dns.service(9008, target), flush), (9008, target.lower())
    data = (data + bytes(4))[:4] if kind == dns.A else data
    return dns.record(name, kind, ttl_s, data, flush), data


def read(message):
    """(ident, is_answer, questions, records, cut off), or None for a refusal."""
    try:
        ident, is_answer, asked, place, found, *rest = datagrams.message(message)
    except dns.DnsError:
        return None
    return ident, is_answer, asked, found, bool(rest)


@hard
@given(st.lists(RECORD, max_size=8), st.integers(0, 0xFFFF), st.none() | st.tuples(NAME, KIND))
def test_a_reply_reads_back(rows, ident, question):
    made = [wire(*row) for row in rows]
    asked = [(question[0].lower(), question[1])] if question else []
    assert read(dns.reply([packed for packed, _ in made], ident, question)) == (
        ident, True, asked,
        [(row[0].lower(), row[1], row[2], value) for row, (_, value) in zip(rows, made, strict=True)], False)


@hard
@given(st.binary(max_size=512) | st.binary(max_size=60).map((b"\0\0\0\0" + b"\xff" * 8).__add__))
def test_any_bytes_are_a_message_or_refused(data):
    message = read(data)
    assert message is None or len(message[2]) <= 64 and len(message[3]) <= 64


POINTERS = st.lists(st.sampled_from((0xC0, 0xC1, 12, 13, 14, 16, 20, 0, 1, 2, 3, 63, 64, 255)), max_size=300).map(bytes)


@hard
@given(POINTERS)
def test_names_that_jump_end(tail):
    """Bounded: a name holds 255 bytes, and each jump goes further back than the one before."""
    _, _, asked, found, _ = read(struct.pack(">6H", 0, 0, 8, 8, 8, 8) + tail) or (0, False, [], [], True)
    for name, *_ in asked + found:
        assert len(name) <= 2 * 255              # a dot of a label takes two


@hard
@given(st.lists(RECORD, min_size=1, max_size=6), st.integers(0, 600))
def test_what_is_cut_off_gives_the_records_before_the_cut(rows, size):
    whole = dns.reply([wire(*row)[0] for row in rows])
    message = read(whole[:size])
    assert message is None or message[3] == read(whole)[3][:len(message[3])]


PLAIN = st.lists(st.text("abcxyz059-_", min_size=1, max_size=20), min_size=1, max_size=4).map(
    lambda labels: ".".join(labels).encode())
SPOKEN = st.tuples(PLAIN, st.sampled_from((dns.A, dns.PTR, dns.TXT, dns.SRV)), st.integers(0, 0x7FFFFFFF),
                   st.booleans(), st.binary(max_size=9), PLAIN)


@hard
@given(st.lists(SPOKEN, max_size=6))
def test_zeroconf_reads_what_we_write(rows):
    from zeroconf import DNSIncoming

    told = DNSIncoming(dns.reply([wire(*row)[0] for row in rows]))
    assert told.valid and [(each.name, each.type, each.ttl, each.unique) for each in told.answers()] == [
        (row[0].decode() + ".", *row[1:4]) for row in rows]


# -- the same on the board's interpreter
def corpus():
    chance = dice("discovery")
    for _ in range(times(REPLAYS) // 2):
        for kind, whole in (("asked", QUESTION), ("told", LINE)):
            yield kind, damaged(chance, whole).hex()
        yield "message", damaged(chance, random_message(chance)).hex()


def damaged(chance, whole):
    data = bytearray(whole)
    for _ in range(chance.choice((0, 0, 1, 2, 5))):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[:chance.choice((len(data), len(data), chance.randint(0, len(data)))) or 1])


def random_message(chance):
    names = [b"_micros._tcp.local", b"lamp.local", b"My\\.Lamp._micros._tcp.local", b"a"]
    rows = [wire(chance.choice(names), chance.choice((1, 12, 16, 33, 47)), chance.randrange(9999),
                 chance.random() < 0.5, chance.randbytes(chance.randrange(9)), chance.choice(names))
            for _ in range(chance.randrange(5))]
    jump = bytes((0xC0, chance.randrange(64))) + struct.pack(">HHIH2B", 12, 1, 120, 2, 0xC0, chance.randrange(99))
    records = [packed for packed, _ in rows] + [jump] * chance.randrange(3)
    return dns.reply(records, chance.randrange(65536), chance.choice((None, (chance.choice(names), 12))))


def test_micropython_reads_the_same():
    cases = list(corpus())
    here = [json.loads(json.dumps(outcome(*case))) for case in cases]
    there = on_micropython(cases)
    assert [row for row in zip(cases, here, there, strict=True) if not alike(row[1], row[2])] == []
    assert [row for row in here if row[0] != "value"] == []
    assert {"refused"} < {str(row[1]) for row in here}       # some are read, some are not


def on_micropython(cases):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(case) + "\n" for case in cases)
        file.flush()
        words = [*command(), "-X", "heapsize=16M", "tests/fuzz/datagrams.py", file.name]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=50)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line]


# -- the node itself
GREETINGS = (b"lamp $ ", b"[password] lamp $ ", b"[configure] lamp $ ", b" $ ", b"", b"$ ", b"\xff $ ", b"lamp $ a $ ",
             b"Bye!\n\n", b"\0" * 50 + b" $ ", b"x" * 9000, b"lamp $ \n")
REPLIES = (b"<3 heartbeat <3\nlamp $ ", b"lamp $ ", b"\nlamp $ ", b"AuthOk\nlamp $ ", b"AuthFailed\nBye!\n",
           b"Bye!\n\n", b"text", b"text\n", b"lamp $", b"\xff\xfe\nlamp $ ", b"other $ ", b"x" * 8200,
           b"a $ \nlamp $ ", b"", b"\n" * 99)
# what `>>host` may answer: text of the other node, or one line that names the host and says why there is none
WHY = ("is busy", "gives no prompt", "is another node by now", "wants another password", "went away before",
       "says more than", "cannot be understood", "broke off", "gave no answer", "cannot be reached")


class Strange:
    """A node that says what it was told to say, whatever it is asked, and leaves."""

    def __init__(self, scripts):
        self._scripts = scripts
        self._door = socket.create_server(("127.0.0.1", 0))
        self.where = f"127.0.0.1:{self._door.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        for script in self._scripts:
            with contextlib.suppress(OSError):
                visitor, _ = self._door.accept()
                with visitor:
                    visitor.settimeout(0.02)
                    for piece in script:
                        visitor.sendall(piece)
                        with contextlib.suppress(TimeoutError):      # who waits for more than this is not served
                            visitor.recv(4096)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._door.close()
        self._thread.join(10)


def scripts(chance, count):
    for _ in range(count):
        replies = [chance.choice(REPLIES) if chance.random() < 0.8 else chance.randbytes(30) for _ in range(2)]
        yield chance.choice(GREETINGS), *replies


def test_whatever_another_node_replies_the_asker_gives_one_answer_and_goes_on(board):
    told = list(scripts(dice("intercon"), times(100)))
    with Strange(told) as strange, board.session() as session:
        for script in told:
            answer = session.send(f"system heartbeat >>{strange.where}")
            if answer.startswith(strange.where):
                assert answer.partition(" ")[2].startswith(WHY), (script, answer)
        assert session.send("system heartbeat") == "<3 heartbeat <3"
    assert "Traceback" not in board.console()


def test_datagrams_of_any_content_neither_stop_the_node_nor_make_it_larger(board):
    chance = dice("datagrams")
    board.shell("probe used")
    before = int(board.shell("probe used"))
    with ear() as mouth:
        for _ in range(times(100)):
            mouth.sendto(damaged(chance, chance.choice((QUESTION, LINE, chance.randbytes(300)))), EVERYBODY)
            message = bytearray(random_message(chance))
            message[2] &= 0x7F                       # a question: what nodes look into
            mouth.sendto(damaged(chance, message), MDNS)
    assert board.address in answering(board.address)
    assert "Traceback" not in board.console()
    assert int(board.shell("probe used")) - before < 4096


EVERYBODY = ("127.255.255.255", beacon.PORT)
MDNS = ("224.0.0.251", 5353)


def ear():
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    link.bind(("127.0.0.1", 0))
    link.settimeout(0.3)
    return link


def answering(wanted):
    """Addresses that answer a beacon, asked again until the wanted one does."""
    met = set()
    with ear() as mouth:
        for _ in range(20):
            mouth.sendto(beacon.question(TOKEN), EVERYBODY)
            with contextlib.suppress(TimeoutError):
                while wanted not in met:
                    data, sender = mouth.recvfrom(512)
                    beacon.told(data, TOKEN)
                    met.add(sender[0])
            if wanted in met:
                break
    return met
