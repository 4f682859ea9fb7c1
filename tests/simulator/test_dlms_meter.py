"""The simulated COSEM meter: recorded conversations, our client, faults of its line."""
import json
import socket
from pathlib import Path

import pytest

from micrOS.source.pure import acse, axdr, cosem, cosem_write, hdlc
from micrOS.source.pure.ciphering import Ciphering
from micrOS.source.pure.ciphering_errors import SecurityError
from micrOS.source.pure.cosem import AccessError, RefusedError, obis, target
from micrOS.source.pure.cosem_open import Opening as Associating
from micrOS.source.pure.cosem_time import moment_octets
from micrOS.source.pure.cosem_write import Writer
from micrOS.source.pure.gcm import Gcm
from micrOS.source.pure.hdlc_link import Link
from micrOS.source.pure.hdlc_setup import address, agreed
from tests.pure.aes import blocks
from toolkit.simulator.models.dlms_meter import DlmsMeter, Security
from toolkit.simulator.models.dlms_meter_lines import HdlcStation, Opening, TcpMeter, UartMeter, WrapperLine, for_people
from toolkit.simulator.models.dlms_meter_objects import CosemObject, House, data, house_objects, register

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "dlms.json").read_text())
RECORDED = {session["label"]: session for session in VECTORS["sessions"]}
NOON = 1_704_196_800.0                       # 2024-01-02 12:00 UTC
KEYS = (bytes(range(16)), bytes(range(0xD0, 0xE0)))
ENERGY, PROFILE, CLOCK = (target(3, obis("1.0.1.8.0"), 2), target(7, obis("1.0.99.1.0"), 2),
                          target(8, obis("0.0.1.0.0"), 2))


def recorded_objects():
    """What the recorded meter held."""
    return [
        data("0.0.42.0.0", (9, b"QUEC0000001")), data("0.0.96.1.0", (9, b"SN12345678")),
        register("1.0.1.8.0", 6, lambda: 1234567, -1, 30), register("1.0.32.7.0", 18, lambda: 2301, -1, 35),
        data("0.0.96.1.9", (9, bytes(at * 3 & 0xFF for at in range(700)))), data("0.0.96.3.10.254", (17, 7), 17),
        CosemObject(8, obis("0.0.1.0.0"), {2: (9, bytes.fromhex("07e80102ff03040500000000"))}),
        CosemObject(70, obis("0.0.96.3.10"), {2: (3, True)}, methods={1: lambda parameter: None}),
    ]


def recorded_meter(label):
    security, conformance, most = Security(), 0x401E5D, 0xFFFF
    if label.startswith("hls_gmac"):
        told = RECORDED[label]["parameters"]
        security = Security(keys=KEYS, title=bytes.fromhex(told["server_system_title"]), counter=told["server_ic"],
                            challenge=lambda: bytes.fromhex(told["StoC"]))
        conformance, most = 0x00101D, 0x0400
    return DlmsMeter(recorded_objects(), security, most, conformance)


@pytest.mark.parametrize("label", [label for label in RECORDED if not label.startswith("hdlc")])
def test_a_recorded_conversation_goes_word_for_word_over_the_wrapper(label):
    said = []
    line = WrapperLine(recorded_meter(label), said.append)
    for name, asked, answered, is_trusted in RECORDED[label]["steps"]:
        line.feed(bytes.fromhex(asked))
        if is_trusted:
            assert said[-1].hex() == answered, name


@pytest.mark.parametrize("label", ["hdlc_none", "hdlc_lls"])
def test_a_recorded_conversation_goes_word_for_word_over_hdlc(label):
    said = []
    station = HdlcStation(recorded_meter(label), said.append, spare=3)
    for name, asked, answered, is_trusted in RECORDED[label]["steps"]:
        station.feed(bytes.fromhex(asked))
        if name in ("SNRM/UA", "DISC/UA"):       # that meter writes in full what holds anyway
            ours, theirs = [hdlc.parse(octets[1:-1]) for octets in (said[-1], bytes.fromhex(answered))]
            assert (ours.control, agreed(ours.information)) == (theirs.control, agreed(theirs.information))
        elif is_trusted:
            assert said[-1].hex() == answered, name


# -- our client
def meter(**options):
    rows = options.pop("rows", 300)
    house = House(lambda: NOON)
    made = DlmsMeter(house_objects(house, rows), Security(**options))
    made.house = house
    return made


def numbers(first):
    every = iter(range(first, 1 << 32))
    return lambda: next(every)


def ciphering(keys=KEYS, title=b"CLI\0\0\0\0\x01", first=1):
    return Ciphering(Gcm(blocks(keys[0])), keys[1], title, numbers(first))


def talk(client, device, apdu, address=16):
    while apdu:
        apdu = client.take(device.client(address).answer(apdu))
    return getattr(client, "result", None)


def associated(device, **options):
    opening = Associating(**options)
    talk(opening, device, opening.associate())
    assert opening.state == "on"
    keys = options["ciphering"] if options.get("is_ciphered") else None
    return Writer(keys, opening.meter_takes, number=1)


def ways():
    """(what the meter asks for, how a client comes)"""
    return (({}, {}), ({"least": acse.LLS}, {"mechanism": acse.LLS, "secret": b"12345678"}),
            ({"least": acse.GMAC, "keys": KEYS},
             {"mechanism": acse.GMAC, "secret": b"challenge", "ciphering": ciphering()}),
            ({"keys": KEYS, "must_cipher": True}, {"ciphering": ciphering(), "is_ciphered": True}),
            ({"least": acse.GMAC, "keys": KEYS, "must_cipher": True},
             {"mechanism": acse.GMAC, "secret": b"challenge", "ciphering": ciphering(), "is_ciphered": True}))


@pytest.mark.parametrize("asks, comes", ways())
@pytest.mark.parametrize("most_octets", [100, 128, 200, 1024])
def test_our_client_reads_writes_and_acts_in_every_way_of_association(asks, comes, most_octets):
    device = meter(**asks)
    if comes.get("ciphering"):
        comes = {**comes, "ciphering": ciphering()}
    client = associated(device, most_octets=most_octets, **comes)
    assert talk(client, device, client.get(ENERGY)) == device.house.deci_wh(NOON)
    assert len(talk(client, device, client.get(target(1, obis("0.0.96.1.9"), 2)))) == 700
    talk(client, device, client.set(target(1, obis("0.0.96.3.10.254"), 2), (17, 42)))
    assert device.house.stored[obis("0.0.96.3.10.254")] == 42
    talk(client, device, client.action(target(70, obis("0.0.96.3.10"), 1), (15, 0)))
    assert not device.house.is_on
    rows = talk(client, device, client.get(PROFILE, cosem_write.by_entry(1, 3)))
    assert len(rows) == 3 and rows[0][1] == device.house.deci_wh(NOON - 299 * 900)
    if most_octets > 160:
        talk(client, device, client.set(target(1, obis("0.0.96.50.0"), 2), (9, bytes(500))))
        assert device.house.stored[obis("0.0.96.50.0")] == bytes(500)
    assert talk(client, device, client.release()) == client.result and client.state == "off"


def test_a_profile_is_chosen_by_range():
    device = meter()
    client = associated(device)
    begin, end = moment_octets("2024-01-02T10:00"), moment_octets("2024-01-02T11:00")
    rows = talk(client, device, client.get(PROFILE, cosem_write.by_range(begin, end)))
    assert [row[0][5:7] for row in rows] == [bytes(each) for each in ((10, 0), (10, 15), (10, 30), (10, 45), (11, 0))]


def test_lists_go_to_and_fro():
    device = meter()
    client = associated(device, most_octets=128)
    missing = target(1, obis("1.0.99.99.99"), 2)
    energy, none, long = talk(client, device, client.get_list([ENERGY, missing, target(1, obis("0.0.96.1.9"), 2)]))
    assert energy == device.house.deci_wh(NOON) and none.code == 4 and len(long) == 700
    spare = target(1, obis("0.0.96.3.10.254"), 2)
    results = talk(client, device, client.set_list([spare, ENERGY], [(17, 9), (6, 0)]))
    assert results[0] is None and results[1].code == 3
    switch = [target(70, obis("0.0.96.3.10"), number) for number in (1, 2, 3)]
    results = talk(client, device, client.action_list(switch, [(15, 0)] * 3))
    assert results[:2] == [None, None] and results[2].code == 3


def test_the_object_list_tells_what_there_is():
    device = meter()
    client = associated(device)
    rows = talk(client, device, client.get(target(15, obis("0.0.40.0.0"), 2)))
    assert {(row[0], row[2]) for row in rows} == set(device.objects)


@pytest.mark.parametrize("what, code", [
    (target(1, obis("1.0.99.99.99"), 2), 4), (target(1, obis("1.0.1.8.0"), 2), 9),
    (target(3, obis("1.0.1.8.0"), 9), 4)])
def test_what_is_not_there_is_refused_by_its_number(what, code):
    device = meter()
    client = associated(device)
    with pytest.raises(AccessError) as caught:
        talk(client, device, client.get(what))
    assert caught.value.code == code and client.state == "on"


@pytest.mark.parametrize("asks, comes, why", [
    ({"least": acse.LLS}, {}, "mechanism is required"),
    ({"least": acse.LLS}, {"mechanism": acse.LLS, "secret": b"wrong"}, "authentication failure"),
    ({"least": acse.GMAC, "keys": KEYS}, {"mechanism": acse.LLS, "secret": b"12345678"}, "not recognized"),
    ({}, {"mechanism": acse.GMAC, "secret": b"challenge", "ciphering": ciphering()}, "not recognized"),
    ({"keys": KEYS, "must_cipher": True}, {}, "context"),
    ({"keys": KEYS}, {"ciphering": ciphering((bytes(16), KEYS[1])), "is_ciphered": True}, "reason"),
])
def test_who_may_not_come_in_is_told_why(asks, comes, why):
    device = meter(**asks)
    client = Associating(**comes)
    with pytest.raises(RefusedError, match=why):
        talk(client, device, client.associate())
    assert not device.client(16).is_open


def test_a_wrong_proof_ends_the_association():
    device = meter(least=acse.GMAC, keys=KEYS)
    client = Associating(ciphering((bytes(16), KEYS[1])), False, acse.GMAC, b"challenge")
    with pytest.raises(SecurityError, match="proof"):
        talk(client, device, client.associate())
    assert device.client(16).answer(cosem.get(1, ENERGY)) == bytes.fromhex("d80101")


def test_before_the_proof_nothing_is_given():
    device = meter(least=acse.GMAC, keys=KEYS)
    client = Associating(ciphering(), False, acse.GMAC, b"challenge")
    client.take(device.client(16).answer(client.associate()))
    assert device.client(16).answer(cosem.get(1, ENERGY)) == bytes.fromhex("d80101")
    other = cosem.head(0xC3, 1, 2) + target(70, obis("0.0.96.3.10"), 1) + b"\x01\x0f\x00"
    assert device.client(16).answer(other)[3] == 3 and device.house.is_on


def test_a_replayed_question_is_refused_also_after_a_restart():
    device = meter(keys=KEYS)
    keys = ciphering()
    client = associated(device, ciphering=keys, is_ciphered=True)
    said = client.get(ENERGY)
    device.client(16).answer(said)
    assert device.client(16).answer(said)[:3] == bytes.fromhex("d80106")
    device.restart()
    with pytest.raises(RefusedError):
        associated(device, ciphering=ciphering(), is_ciphered=True)


def test_a_replayed_answer_is_not_believed():
    device = meter(keys=KEYS)
    client = associated(device, ciphering=ciphering(), is_ciphered=True)
    talk(client, device, client.get(ENERGY))
    device.replays = True
    with pytest.raises(SecurityError, match="replay"):
        talk(client, device, client.get(ENERGY))
    assert client.result is None


# -- lines
class Pair:
    """A client's HDLC link and the meter's, back to back."""

    def __init__(self, device, **options):
        self.said = b""
        self.station = HdlcStation(device, self.hear, takes=options.pop("takes", (128, 1)))
        self.link = Link(address(16), address(1), **options)
        self.frames = hdlc.Frames()

    def hear(self, octets):
        self.said += octets

    def exchange(self, octets, most=200):
        """What the meter answers in the end; asks again when it is silent."""
        for _ in range(most):
            self.said = b""
            self.station.feed(octets)
            octets = b""
            for frame in self.frames.feed(self.said):
                said, answer = self.link.take(frame)
                octets += said
                if answer is not None:
                    return answer
            if self.link.state in ("up", "off") and not octets:
                return None
            octets = octets or self.link.again()
        raise AssertionError("no end")


@pytest.mark.parametrize("size, window, takes", [
    (128, 1, (128, 1)), (64, 1, (32, 1)), (500, 7, (300, 3)), (32, 7, (2000, 7)), (16, 2, (16, 5))])
@pytest.mark.parametrize("fault", ["", "damage", "lose", "deaf"])
def test_long_questions_and_answers_go_over_hdlc_whole_whatever_is_lost(size, window, takes, fault):
    device = meter()
    pair = Pair(device, information=size, frames=window, takes=takes, most_octets=70000)
    pair.exchange(pair.link.connect())
    opening = Associating(most_octets=0xFFFF)
    opening.take(pair.exchange(pair.link.send(opening.associate())))
    client = Writer(None, opening.meter_takes)
    for _ in range(3):
        if fault:
            setattr(pair.station.faults, fault, 2)
        client.take(pair.exchange(pair.link.send(client.get(target(1, obis("0.0.96.1.9"), 2)))))
        assert len(client.result) == 700
        if fault:
            setattr(pair.station.faults, fault, 2)
        client.take(pair.exchange(pair.link.send(client.set(target(1, obis("0.0.96.50.0"), 2), (9, bytes(999))))))
        assert device.house.stored.pop(obis("0.0.96.50.0")) == bytes(999)
    pair.exchange(pair.link.disconnect())
    assert pair.link.state == "off"


def test_a_set_is_done_once_though_its_answer_was_lost():
    device = meter()
    done = []
    switch = device.objects[70, obis("0.0.96.3.10")]
    switch.methods = {1: lambda parameter: done.append(1)}
    pair = Pair(device)
    pair.exchange(pair.link.connect())
    opening = Associating()
    opening.take(pair.exchange(pair.link.send(opening.associate())))
    client = Writer(None, opening.meter_takes)
    pair.station.faults.lose = 3
    client.take(pair.exchange(pair.link.send(client.action(target(70, obis("0.0.96.3.10"), 1), (15, 0)))))
    assert done == [1]


def test_a_meter_that_was_reset_is_not_connected():
    device = meter()
    pair = Pair(device)
    pair.exchange(pair.link.connect())
    device.restart()
    with pytest.raises(hdlc.HdlcError, match="not connected"):
        pair.exchange(pair.link.send(b"\xc0"))


def test_the_opening_leads_to_hdlc():
    said, bauds = [], []
    station = HdlcStation(meter(), said.append)
    opening = Opening(station, said.append, bauds.append)
    opening.feed(b"\0\0/?!\r\n")
    assert said[-1] == b"/MIC5\\2SIMULATED\r\n"
    opening.feed(b"\x062")
    opening.feed(b"52\r\n")
    assert said[-1] == b"\x06252\r\n" and bauds == [9600] and opening.is_open
    opening.feed(Link(address(16), address(1)).connect())
    assert hdlc.parse(said[-1][1:-1]).control == hdlc.UA


def test_a_meter_listens():
    device = meter()
    with TcpMeter(lambda say: WrapperLine(device, say)) as listening:
        with socket.create_connection(("127.0.0.1", listening.port), timeout=5) as link:
            link.sendall(bytes.fromhex(RECORDED["wrapper_none"]["steps"][0][1]))
            assert link.recv(1000)[:8].hex() == "000100010010002b"


def test_a_meter_on_a_virtual_uart_can_fall_silent():
    said = []
    model = UartMeter(said.append)
    snrm = bytes.fromhex(RECORDED["hdlc_none"]["steps"][0][1])
    model.receive(snrm)
    assert hdlc.parse(said[-1][1:-1]).control == hdlc.UA
    model.be({"silent": True})
    model.receive(snrm)
    assert len(said) == 1 and model.facts()["silent"]
    with pytest.raises(ValueError, match="has no"):
        model.be({"colour": 1})


@pytest.mark.parametrize("asked, answered", [
    (RECORDED["wrapper_none"]["steps"][0][1], b"\0\x01\0\x01\0\x10"),
    (RECORDED["hdlc_none"]["steps"][0][1], b"\x7e\xa0\x07\x21\x03\x73"), (b"/?!\r\n".hex(), b"/MIC5")])
def test_a_meter_for_people_speaks_as_it_is_spoken_to(asked, answered):
    with for_people(0) as listening:
        with socket.create_connection(("127.0.0.1", listening.port), timeout=5) as link:
            link.sendall(bytes.fromhex(asked))
            assert link.recv(1000).startswith(answered)


def test_what_its_registers_show_moves_and_the_switch_stops_it():
    house = House(lambda: NOON)
    assert house.deci_wh(NOON + 3600) - house.deci_wh(NOON) == pytest.approx(10 * house.watts(NOON), rel=0.02)
    assert axdr.decode(b"".join(house_objects(house)[4].read(2))) == house.watts(NOON) > 1000
    house.switch(False)
    assert house.watts(NOON) == 0
