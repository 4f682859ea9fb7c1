"""FCS-16 beside numbers that were computed by another program; runs on CPython and on MicroPython."""
import json

from micrOS.source.pure.crc import GOOD, fcs16, running

with open("tests/vectors/rfc1662.json") as file:
    ANCHORS = json.load(file)["anchors"]


def test_the_check_value_of_the_catalogue():
    assert fcs16(b"123456789") == ANCHORS["check"] == 0x906E


def test_the_anchors():
    for data, value in ANCHORS["rows"]:
        assert fcs16(bytes.fromhex(data)) == value, data


def test_one_octet_gives_the_table_of_the_rfc():
    table = [running(bytes((octet,)), 0) for octet in range(256)]
    assert table[:8] == ANCHORS["table"] and table[255] == ANCHORS["table_last"]
    assert len(set(table)) == 256


def test_a_frame_and_its_fcs_low_octet_first_run_to_the_good_value():
    for data, value in ANCHORS["rows"]:
        assert running(bytes.fromhex(data) + bytes((value & 255, value >> 8))) == GOOD == ANCHORS["good"]


def test_pieces_run_on_where_the_last_one_ended():
    data = bytes(range(256))
    for at in range(257):
        assert running(data[at:], running(data[:at])) == running(data)


def test_every_single_bit_counts():
    data = bytes(range(16))
    seen = [fcs16(data)]
    for bit in range(128):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        seen.append(fcs16(changed))
    assert len(set(seen)) == 129
