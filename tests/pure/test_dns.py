"""DNS messages; runs on CPython and on MicroPython."""
from micrOS.source.pure.dns import (
    ANY,
    PTR,
    SRV,
    TXT,
    A,
    DnsError,
    pointer,
    query,
    questions,
    record,
    records,
    reply,
    service,
    texts,
)

HEAD = b"\0\7\x84\0\0\1\0\2\0\0\0\0"            # ident 7, an answer, 1 question, 2 records
F_ISI_ARPA = b"\1F\3ISI\4ARPA\0"                # RFC 1035 section 4.1.4, the example, at 12
FOO = b"\3FOO\xc0\x0c"                          # FOO.F.ISI.ARPA
ADDRESS = b"\0\1\0\1\0\0\0\x78\0\4\x7f\0\1\2"   # A, Internet, 120 s, 127.0.1.2
PTR_IN = b"\0\x0c\0\1"


def refusal(function, *args):
    try:
        return list(function(*args)) and None
    except DnsError as error:
        return str(error)


def read(message):
    ident, is_answer, asked, place = questions(message)
    return ident, is_answer, asked, list(records(message, place))


def test_the_bytes_of_a_question():
    assert query(b"_micros._tcp.local", PTR) == b"\0\0\0\0\0\1\0\0\0\0\0\0\7_micros\4_tcp\5local\0\0\x0c\0\1"
    assert read(query(b"Lamp.local", A, 513)) == (513, False, [(b"lamp.local", A)], [])


def test_a_compressed_message_is_read():
    message = HEAD + F_ISI_ARPA + PTR_IN + FOO + ADDRESS + b"\xc0\x12" + ADDRESS
    assert read(message) == (7, True, [(b"f.isi.arpa", PTR)],
                             [(b"foo.f.isi.arpa", A, 120, b"\x7f\0\1\2"), (b"arpa", A, 120, b"\x7f\0\1\2")])


def test_a_reply_reads_back():
    told = (record(b"_micros._tcp.local", PTR, 120, pointer(b"Lamp._micros._tcp.local")),
            record(b"Lamp._micros._tcp.local", SRV, 120, service(9008, b"Lamp.local"), True),
            record(b"Lamp._micros._tcp.local", TXT, 120, texts((("uid", "u1"), ("files", 8266)))),
            record(b"Lamp.local", A, 10, b"\xc0\xa8\1\7", True))
    assert read(reply(told)) == (0, True, [], [
        (b"_micros._tcp.local", PTR, 120, b"lamp._micros._tcp.local"),
        (b"lamp._micros._tcp.local", SRV, 120, (9008, b"lamp.local")),
        (b"lamp._micros._tcp.local", TXT, 120, b"\6uid=u1\x0afiles=8266"),
        (b"lamp.local", A, 10, b"\xc0\xa8\1\7")])
    assert read(reply(told, 9, (b"lamp.local", ANY)))[:3] == (9, True, [(b"lamp.local", ANY)])


def test_only_what_is_unique_makes_others_forget():
    assert record(b"a", A, 1, b"\1\2\3\4", True)[3:7] == b"\0\1\x80\1"
    assert record(b"a", A, 1, b"\1\2\3\4")[3:7] == b"\0\1\0\1"


def test_a_dot_of_a_label_is_no_border():
    name = b"my\\.lamp._micros._tcp.local"
    assert query(name, SRV)[12:21] == b"\7my.lamp\7"
    assert questions(query(name, SRV))[2] == [(name, SRV)]


def test_no_text_is_one_empty_text():
    assert texts(()) == b"\0"                   # RFC 6763 section 6.1


CIRCLES = (
    b"\xc0\x0c",                                # to itself
    b"\1a\xc0\x0c",                             # to its own begin
    b"\xc0\x0e\xc0\x0c",                        # to and fro
    b"\xc0\x20",                                # forward
    b"\xff\xff",
)


def test_a_name_that_leads_in_a_circle_is_refused():
    for name in CIRCLES:
        message = b"\0\0\0\0\0\1\0\0\0\0\0\0" + name + PTR_IN + bytes(40)
        assert refusal(questions, message) == "a name that leads in a circle"


def test_a_long_way_back_is_read_to_its_end():
    hops = b"\1a\0\xc0\x0c" + b"".join([bytes((0xc0, 15 + 2 * at)) for at in range(60)])     # each to the one before
    message = b"\0\0\x84\0\0\0\0\1\0\0\0\0" + hops + bytes((0xc0, 15 + 2 * 60)) + ADDRESS
    assert [name for name, _, _, _ in records(message, 12 + len(hops))] == [b"a"]


ASKS = b"\0\0\0\0\0\1\0\0\0\0\0\0"
CUT = (b"", bytes(11), ASKS, ASKS + b"\3ab", ASKS + b"\1a\0\0", ASKS + b"\xc0", ASKS + b"\x40\0\0\1\0\1",
       ASKS + (b"\x3f" + b"a" * 63) * 5, b"\0\0\0\0\xff\xff\0\0\0\0\0\0\1a\0\0\1\0\1", b"\0\0\x28" + bytes(9))


def test_what_is_cut_off_or_no_message_is_refused():
    for data in CUT:
        assert refusal(questions, data), data


def test_records_that_were_whole_come_before_the_cut():
    message = HEAD[:4] + b"\0\0" + HEAD[6:] + (b"\1a\0" + ADDRESS) * 2
    for size in range(12, len(message)):
        got = []
        try:
            for each in records(message[:size], 12):
                got.append(each)
            raise AssertionError(size)
        except DnsError:
            assert len(got) == (size >= 12 + 17)


def test_an_address_has_four_bytes():
    assert refusal(records, reply((record(b"a", A, 1, b"\1\2\3"),)), 12) == "an address of 3 bytes"


def test_a_name_that_cannot_be_is_refused():
    for name in (b"", b"a..b", b".a", b"a.", b"a" * 64, b"a." * 127 + b"ab"):
        assert "is no name" in refusal(query, name, A), name
    assert questions(query(b"a" * 63 + b".local", A))[2] == [(b"a" * 63 + b".local", A)]
