"""AES-GCM over single blocks, the ciphering of suite 0 and the proof of HLS-GMAC."""
import json

from micrOS.source.pure.ciphering import BOTH, ENCRYPTED, SIGNED, Ciphering
from micrOS.source.pure.ciphering_errors import SecurityError
from micrOS.source.pure.gcm import Gcm, TagError
from tests.pure.aes import blocks

with open("tests/vectors/dlms.json") as file:
    VECTORS = json.load(file)["security"]
KEY, AUTHENTICATION = bytes.fromhex(VECTORS["EK"]), bytes.fromhex(VECTORS["AK"])
TITLE, METER = bytes.fromhex(VECTORS["system_title"]), b"MTR\0\0\0\0\x01"
GET_CLOCK = bytes.fromhex(VECTORS["plaintext_get_clock_time"])

# (key, iv, data, aad, encrypted data and tag). NIST, The Galois/Counter Mode of Operation, appendix B, cases 1-4
NIST = (
    ("00" * 16, "00" * 12, "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
    ("00" * 16, "00" * 12, "00" * 16, "", "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"),
    ("feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b391aafd255", "",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e091473f59854d5c2af327cd64a62cf35abd2ba6fab4"),
    ("feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b39", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"),
)


def raises(error, work, *args):
    try:
        work(*args)
    except error:
        return True
    return False


def counter(first):
    numbers = iter(range(first, 0x100000000))
    return lambda: next(numbers)


def side(title, first, control=BOTH, key=KEY, authentication=AUTHENTICATION):
    return Ciphering(Gcm(blocks(key)), authentication, title, counter(first), control=control)


def couple(control=BOTH):
    client, meter = side(TITLE, 0x01234567, control), side(METER, 5, control)
    client.meet(METER)
    meter.meet(TITLE)
    return client, meter


def test_the_cases_of_nist_go_both_ways():
    for key, iv, data, aad, sealed in NIST:
        key, iv, data, aad, sealed = [bytes.fromhex(part) for part in (key, iv, data, aad, sealed)]
        gcm = Gcm(blocks(key), 16)
        assert gcm.seal(iv, aad, data) == sealed
        assert gcm.open(iv, aad, sealed) == data


def test_one_bit_changed_anywhere_is_found():
    gcm = Gcm(blocks(KEY))
    sealed = gcm.seal(bytes(12), b"aad", b"twenty octets of data")
    for at in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        assert raises(TagError, gcm.open, bytes(12), b"aad", bytes(changed))
    assert raises(TagError, gcm.open, bytes(12), b"aae", sealed)
    assert raises(TagError, gcm.open, bytes(11) + b"\x01", b"aad", sealed)
    assert raises(TagError, gcm.open, bytes(12), b"aad", sealed[:11])


def test_the_clock_request_is_that_of_the_standard():
    client, meter = couple()
    sent = client.protect(GET_CLOCK)
    assert sent.hex() == VECTORS["authenticated_encryption"]["glo_get_request_apdu"]
    assert meter.unprotect(sent) == GET_CLOCK


def test_signed_only_and_encrypted_only_too():
    client, meter = couple(SIGNED)
    sent = client.protect(GET_CLOCK)
    assert sent.hex() == VECTORS["authentication_only"]["glo_get_request_apdu"]
    assert meter.unprotect(sent) == GET_CLOCK
    client, meter = couple(ENCRYPTED)
    sent = client.protect(GET_CLOCK)
    assert sent[7:].hex() == VECTORS["encryption_only"]["ciphertext"]
    assert meter.unprotect(sent) == GET_CLOCK


def test_the_proofs_of_hls_gmac_are_those_of_the_vectors():
    told = VECTORS["hls_gmac"]
    client, meter = side(TITLE, told["client_ic"]), side(METER, told["server_ic"])
    client.meet(bytes.fromhex(told["server_system_title"]))
    meter.meet(bytes.fromhex(told["client_system_title"]))
    proof = client.proof(bytes.fromhex(told["StoC"]))
    assert proof.hex() == told["f_StoC (SC||IC||tag) sent by client"]
    meter.check(proof, bytes.fromhex(told["StoC"]))
    back = meter.proof(bytes.fromhex(told["CtoS"]))
    assert back.hex() == told["f_CtoS returned by server"]
    client.check(back, bytes.fromhex(told["CtoS"]))


def test_another_key_title_or_challenge_is_no_proof():
    meter = side(METER, 1)
    meter.meet(TITLE)
    for stranger in (side(TITLE, 1, key=bytes(16)), side(TITLE, 1, authentication=bytes(16)), side(b"strange!", 1)):
        assert raises(SecurityError, meter.check, stranger.proof(b"challenge"), b"challenge")
    proof = side(TITLE, 1).proof(b"challenge")
    assert raises(SecurityError, meter.check, proof, b"Challenge")
    assert raises(SecurityError, meter.check, proof[:-1], b"challenge")
    assert raises(SecurityError, meter.check, b"\x30" + proof[1:], b"challenge")
    meter.check(proof, b"challenge")
    assert meter.heard == 1


def test_general_ciphering_is_understood_and_answered_alike():
    client, meter = couple()
    client.is_general = True
    sent = client.protect(GET_CLOCK)
    assert sent[:11] == b"\xdb\x08" + TITLE + b"\x1e"
    assert meter.unprotect(sent) == GET_CLOCK
    answer = meter.protect(b"\xc4\x01\xc1\x00\x00")
    assert answer[0] == 0xDB and client.unprotect(answer) == b"\xc4\x01\xc1\x00\x00"
    forged = sent[:2] + METER + sent[10:]
    assert raises(SecurityError, meter.unprotect, forged)
    for at in range(len(answer)):
        assert raises(SecurityError, client.unprotect, answer[:at])


def test_what_was_heard_before_is_not_heard_again():
    client, meter = couple()
    first, second, third = [client.protect(GET_CLOCK) for _ in range(3)]
    meter.unprotect(second)
    assert raises(SecurityError, meter.unprotect, second)
    assert raises(SecurityError, meter.unprotect, first)
    assert meter.unprotect(third) == GET_CLOCK


def test_a_forged_counter_does_not_shut_out_the_genuine_ones():
    client, meter = couple()
    forged = bytearray(client.protect(GET_CLOCK))
    forged[3:7] = b"\xff\xff\xff\xff"
    assert raises(SecurityError, meter.unprotect, bytes(forged))
    assert meter.unprotect(client.protect(GET_CLOCK)) == GET_CLOCK


def test_every_bit_counts():
    client, _ = couple()
    sent = client.protect(GET_CLOCK)
    for at in range(8 * len(sent)):
        changed = bytearray(sent)
        changed[at // 8] ^= 1 << at % 8
        meter = side(METER, 5)
        meter.meet(TITLE)
        assert raises(SecurityError, meter.unprotect, bytes(changed)), at
    for at in range(len(sent)):
        meter = side(METER, 5)
        meter.meet(TITLE)
        assert raises(SecurityError, meter.unprotect, sent[:at]), at


def test_less_protection_than_agreed_is_refused():
    for spoken in (SIGNED, ENCRYPTED):
        client, meter = couple(spoken)[0], couple(BOTH)[1]
        assert raises(SecurityError, meter.unprotect, client.protect(GET_CLOCK))


def test_a_title_that_is_ours_or_has_no_8_octets_is_refused():
    client = side(TITLE, 1)
    for title in (TITLE, b"", b"short", b"much too long"):
        assert raises(SecurityError, client.meet, title)
    assert raises(SecurityError, side, b"short", 1)


def test_a_counter_ends_and_never_begins_anew():
    client = Ciphering(Gcm(blocks(KEY)), AUTHENTICATION, TITLE, lambda: 0x100000000)
    assert raises(SecurityError, client.protect, GET_CLOCK)
