"""One question to a time server by rows; on both interpreters. RFC 4330, section 4."""
from micrOS.source.pure.civil import seconds
from micrOS.source.pure.sntp import BYTES, SntpError, answer, request

TOKEN = b"12345678"
TO_1900_S = 3155673600


def packet(first=0x24, stratum=2, origin=TOKEN, stamp=TO_1900_S, fraction=0):
    moment = (stamp % (1 << 32)).to_bytes(4, "big") + fraction.to_bytes(4, "big")
    return bytes((first, stratum)) + bytes(22) + origin + bytes(8) + moment


def refusal(data):
    try:
        answer(data, TOKEN)
    except SntpError as error:
        return str(error)
    raise AssertionError("taken")


def test_the_question_is_a_client_s_and_carries_the_token():
    data = request(TOKEN)
    assert len(data) == BYTES and data[0] & 7 == 3 and data[40:] == TOKEN


def test_the_answer_counts_from_2000():
    assert answer(packet(), TOKEN) == (0, 0)
    today_s = seconds(2026, 11, 21)
    assert answer(packet(stamp=TO_1900_S + today_s, fraction=1 << 31), TOKEN) == (today_s, 500)


def test_the_era_that_begins_in_2036_is_known():
    assert answer(packet(stamp=TO_1900_S + seconds(2040, 1, 1)), TOKEN)[0] == seconds(2040, 1, 1)


REFUSED = (
    (b"", "0 bytes"),
    (packet()[:47], "47 bytes"),
    (packet(origin=b"87654321"), "another question"),
    (packet(first=0x23), "does not know"),          # a client
    (packet(first=0xE4), "does not know"),          # its clock is not set
    (packet(stratum=0), "does not know"),           # kiss of death
    (packet(stratum=16), "does not know"),
    (packet(stamp=0), "no time"),
)


def test_what_tells_no_time_says_why():
    for data, expected in REFUSED:
        assert expected in refusal(data), (data, refusal(data))
