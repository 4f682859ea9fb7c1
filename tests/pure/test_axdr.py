"""A-XDR: every type both ways, lengths that lie, rows that come in pieces."""
from micrOS.source.pure import axdr
from micrOS.source.pure.axdr import AxdrError, Reader, ShortError, decode, pair
from micrOS.source.pure.axdr_rows import Rows
from micrOS.source.pure.axdr_write import encode

# (octets, typed, plain); tags: Blue Book, "Common data types"
ROWS = (
    ("00", (0, None), None),
    ("ff", (255, None), None),
    ("0301", (3, True), True),
    ("0300", (3, False), False),
    ("040ab5c0", (4, "1011010111"), "1011010111"),
    ("0400", (4, ""), ""),
    ("05fffffffe", (5, -2), -2),
    ("060012d687", (6, 1234567), 1234567),
    ("090b5155454330303030303031", (9, b"QUEC0000001"), b"QUEC0000001"),
    ("0900", (9, b""), b""),
    ("0a03534e31", (10, "SN1"), "SN1"),
    ("0a01e9", (10, "\u00e9"), "\u00e9"),
    ("0c02c3a9", (12, "\u00e9"), "\u00e9"),
    ("0d99", (13, -103), -103),
    ("0fff", (15, -1), -1),
    ("1080ff", (16, -32513), -32513),
    ("112a", (17, 42), 42),
    ("1208fd", (18, 2301), 2301),
    ("14ffffffffffffffff", (20, -1), -1),
    ("15ffffffffffffffff", (21, 18446744073709551615), 18446744073709551615),
    ("161e", (22, 30), 30),
    ("173fc00000", (23, 1.5), 1.5),
    ("18c00e000000000000", (24, -3.75), -3.75),
    ("1907e80102ff03040500000000", (25, b"\x07\xe8\x01\x02\xff\x03\x04\x05\0\0\0\0"),
     b"\x07\xe8\x01\x02\xff\x03\x04\x05\0\0\0\0"),
    ("1a07e80102ff", (26, b"\x07\xe8\x01\x02\xff"), b"\x07\xe8\x01\x02\xff"),
    ("1b03040500", (27, b"\x03\x04\x05\0"), b"\x03\x04\x05\0"),
    ("1c80", (28, -128), -128),
    ("1d8000", (29, -32768), -32768),
    ("1e80000000", (30, -2147483648), -2147483648),
    ("1fff", (31, 255), 255),
    ("20ffff", (32, 65535), 65535),
    ("21ffffffff", (33, 4294967295), 4294967295),
    ("02020fff161e", (2, ((15, -1), (22, 30))), (-1, 30)),
    ("010211011102", (1, [(17, 1), (17, 2)]), [1, 2]),
    ("0100", (1, []), []),
    ("13" + "12" + "04" + "00010002", (19, (18, [(18, 1), (18, 2)])), [1, 2]),
    ("13" + "02020609" + "0d" + "00000001" + "0161" + "00000002" + "026263",
     (19, ((2, (6, 9)), [(2, ((6, 1), (9, b"a"))), (2, ((6, 2), (9, b"bc")))])), [(1, b"a"), (2, b"bc")]),
    ("13" + "01000211" + "04" + "01020304",
     (19, ((1, 2, 17), [(1, [(17, 1), (17, 2)]), (1, [(17, 3), (17, 4)])])), [[1, 2], [3, 4]]),
)


def refused(work, *args):
    try:
        work(*args)
    except AxdrError:
        return True
    return False


def test_every_type_reads_as_its_plain_value():
    for octets, _, value in ROWS:
        assert decode(bytes.fromhex(octets)) == value, octets


def test_every_type_goes_both_ways():
    for octets, typed, _ in ROWS:
        assert encode(typed) == bytes.fromhex(octets), octets
        assert decode(bytes.fromhex(octets), pair) == typed, octets


def test_lengths_have_one_to_five_octets():
    for count, octets in ((0, "00"), (127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100"), (700, "8202bc"),
                          (65536, "8400010000")):
        assert axdr.length(count) == bytes.fromhex(octets)
        assert Reader(bytes.fromhex(octets)).length() == count
    assert Reader(b"\x83\x01\x00\x00").length() == 65536


def test_a_value_cut_anywhere_is_short():
    for octets, _, _ in ROWS:
        data = bytes.fromhex(octets)
        for at in range(len(data)):
            try:
                decode(data[:at])
            except ShortError:
                continue
            raise AssertionError(f"{octets} was read without its end")


def test_what_follows_a_value_is_refused():
    for octets, _, _ in ROWS:
        assert refused(decode, bytes.fromhex(octets) + b"\0")


def test_unknown_tags_and_false_lengths_are_refused():
    for octets in ("07", "0b00", "22", "fe", "0980", "0985ffffffffff", "09ff", "0984ffffffff", "01847fffffff",
                   "04847fffffff", "0c01ff", "13", "1300", "13000100", "130100ff00020000"):
        assert refused(decode, bytes.fromhex(octets)), octets


def test_nesting_and_promises_are_bounded():
    assert refused(decode, b"\x01\x01" * 5000 + b"\x00")
    assert refused(decode, b"\x13" + b"\x01\xff\xff" * 9 + b"\x11\x01\x00")
    # an array of 65535 times nothing, in a compact array
    assert refused(decode, b"\x13\x01\xff\xff\x00\x01\x00")
    assert refused(decode, b"\x13\x02\x82\x40\x00" + b"\x00" * 0x3FFF + b"\x11" + b"\x82\x10\x00" + bytes(4096))


def test_a_value_that_its_type_cannot_hold_is_refused():
    for typed in ((17, 256), (17, -1), (18, "x"), (9, 5), (10, "\u0416"), (6, None), (99, 0), (25, b"short"),
                  (4, "012"), (2, 5)):
        assert refused(encode, typed), typed


def profile(rows):
    return encode((1, [(2, ((9, bytes(12)), (6, number), (18, 230))) for number in range(rows)]))


def taken(octets, size, **options):
    rows, found = Rows(**options), []
    for at in range(0, len(octets), size):
        found += list(rows.feed(octets[at:at + size]))
    rows.finish()
    return found


def test_rows_come_out_as_they_are_whole_whatever_the_pieces():
    octets = profile(40)
    whole = decode(octets)
    for size in (1, 2, 3, 7, 19, 22, 23, 100, 5000):
        assert taken(octets, size) == whole


def test_rows_of_a_compact_array_come_out_alike():
    octets = bytes.fromhex("13020206") + b"\x12" + axdr.length(50 * 6)
    octets += b"".join([number.to_bytes(4, "big") + b"\x00\xe6" for number in range(50)])
    for size in (1, 5, 6, 7, 64, 500):
        assert taken(octets, size) == [(number, 230) for number in range(50)]


def test_rows_are_a_plain_list_when_they_are_numbers():
    assert taken(bytes.fromhex("010211011102"), 1) == [1, 2]
    assert taken(b"\x01\x00", 1) == []


def test_missing_rows_and_octets_too_many_are_told():
    octets = profile(3)
    assert refused(taken, octets[:-1], 10)
    assert refused(taken, octets + b"\0", 10)
    assert refused(taken, b"\x06\0\0\0\x01", 10)
    assert refused(taken, b"\x01", 10)


def test_a_row_that_never_ends_is_not_kept_for_ever():
    rows = Rows(100)
    assert refused(lambda: [list(rows.feed(b"\x01\x05\x09\x84\x7f\xff\xff\xff" + bytes(60))) for _ in range(2)])
