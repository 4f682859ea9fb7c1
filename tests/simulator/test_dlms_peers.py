"""Foreign DLMS programs and ours: each reads the other's meter. They are test-only peers; without them: skipped.

Where a peer is at fault the test says so. dlms-cosem 25.1 leaves out the selection of each value of a list, ends a
frame at any 7e, also in its check sequence, and signs its proof under the same counter as the APDU around it.
gurux-dlms 1.0.203 (server) says the invoke number 1 in refusals, whatever was asked, and cannot be written to.
"""
import socket

import pytest

from micrOS.source.pure import acse, hdlc, wrapper
from micrOS.source.pure.cosem import CosemError, RefusedError, obis, target
from micrOS.source.pure.cosem_open import Opening
from micrOS.source.pure.cosem_write import Writer
from micrOS.source.pure.hdlc_link import Link
from micrOS.source.pure.hdlc_setup import address
from toolkit.simulator.models.dlms_meter import DlmsMeter, Security
from toolkit.simulator.models.dlms_meter_lines import HdlcStation, TcpMeter, WrapperLine
from toolkit.simulator.models.dlms_meter_objects import House, house_objects

NOON = 1_704_196_800.0                       # 2024-01-02 12:00 UTC
ONE_O_CLOCK = NOON + 3600
KEYS = (bytes(range(16)), bytes(range(0xD0, 0xE0)))
TITLE = b"PEER\0\0\0\x01"
PASSWORD = b"12345678"
TIMEOUT_S = 20


class Meter:
    """Ours, listening."""

    def __init__(self, line, security=None, most_octets=0xFFFF, now=NOON):
        self.house = House(lambda: now)
        self.energy = self.house.deci_wh(now)
        self.device = DlmsMeter(house_objects(self.house, 300), security, most_octets)
        make = {"wrapper": WrapperLine, "hdlc": HdlcStation}[line]
        self._listening = TcpMeter(lambda say: make(self.device, say))
        self.port = self._listening.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listening.close()


# -- dlms-cosem reads ours
def dlms_cosem(port, line="wrapper", authentication=None, timeout_s=TIMEOUT_S, **options):
    """Its client, connected and associated."""
    pytest.importorskip("dlms_cosem")
    import structlog
    from dlms_cosem.client import DlmsClient
    from dlms_cosem.io import BlockingTcpIO, HdlcTransport, TcpTransport
    from dlms_cosem.security import NoSecurityAuthentication

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    make = {"wrapper": TcpTransport, "hdlc": HdlcTransport}[line]
    client = DlmsClient(
        transport=make(16, 1, BlockingTcpIO("127.0.0.1", port, timeout_s), timeout=timeout_s),
        authentication=authentication or NoSecurityAuthentication(), **options)
    client.connect()
    try:
        client.associate()
    except Exception:
        client.disconnect()
        raise
    return client


def attribute(class_id, code, number=2):
    from dlms_cosem import cosem, enumerations

    return cosem.CosemAttribute(enumerations.CosemInterface(class_id), cosem.Obis.from_string(code), number)


def read_by_dlms_cosem(meter, client):
    assert client.get(attribute(3, "1.0.1.8.0.255")) == b"\x06" + meter.energy.to_bytes(4, "big")
    assert len(client.get(attribute(1, "0.0.96.1.9.255"))) == 704
    assert len(client.get(attribute(7, "1.0.99.1.0.255"))) == 4 + 300 * 24
    client.set(attribute(1, "0.0.96.50.0.255"), b"\x09\x02hi")
    assert meter.house.stored[obis("0.0.96.50.0")] == b"hi"
    client.release_association()
    client.disconnect()


@pytest.mark.parametrize("most_octets", [128, 200, 0xFFFF])
def test_dlms_cosem_reads_and_writes_our_meter(most_octets):
    with Meter("wrapper", most_octets=most_octets) as meter:
        read_by_dlms_cosem(meter, dlms_cosem(meter.port))


def test_dlms_cosem_shows_its_password():
    security = pytest.importorskip("dlms_cosem.security")
    with Meter("wrapper", Security(least=acse.LLS)) as meter:
        way = security.LowLevelSecurityAuthentication(secret=PASSWORD)
        read_by_dlms_cosem(meter, dlms_cosem(meter.port, authentication=way))
        with pytest.raises(Exception, match="(?i)not accepted|rejected|authentication"):
            dlms_cosem(meter.port, authentication=security.LowLevelSecurityAuthentication(secret=b"wrong"))


def test_dlms_cosem_and_our_meter_prove_themselves_and_cipher():
    security = pytest.importorskip("dlms_cosem.security")
    with Meter("wrapper", Security(least=acse.GMAC, keys=KEYS, must_cipher=True)) as meter:
        read_by_dlms_cosem(meter, dlms_cosem(
            meter.port, authentication=security.HighLevelSecurityGmacAuthentication(challenge_length=32),
            encryption_key=KEYS[0], authentication_key=KEYS[1], client_system_title=TITLE,
            client_initial_invocation_counter=10))


def test_dlms_cosem_reads_our_meter_over_hdlc():
    with Meter("hdlc", now=ONE_O_CLOCK) as meter:        # at noon the check sequence of the answer ends with 7e
        client = dlms_cosem(meter.port, "hdlc")
        assert client.get(attribute(3, "1.0.1.8.0.255")) == b"\x06" + meter.energy.to_bytes(4, "big")
        client.release_association()
        client.disconnect()


def test_the_fault_of_dlms_cosem_a_7e_in_a_check_sequence_ends_its_frame():
    """The length says where a frame ends; gurux reads the same octets (IEC 62056-46 stuffs nothing)."""
    with Meter("hdlc") as meter:
        client = dlms_cosem(meter.port, "hdlc", timeout_s=3)
        with pytest.raises(Exception, match="Could not receive data"):
            client.get(attribute(3, "1.0.1.8.0.255"))
        client.transport.io.disconnect()


def test_the_fault_of_dlms_cosem_its_lists_leave_out_the_selection_of_each_value():
    """So the octets do not add up, and the meter refuses; the lists of gurux have it, and are answered."""
    with Meter("wrapper") as meter:
        client = dlms_cosem(meter.port)
        with pytest.raises(Exception, match="OPERATION_NOT_POSSIBLE"):
            client.get_many([attribute(3, "1.0.1.8.0.255"), attribute(3, "1.0.32.7.0.255")])
        client.disconnect()


# -- gurux reads ours
class Gurux:
    """Its client on a socket."""

    def __init__(self, port, line, authentication="NONE", is_ciphered=False, password=None):
        pytest.importorskip("gurux_dlms")
        from gurux_dlms.enums import Authentication, InterfaceType
        from gurux_dlms.enums import Security as Levels
        from gurux_dlms.secure import GXDLMSSecureClient

        interface = {"wrapper": InterfaceType.WRAPPER, "hdlc": InterfaceType.HDLC}[line]
        self.client = GXDLMSSecureClient(True, 16, 1, getattr(Authentication, authentication), password, interface)
        keys = self.client.ciphering
        keys.systemTitle, keys.blockCipherKey, keys.authenticationKey = TITLE, *KEYS
        keys.invocationCounter = 10
        if is_ciphered:
            keys.security = Levels.AUTHENTICATION_ENCRYPTION
        self._link = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)

    def open(self):
        asked = self.client.snrmRequest()
        if asked:
            self.client.parseUAResponse(self.talk(asked).data)
        self.client.parseAareResponse(self.talk(self.client.aarqRequest()).data)
        if self.client.getIsAuthenticationRequired():
            proof = self.talk(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(proof.data)

    def talk(self, messages):
        from gurux_dlms import GXReplyData

        reply = GXReplyData()
        for message in _flat(messages):
            reply.clear()
            self._exchange(message, reply)
            while reply.isMoreData():
                self._exchange(self.client.receiverReady(reply), reply)
        assert not reply.error
        return reply

    def read(self, what, number=2):
        return self.client.updateValue(what, number, self.talk(self.client.read(what, number)).value)

    def leave(self):
        self.talk(self.client.releaseRequest())
        self.talk(self.client.disconnectRequest())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._link.close()

    def _exchange(self, message, reply):
        from gurux_dlms import GXByteBuffer, GXReplyData

        if not message:
            return
        self._link.sendall(bytes(message))
        heard = GXByteBuffer()
        while not self.client.getData(heard, reply, GXReplyData()):
            heard.set(self._link.recv(4096))


def _flat(messages):
    for each in messages if isinstance(messages, list) else [messages]:
        yield from _flat(each) if isinstance(each, list) else [each]


@pytest.mark.parametrize("line", ["wrapper", "hdlc"])
@pytest.mark.parametrize("most_octets", [160, 0xFFFF])
@pytest.mark.parametrize("security, way", [
    (Security(), {}),
    (Security(least=acse.LLS), {"authentication": "LOW", "password": PASSWORD}),
    (Security(least=acse.GMAC, keys=KEYS), {"authentication": "HIGH_GMAC"}),
    (Security(keys=KEYS, must_cipher=True), {"is_ciphered": True}),
    (Security(least=acse.GMAC, keys=KEYS, must_cipher=True), {"authentication": "HIGH_GMAC", "is_ciphered": True}),
])
def test_gurux_reads_and_switches_our_meter(line, most_octets, security, way):
    objects = pytest.importorskip("gurux_dlms.objects")
    security.heard.clear()
    with Meter(line, security, most_octets) as meter, Gurux(meter.port, line, **way) as reader:
        reader.open()
        assert reader.read(objects.GXDLMSRegister("1.0.1.8.0.255")) == meter.energy
        assert reader.read(objects.GXDLMSRegister("1.0.1.8.0.255"), 3)[0] == pytest.approx(0.1)
        assert len(reader.read(objects.GXDLMSData("0.0.96.1.9.255"))) == 700
        profile = objects.GXDLMSProfileGeneric("1.0.99.1.0.255")
        reader.read(profile, 3)
        rows = reader.client.updateValue(profile, 2, reader.talk(reader.client.readRowsByEntry(profile, 1, 5)).value)
        assert [row[1] for row in rows] == [meter.house.deci_wh(NOON - at * 900) for at in range(299, 294, -1)]
        reader.talk(objects.GXDLMSDisconnectControl("0.0.96.3.10.255").remoteDisconnect(reader.client))
        assert not meter.house.is_on
        one, two = objects.GXDLMSRegister("1.0.1.8.0.255"), objects.GXDLMSRegister("1.0.32.7.0.255")
        values = reader.talk(reader.client.readList([(one, 2), (two, 2)])).value
        assert values == [meter.energy, meter.house.deci_volts(NOON)]
        found = reader.client.parseObjects(reader.talk(reader.client.getObjectsRequest()).data, True)
        assert len(found) == len(meter.device.objects)
        reader.leave()


def test_gurux_without_the_right_keys_is_kept_out():
    pytest.importorskip("gurux_dlms")
    with (Meter("wrapper", Security(least=acse.GMAC, keys=(bytes(16), bytes(16)))) as meter,
          Gurux(meter.port, "wrapper", "HIGH_GMAC") as reader):
        with pytest.raises(Exception, match="(?i)error|auth"):
            reader.open()
        assert not meter.device.client(16).is_open


# -- ours reads gurux
class Ours:
    """Our client's codecs and tables on the foreign meter, without a wire."""

    def __init__(self, line, password=None, secret=None, most_octets=1024):
        pytest.importorskip("gurux_dlms")
        from gurux_dlms.enums import InterfaceType

        from tests.simulator.gurux_meter import GuruxMeter

        self._meter = GuruxMeter({"wrapper": InterfaceType.WRAPPER, "hdlc": InterfaceType.HDLC}[line], password)
        self._link = Link(address(16), address(1)) if line == "hdlc" else None
        self._frames = hdlc.Frames()
        if self._link:
            self._over_hdlc(self._link.connect())
        opening = Opening(None, False, acse.LLS if secret else acse.NONE, secret or b"", b"", most_octets)
        self.run(opening, opening.associate())
        self.client = Writer(None, opening.meter_takes)

    def run(self, asker, apdu):
        while apdu:
            apdu = asker.take(self._over_hdlc(self._link.send(apdu)) if self._link else self._over_wrapper(apdu))
        return getattr(asker, "result", None)

    def get(self, class_id, code, number=2):
        return self.run(self.client, self.client.get(target(class_id, obis(code), number)))

    def _over_wrapper(self, apdu):
        return wrapper.Wrapped(0xFFFF).feed(self._meter.hear(wrapper.wrap(16, 1, apdu)))[0][2]

    def _over_hdlc(self, octets):
        answer = None
        while octets and answer is None:
            frames, octets = self._frames.feed(self._meter.hear(octets)), b""
            for frame in frames:
                said, answer = self._link.take(frame)
                octets += said
        return answer


@pytest.mark.parametrize("line", ["wrapper", "hdlc"])
@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("most_octets", [128, 1024])
def test_our_client_reads_the_meter_of_gurux(line, password, most_octets):
    ours = Ours(line, password, password, most_octets)
    assert ours.get(3, "1.0.1.8.0") == 1234567
    assert ours.get(3, "1.0.1.8.0", 3) == (-1, 30)
    assert ours.get(1, "0.0.96.1.9") == bytes(at * 3 & 0xFF for at in range(700))


@pytest.mark.parametrize("line", ["wrapper", "hdlc"])
def test_the_meter_of_gurux_refuses_a_wrong_password(line):
    with pytest.raises(RefusedError, match="authentication failure"):
        Ours(line, PASSWORD, b"87654321")


def test_a_refusal_with_another_number_is_not_taken_for_the_answer():
    """The fault of gurux: the number of the first question in its refusal of the second."""
    ours = Ours("wrapper")
    ours.get(3, "1.0.1.8.0")
    with pytest.raises(CosemError, match="another question"):
        ours.get(1, "1.0.99.99.99")
