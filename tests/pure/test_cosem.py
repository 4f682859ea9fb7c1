"""COSEM requests, answers and the association: recorded conversations word for word, and answers that are wrong."""
import json

from micrOS.source.pure import acse, axdr, axdr_write, cosem, cosem_write
from micrOS.source.pure.acse import AcseError
from micrOS.source.pure.axdr import AxdrError
from micrOS.source.pure.ciphering import Ciphering
from micrOS.source.pure.ciphering_errors import SecurityError
from micrOS.source.pure.cosem import AccessError, CosemError, RefusedError, obis, target
from micrOS.source.pure.cosem_open import Opening
from micrOS.source.pure.cosem_text import TimeError, moment, moment_text, scaled, show, unit
from micrOS.source.pure.cosem_time import class_name, later, moment_octets
from micrOS.source.pure.cosem_write import Writer
from micrOS.source.pure.gcm import Gcm
from tests.pure.aes import blocks

DOCUMENTED = (CosemError, AcseError, AxdrError, SecurityError)
with open("tests/vectors/dlms.json") as file:
    VECTORS = json.load(file)
RECORDED = {session["label"]: session["steps"] for session in VECTORS["sessions"]}
KEYS = VECTORS["security"]
ENERGY = target(3, obis("1.0.1.8.0.255"), 2)
PASSWORD = b"12345678"
_LONG = bytes([at * 3 & 0xFF for at in range(700)])

# what each recorded step asks, and the value that its answer holds
STEPS = {
    "GET 0.0.42.0.0.255 a2": (1, b"QUEC0000001"), "GET 0.0.96.1.0.255 a2": (1, b"SN12345678"),
    "GET 1.0.1.8.0.255 a2": (3, 1234567), "GET 1.0.1.8.0.255 a3": (3, (-1, 30)), "GET 1.0.32.7.0.255 a2": (3, 2301),
    "GET 0.0.1.0.0.255 a2": (8, bytes.fromhex("07e80102ff03040500000000")), "GET 0.0.96.1.9.255 a2": (1, _LONG),
    "GET 0.0.96.1.0 a2": (1, b"SN12345678"), "GET 1.0.1.8.0 a2": (3, 1234567), "GET 1.0.1.8.0 a3": (3, (-1, 30)),
    "GET 0.0.1.0.0 a2": (8, bytes.fromhex("07e80102ff03040500000000")), "GET": (3, 1234567),
}


def unwrapped(text):
    """The APDU in a recorded message."""
    return bytes.fromhex(text)[8:]


def raises(error, work, *args):
    try:
        work(*args)
    except error:
        return True
    return False


def on(**options):
    """A client that is associated."""
    opening = Opening()
    opening.associate()
    assert opening.take(unwrapped(RECORDED["wrapper_none"][0][2])) is None
    return Writer(None, opening.meter_takes, **options)


def sessions():
    for label in ("wrapper_none", "wrapper_lls", "wrapper_none_pdu128_blocktransfer", "dlms_cosem_none",
                  "dlms_cosem_lls", "hls_gmac_scripted_meter"):
        yield label, RECORDED[label]


def question(name):
    """(class, obis, attribute, value) of a recorded GET."""
    if name not in STEPS:
        return None
    words = (name + " 1.0.1.8.0.255 a2").split()
    class_id, value = STEPS[name]
    return class_id, obis(words[1]), int(words[2][1:]), value


def test_every_recorded_get_is_asked_and_understood():
    seen = 0
    for label, steps in sessions():
        for name, sent, came, _ in steps:
            if question(name):
                class_id, code, number, value = question(name)
                client = on()
                assert client.get(target(class_id, code, number)) == unwrapped(sent), (label, name)
                if unwrapped(came)[1] == cosem.NORMAL:
                    assert client.take(unwrapped(came)) is None
                    assert client.result == value
                    seen += 1
    assert seen >= 25


def test_a_long_value_comes_in_blocks_word_for_word():
    client = on()
    said = client.get(target(1, obis("0.0.96.1.9.255"), 2))
    for name, sent, came, _ in RECORDED["wrapper_none_pdu128_blocktransfer"]:
        if name.startswith("GET 0.0.96.1.9.255"):
            assert said == unwrapped(sent), name
            said = client.take(unwrapped(came))
    assert said is None and client.result == _LONG and client.state == "on"


def test_every_recorded_set_and_action_too():
    seen = 0
    for label, steps in sessions():
        for name, sent, came, _ in steps:
            client = on()
            if name.startswith("SET"):
                value = unwrapped(sent)[-1]
                said = client.set(target(1, obis("0.0.96.3.10.254"), 2), (axdr_write.UINT8, value))
            elif name.startswith("ACTION"):
                said = client.action(target(70, obis("0.0.96.3.10.255"), 1), (axdr_write.INT8, 0))
            else:
                continue
            # dlms-cosem numbers its actions 0
            assert said[:2] + said[3:] == unwrapped(sent)[:2] + unwrapped(sent)[3:], (label, name)
            came = unwrapped(came)
            assert client.take(came[:2] + said[2:3] + came[3:]) is None
            seen += 1
    assert seen == 10


def test_an_object_that_is_not_there_leaves_the_association():
    client = on()
    step = [step for step in RECORDED["wrapper_none"] if step[0] == "GET unknown object"][0]
    assert client.get(target(1, obis("1.0.99.99.99.255"), 2)) == unwrapped(step[1])
    try:
        client.take(unwrapped(step[2]))
    except AccessError as error:
        assert (error.code, client.state) == (4, "on")
    else:
        raise AssertionError("the refusal was not told")


def test_the_recorded_associations_are_opened_word_for_word():
    for label, mechanism in (("wrapper_none", acse.NONE), ("wrapper_lls", acse.LLS),
                             ("wrapper_none_pdu128_blocktransfer", acse.NONE)):
        _, sent, came, _ = RECORDED[label][0]
        most = 128 if "128" in label else 0xFFFF
        value = PASSWORD if mechanism else b""
        assert acse.aarq(acse.initiate(0x401E5D, most), acse.PLAIN, mechanism, value) == unwrapped(sent)
        aare = acse.Aare(unwrapped(came))
        assert (aare.result, aare.diagnostic, aare.context) == (0, 0, acse.PLAIN)
        assert acse.initiated(aare.user) == (0x401E5D, most)
        client = Opening(mechanism=mechanism, secret=value)
        assert client.associate() == acse.aarq(acse.initiate(acse.CONFORMANCE, 1024), acse.PLAIN, mechanism, value)
        assert client.take(unwrapped(came)) is None and client.state == "on"


def test_a_wrong_password_is_refused_with_the_reason():
    client = Opening(mechanism=acse.LLS, secret=b"wrongpwd")
    client.associate()
    try:
        client.take(unwrapped(RECORDED["wrapper_lls_wrong_password"][0][2]))
    except RefusedError as error:
        assert "authentication failure" in str(error) and client.state == "off"
    else:
        raise AssertionError("the refusal was not told")


def test_the_release_is_word_for_word_and_even_a_wrong_answer_ends_it():
    for label, steps in sessions():
        _, sent, came, _ = steps[-1]
        client = on()
        said = client.release()
        if "dlms_cosem" not in label:            # that client repeats its wishes in the release
            assert said == unwrapped(sent)
        assert client.take(unwrapped(came)) is None and client.state == "off"


def gmac(key=None, challenge=None, first=5):
    told = [each for each in VECTORS["sessions"] if each["label"] == "hls_gmac_scripted_meter"][0]["parameters"]
    numbers = iter(range(first, 100))
    ciphering = Ciphering(Gcm(blocks(bytes.fromhex(key or told["EK"]))), bytes.fromhex(told["AK"]),
                          bytes.fromhex(told["client_system_title"]), lambda: next(numbers))
    return Opening(ciphering, False, acse.GMAC, challenge or bytes.fromhex(told["CtoS"]), most_octets=0xFFFF)


def test_both_sides_prove_themselves_word_for_word():
    client = gmac()
    (_, sent, came, _), (_, proof, answer, _), (_, _, got, _), _ = RECORDED["hls_gmac_scripted_meter"]
    said = client.associate()
    assert said.replace(b"\x00\x1e\x1d", b"\x40\x1e\x5d") == unwrapped(sent)      # the conformance is ours
    assert client.take(unwrapped(came)) == unwrapped(proof)
    assert client.take(unwrapped(answer)) is None and client.state == "on"
    client = Writer(None, client.meter_takes, 8192, 1)
    said = client.get(ENERGY)
    assert client.take(unwrapped(got)[:2] + said[2:3] + unwrapped(got)[3:]) is None
    assert client.result == 1234567


def test_a_wrong_key_is_told():
    client = gmac(key="00" * 16)
    (_, _, came, _), (_, proof, answer, _) = RECORDED["hls_gmac_wrong_key"][:2]
    client.associate()
    assert client.take(unwrapped(came)) == unwrapped(proof)
    assert raises(SecurityError, client.take, unwrapped(answer))
    assert client.state == "off"


def test_a_meter_with_other_keys_is_not_believed():
    _, _, came, _ = RECORDED["hls_gmac_scripted_meter"][0]
    answer = unwrapped(RECORDED["hls_gmac_scripted_meter"][1][2])
    for at in range(8 * 8, 8 * len(answer)):
        client = gmac()
        client.associate()
        client.take(unwrapped(came))
        changed = bytearray(answer)
        changed[at // 8] ^= 1 << at % 8
        assert raises(DOCUMENTED, client.take, bytes(changed)), at
        assert client.state == "off"
    # its challenge is ours, thrown back: who answers that helps the other side to a proof
    client = gmac(challenge=bytes.fromhex("503677524a323146"))
    client.associate()
    assert raises(SecurityError, client.take, unwrapped(came))


def test_a_meter_that_wants_no_proof_when_we_do_is_refused():
    client = gmac()
    client.associate()
    assert raises(SecurityError, client.take, unwrapped(RECORDED["wrapper_none"][0][2]))


# -- ciphered
CLIENT_TITLE, METER_TITLE = bytes.fromhex(KEYS["system_title"]), b"MTR\0\0\0\0\x01"


def side(title, key=KEYS["EK"]):
    numbers = iter(range(1, 1000))
    return Ciphering(Gcm(blocks(bytes.fromhex(key))), bytes.fromhex(KEYS["AK"]), title, lambda: next(numbers))


def aare(user, title, context=acse.CIPHERED):
    fields = (acse.field(0xA1, acse.field(6, acse.name(1, context))), acse.field(0xA2, b"\x02\x01\0"),
              acse.field(0xA3, b"\xa1\x03\x02\x01\0"), acse.field(0xA4, acse.field(4, title)),
              acse.field(0xBE, acse.field(4, user)))
    return acse.field(acse.AARE, b"".join(fields))


INITIATED = bytes.fromhex("0800065f1f0400001e1d04000007")


def ciphered(key=KEYS["EK"], title=b""):
    """A client and the meter's side of the ciphering, the association open."""
    ours, meter = side(CLIENT_TITLE), side(METER_TITLE, key)
    opening = Opening(ours, True, title=title)
    meter.meet(CLIENT_TITLE)
    fields = acse.asked(opening.associate())
    meter.unprotect(fields[0xBE][2:])
    assert opening.take(aare(meter.protect(INITIATED), METER_TITLE)) is None
    return Writer(ours, opening.meter_takes), meter


def test_a_ciphered_question_gets_its_ciphered_answer():
    client, meter = ciphered()
    said = client.get(ENERGY)
    assert said[0] == 0xC8 and meter.unprotect(said) == cosem.get(1, ENERGY)
    assert client.take(meter.protect(bytes.fromhex("c401c100060012d687"))) is None
    assert client.result == 1234567


def test_a_wrong_key_or_title_opens_no_ciphered_association():
    assert raises(SecurityError, ciphered, "11" * 16)
    assert raises(SecurityError, ciphered, KEYS["EK"], b"OTHERMTR")
    client, meter = Opening(side(CLIENT_TITLE), True), side(METER_TITLE)
    client.associate()
    assert raises(SecurityError, client.take, aare(meter.protect(INITIATED), b"FORGEDMT"))
    assert client.state == "off"


def test_no_plain_replayed_or_changed_answer_is_taken_for_a_ciphered_one():
    plain = bytes.fromhex("c401c100060012d687")
    client, meter = ciphered()
    client.get(ENERGY)
    assert raises(SecurityError, client.take, plain)
    client, meter = ciphered()
    client.get(ENERGY)
    answer = meter.protect(plain)
    client.take(answer)
    client.get(ENERGY)
    assert raises(SecurityError, client.take, answer)
    assert client.result is None
    for at in range(8 * len(answer)):
        client, meter = ciphered()
        client.get(ENERGY)
        answer = bytearray(meter.protect(plain))
        answer[at // 8] ^= 1 << at % 8
        assert raises(DOCUMENTED, client.take, bytes(answer)), at
        assert client.result is None


def test_an_exception_of_the_meter_is_a_refusal():
    for octets, text in (("d80206", "invocation counter"), ("d80105", "deciphering"), ("d80101", "not possible"),
                         ("0e010600", "1 6 0"), ("d8", "error")):
        client = on()
        client.get(ENERGY)
        try:
            client.take(bytes.fromhex(octets))
        except RefusedError as error:
            assert text in str(error) and client.state == "on"
        else:
            raise AssertionError(octets)


# -- lists and blocks of ours
def test_a_list_is_one_question():
    client = on()
    said = client.get_list([ENERGY, target(1, obis("1.0.99.99.99.255"), 2)])
    assert said.hex() == "c003c102" + "00030100010800ff0200" + "00010100636363ff0200"
    assert client.take(bytes.fromhex("c403c102" + "00060012d687" + "0104")) is None
    energy, missing = client.result
    assert energy == 1234567 and missing.code == 4


def test_a_list_may_come_in_blocks():
    client = on()
    client.get_list([ENERGY, ENERGY])
    said = client.take(bytes.fromhex("c402c10000000001" + "0006" + "02000600" + "0000"))
    assert said == bytes.fromhex("c002c100000001")
    assert client.take(bytes.fromhex("c402c10100000002" + "0007" + "01000600000002")) is None
    assert client.result == [1, 2]


def test_lists_of_sets_and_actions():
    client = on()
    said = client.set_list([ENERGY, ENERGY], [(17, 1), (17, 2)])
    assert said.hex() == "c104c102" + "00030100010800ff0200" * 2 + "02" + "11011102"
    assert client.take(bytes.fromhex("c505c1020003")) is None
    assert client.result[0] is None and client.result[1].code == 3
    said = client.action_list([target(70, obis("0.0.96.3.10.255"), 1)], [(15, 0)])
    assert said.hex() == "c303c201" + "0046000060030aff01" + "01" + "0f00"
    assert client.take(bytes.fromhex("c703c201000100" + "1105")) is None
    assert client.result == [5]


def small(most):
    return Writer(None, most)


def sent_in_blocks(said, client, first, following, ack):
    """The value that came in blocks; the last question's number of the block."""
    value, number = b"", 0
    while True:
        number += 1
        at = {2: 13, 4: 12}[first] if number == 1 else 3
        assert said[1] == (first if number == 1 else following) and len(said) <= 160
        last, block = said[at], int.from_bytes(said[at + 1:at + 5], "big")
        assert block == number
        reader = axdr.Reader(said, at + 5)
        value += reader.take(reader.length())
        if last:
            return value, number
        said = client.take(bytes((said[0] + 4, ack, said[2])) + said[at + 1:at + 5])


def test_a_long_set_goes_in_blocks():
    client = small(160)
    said = client.set(target(1, obis("0.0.96.3.10.254"), 2), (9, _LONG))
    value, number = sent_in_blocks(said, client, 2, 3, 2)
    assert value == axdr_write.encode((9, _LONG))
    assert client.take(b"\xc5\x03\xc1\0" + number.to_bytes(4, "big")) is None


def test_a_long_action_goes_in_blocks_and_what_it_gives_comes_in_blocks():
    client = small(160)
    said = client.action(target(18, obis("0.0.44.0.0.255"), 2), (9, _LONG))
    value, number = sent_in_blocks(said, client, 4, 6, 4)
    assert value == axdr_write.encode((9, _LONG))
    assert client.take(bytes.fromhex("c701c10000")) is None
    client.action(target(18, obis("0.0.44.0.0.255"), 2), (15, 0))
    assert client.take(bytes.fromhex("c702c2" + "0000000001" + "020902")) == bytes.fromhex("c302c200000001")
    assert client.take(bytes.fromhex("c702c2" + "0100000002" + "026869")) is None
    assert client.result == b"hi"


def test_what_a_method_gives_in_blocks_is_bounded_and_no_block_is_empty():
    block = bytes.fromhex("c702c1" + "00")
    for size, count, why in ((100, 6, "more than 500 octets"), (0, 1, "empty block")):
        client = on(most_value=500)
        client.action(target(18, obis("0.0.44.0.0.255"), 2), (15, 0))
        for number in range(1, count):
            client.take(block + number.to_bytes(4, "big") + bytes((size,)) + bytes(size))
        try:
            client.take(block + count.to_bytes(4, "big") + bytes((size,)) + bytes(size))
        except CosemError as error:
            assert why in str(error) and client.state == "broken" and client._parts == []
        else:
            raise AssertionError(why)


def test_a_question_that_the_meter_cannot_take_is_not_sent():
    client = small(20)
    assert raises(CosemError, client.set, ENERGY, (9, _LONG))
    assert raises(CosemError, client.get_list, [ENERGY] * 3)
    assert client.state == "on"


def test_a_profile_is_chosen_by_range_or_entry():
    begin, end = moment_octets("2024-01-02"), moment_octets("2024-01-03T12:30")
    assert cosem_write.by_range(begin, end).hex() == (
        "0101" + "0204" + "0204" + "120008" + "09060000010000ff" + "0f02" + "120000"
        + "090c07e80102ff000000ff8000ff" + "090c07e80103ff0c1e00ff8000ff" + "0100")
    assert cosem_write.by_entry(1, 10).hex() == "0102" + "0204" + "0600000001" + "060000000a" + "120001" + "120000"


class Taken:
    def __init__(self):
        self.pieces = []

    def feed(self, octets):
        self.pieces.append(octets)


def test_a_sink_has_the_octets_block_by_block_and_none_is_kept():
    client, sink = on(), Taken()
    said = client.get(target(1, obis("0.0.96.1.9.255"), 2), b"\0", sink)
    for name, _, came, _ in RECORDED["wrapper_none_pdu128_blocktransfer"]:
        if name.startswith("GET 0.0.96.1.9.255"):
            assert client._parts == []
            said = client.take(unwrapped(came))
    assert said is None and client.result == 704
    assert len(sink.pieces) == 6 and axdr.decode(b"".join(sink.pieces)) == _LONG


# -- answers that are wrong
BLOCK_1 = "c402c10000000001" + "0002" + "0902"
WRONG = (
    "", "c4", "c401", "c401c1", "c401c100", "c401c101", "c401c102", "c401c200060012d687", "c501c100", "c701c10000",
    "c404c100", "c401c100060012d6", "c401c100060012d68700", "c401c1000b", "c403c10100060012d687", "c402c1",
    "c402c10000", "c402c1000000000200020901", "c402c100000000000002" + "0902", "c402c1000000000100ff09",
    "c402c100000000010000",  "c402c1000000000102", "c402c10000000001000109ff", "6129", "6303800100", "c801c100", "ff",
)


def test_a_wrong_answer_is_an_error_gives_no_value_and_the_association_is_closed():
    for octets in WRONG:
        client = on()
        client.get(ENERGY)
        assert raises(DOCUMENTED, client.take, bytes.fromhex(octets)), octets
        assert client.state == "broken" and client.result is None
        assert raises(CosemError, client.get, ENERGY)
        assert client.release() == b"\x62\x03\x80\x01\0"


def test_a_meter_that_stops_amid_blocks_or_mixes_them_up_is_told():
    for octets in (BLOCK_1, "c402c10000000003" + "000101", "c401c100060012d687", "c402c10100000002" + "0000",
                   "c402c10000000002" + "0000", "c403c10100060012d687", "c402c20100000002" + "00020104"):
        client = on()
        client.get(target(1, obis("0.0.96.1.9.255"), 2))
        assert client.take(bytes.fromhex(BLOCK_1)) == bytes.fromhex("c002c100000001")
        assert raises(DOCUMENTED, client.take, bytes.fromhex(octets)), octets
        assert client.result is None and client.state == "broken"
    client = on()
    client.get(target(1, obis("0.0.96.1.9.255"), 2))
    client.take(bytes.fromhex(BLOCK_1))
    assert raises(AccessError, client.take, bytes.fromhex("c402c10100000002" + "010f"))
    assert client.state == "on"


def test_a_value_without_end_is_bounded():
    client = on(most_value=600)
    client.get(ENERGY)
    for number in range(1, 6):
        block = cosem_write.block(False, number, bytes(200))
        octets = b"\xc4\x02\xc1" + block[:5] + b"\0" + block[5:]
        if number < 4:
            client.take(octets)
        else:
            assert raises(CosemError, client.take, octets)
            break


def test_every_octet_of_an_answer_may_be_any_other():
    """Nothing but documented errors, and a value only when the octets still are one."""
    for label in ("wrapper_none", "wrapper_none_pdu128_blocktransfer"):
        for name, _, came, _ in RECORDED[label]:
            whole = unwrapped(came)
            if not question(name) or len(whole) > 130:
                continue
            for at in range(min(len(whole), 24)):
                for octet in (0, 1, 2, 3, 5, 9, 0x13, 0x7F, 0x80, 0x84, 0xFF):
                    client = on()
                    client.get(target(*question(name)[:3]))
                    changed = whole[:at] + bytes((octet,)) + whole[at + 1:]
                    assert client_says(client, changed) in ("value", "more", "error")


def client_says(client, octets):
    try:
        return "value" if client.take(octets) is None else "more"
    except DOCUMENTED:
        return "error"


def test_the_recorded_associations_damaged_are_no_associations_or_documented_errors():
    for label in ("wrapper_none", "hls_gmac_scripted_meter"):
        whole = unwrapped(RECORDED[label][0][2])
        for at in range(len(whole)):
            for changed in (whole[:at], whole[:at] + bytes((whole[at] ^ 0x80,)) + whole[at + 1:],
                            whole[:at] + whole[at + 1:], whole[:at] + whole[at:at + 1] * 2 + whole[at + 1:]):
                client = gmac() if "gmac" in label else Opening()
                client.associate()
                client_says(client, changed)
                assert client.state in ("on", "proving", "off")


# -- for people
def test_obis_codes_are_written_in_three_ways():
    for text in ("1.0.1.8.0.255", "1-0:1.8.0*255", "1.0.1.8.0", "1-0:1.8.0"):
        assert obis(text) == bytes((1, 0, 1, 8, 0, 255))
    for text in ("", "1.0.1.8", "1.0.1.8.0.256", "1.0.1.8.0.-1", "a.b.c.d.e.f", "1.0.1.8.0.255.1", "1..1.8.0.255",
                 "\u0661.0.1.8.0.255"):
        assert raises(CosemError, obis, text) or text == "\u0661.0.1.8.0.255", text


def test_a_scaler_moves_the_point_and_loses_no_digit():
    for value, scaler, text in ((1234567, -1, "123456.7"), (2301, -1, "230.1"), (5, -3, "0.005"), (-5, -1, "-0.5"),
                                (12, 0, "12"), (12, 3, "12000"), (0, 3, "0"), (0, -2, "0.00"), (1.5, -1, "0.15"),
                                (18446744073709551615, -3, "18446744073709551.615")):
        assert scaled(value, scaler) == text
    assert (unit(30), unit(35), unit(255), unit(200)) == ("Wh", "V", "", "number 200")


def test_a_moment_reads_and_writes():
    assert moment(bytes.fromhex("07e80102ff03040500ffc400")) == (2024, 1, 2, None, 3, 4, 5, -60)
    assert moment_text(bytes.fromhex("07e80102ff03040500000000")) == "2024-01-02 03:04:05"
    assert moment_text(b"\xff" * 8 + b"\xff\x80\x00\xff") == "*-*-* *:*:*"
    assert moment_text(moment_octets("2024-02-29T23:59:58")) == "2024-02-29 23:59:58"
    for text in ("", "2024", "2024-13-01", "2024-01-32", "2024-02-30", "2024-01-01 24:00", "2024-01-01T10", "x-y-z"):
        assert raises(TimeError, moment_octets, text), text
    for octets in ("", "07e8", "07e80d02ff03040500000000", "07e80102ff18040500000000", "07e80102ff03040500000"):
        assert len(octets) % 2 or raises(TimeError, moment, bytes.fromhex(octets)), octets


def test_a_moment_that_a_profile_leaves_out_is_a_period_later():
    assert moment_text(later(moment_octets("2024-02-28T23:50"), 900)) == "2024-02-29 00:05:00"
    assert later(b"\xff" * 8 + b"\x80\0\0\0", 900) is None


def test_classes_have_names():
    assert (class_name(3), class_name(70), class_name(999)) == ("register", "disconnector", "number 999")


def test_values_are_shown_for_people():
    for value, text in ((b"SN1", "SN1"), (b"\x00\xff", "00ff"), (None, "-"), (5, "5"), ([1, b"a"], "[1, a]"),
                        ((True, "x"), "(True, x)"), (bytes.fromhex("07e80102ff03040500000000"), "2024-01-02 03:04:05"),
                        (b"", '""')):
        assert show(value) == text
