"""The electricity meter solution's classes and the samples of its document, on the board."""
import json
from pathlib import Path

import pytest

from tests.device import wire

WAIT_S = 30.0
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc1662.json").read_text())
# the document's, "Class RFC1662ProtocolResolver"
REGISTERS = '''
# we have inited a RFC1662ProtocolResolver object in `business.py` module
# import `rfc1662resolver`
from code.business import rfc1662resolver


# decorate with protocol 0x2100
@rfc1662resolver.register(0x2100)
def handle2100(msg):
  """when get a 0x2100 message,this function will be called"""
  pass
'''
# "Writing Business Programs", without its imports
POSTS = '''
from code.business import rfc1662resolver, CurrentApp
@rfc1662resolver.register(0x2100)
def handle2100(msg):
  """post data received to cloud"""
  # message body bytes
  data = msg.info().request_data()
  if data:
    # post data to tcp server by `client` extension register in Application
    CurrentApp().client.send(data)
'''
SKELETONS = ('''
class TcpClient(object):
    # ...
    def recv_callback(self, data):
        raise NotImplementedError('you must implement this method to handle data received by tcp.')

    def send(self, data):
        # TODO: uplink data method
        pass
''', '''
from usr.business import CurrentApp, RFC1662Protocol, TcpClient
class BusinessClient(TcpClient):

    def recv_callback(self, data):
        # recv tcp data and send to uart
        data = RFC1662Protocol.build_rfc_0x2100(data)
        CurrentApp().uart.write(data)
''', '''
class Uart(object):
    # ...
    def recv_callback(self, data):
        raise NotImplementedError('you must implement this method to handle data received from device.')

    def write(self, data):
        # TODO: write data to uart
        pass
''', '''
from usr.business import Uart
class UartBusiness(Uart):

        def recv_callback(self, data):
            # parse 1662 protocol data
            pass
''')


def eventually(get, is_wanted):
    return wire.eventually(get, is_wanted, WAIT_S)


FRAMES = bytes.fromhex("7eff0300210006bf0102037e7dd3c37e" "7eff0300210001bfc9e47e")       # the second is empty


# -- the classes, without the node around them


def said_by(board, program):
    return board.run("import usr\nfrom usr.protocol import *\nfrom pure import quectel\n" + program)


@pytest.fixture(scope="module")
def bare():
    from toolkit.simulator import VirtualBoard
    with VirtualBoard(main="", source="micrOS/source", shell=False, heap="512K") as running:
        yield running


@pytest.mark.parametrize("skeleton", SKELETONS, ids=["TcpClient", "BusinessClient", "Uart", "UartBusiness"])
def test_the_classes_of_the_document_can_be_defined(bare, skeleton):
    assert said_by(bare, skeleton + "print('defined')").endswith("defined\n")


@pytest.mark.parametrize("row", VECTORS["parse"], ids=lambda row: row["name"])
def test_a_message_prints_as_the_solution_prints_it(bare, row):
    said = said_by(bare, f"m = RFC1662Protocol.build(bytes.fromhex('{row['frame']}'))\nprint(m)\nprint(m.hex())\n"
                         "i = m.info()\nprint(i.param_id(), i.param_len(), i.request_id(), i.request_type())\n"
                         "print(m.protocol(), m.cmd(), i.get_request_data_len())")
    assert row["text"].replace("-2\n", "4294967294\n") in said
    assert said.endswith("{}\n{id} {len} {request} {type}\n{protocol} {cmd} {data_len}\n".format(row["frame"], **row))
    assert said.startswith("e ") == bool(row["said"])


def test_what_is_no_frame_is_none_and_one_line(bare):
    lines = {name: said_by(bare, f"print(RFC1662Protocol.build(bytes.fromhex('{frame}')))")
             for name, frame in VECTORS["refused"]}
    assert set(lines.values()) == {"head error\nNone\n", "fcs error\nNone\n", "build error\nNone\n"}
    assert lines["bad_header"] == lines["bad_address"] == lines["bad_control"] == "head error\nNone\n"
    assert lines["bad_end_flag"] == lines["truncated"] == "build error\nNone\n"


CALLS = {
    "get_ok_typeless": "replay_get(None, 0x1f)", "get_ok_str": "replay_get(9, b'hello')",
    "get_ok_char": "replay_get(10, b'abc')", "get_ok_u8": "replay_get(0x11, b'\\x2a')",
    "get_ok_u16": "replay_get(0x12, b'\\x12\\x34')", "get_unsupported_type": "replay_get(6, b'\\0\\0\\0\\1')",
    "get_fail": "replay_get(success=False)", "set_ok": "replay_set()", "set_fail": "replay_set(False)",
    "event_ack": "reply_event()", "event_ack_on_0x2100": "reply_event()",
    "image_get": "image_replay_get(b'\\0\\1')", "image_set": "image_replay_set(b'\\0')",
    "reply_on_protocol_with_low_byte": "reply_event()",
}


def test_replies_are_the_solutions(bare):
    assert set(CALLS) == {row["name"] for row in VECTORS["replies"]}
    program = "".join(f"print(RFC1662Protocol.build(bytes.fromhex('{row['request']}')).{CALLS[row['name']]}.hex())\n"
                      for row in VECTORS["replies"])
    said = [line for line in said_by(bare, program).splitlines() if not line.startswith("e ")]
    assert said == [row["reply"] for row in VECTORS["replies"]]


BUILDS = (
    ("RFC1662ProtocolResolver.tcp_to_meter_packet(b'hello').hex()", "7eff0300210006bf68656c6c6f37e97e"),
    ("RFC1662ProtocolResolver.tcp_to_meter_packet()", "None"),
    ("RFC1662Protocol.build_rfc_0x2100(b'')", "None"),
    ("RFC1662ProtocolResolver.module_to_meter_packet([0xC0, 0x8003, None]).hex()", "7eff0300220003c003808b077e"),
    ("RFC1662Protocol.build_rfc_0x2200([0xC1, 0x8003, b'\\1\\x1f']).hex()", "7eff0300220005c10380011f9a847e"),
    ("RFC1662Protocol.build_rfc_0x2200([192, 32771])", "RFC2200 parameter error\nNone"),
    ("hex(FCSUtil.calc_crc(b'~123456789~~~'))", "0x6e90"),
    ("FCSUtil.check(bytes.fromhex('7eff0300210001bfc9e47e'))", "True"),
    ("FCSUtil.check(bytes.fromhex('7eff0300210001bfc9e57e'))", "False"),
)


@pytest.mark.parametrize(("call", "said"), BUILDS)
def test_frames_are_built_as_the_document_says(bare, call, said):
    assert said_by(bare, f"print({call})") == said + "\n"


def test_a_set_without_bytes_is_a_type_error(bare):
    assert said_by(bare, "try:\n RFC1662Protocol.build_rfc_0x2200([0xC1, 0x8003, None])\n"
                         "except TypeError:\n print('TypeError')") == "TypeError\n"


HANDLERS = """
resolver, other = RFC1662ProtocolResolver(), RFC1662ProtocolResolver()
def tried(work, *args):
    try:
        print(work(*args).__name__)
    except ValueError as error:
        print(error)
def handler(which):
    def handle(msg):
        print('handled by', which)
    return handle
resolver.register_default(0x2300)(handler('the default'))
frame = RFC1662Protocol(0x2300, 0xBF, b'')
resolver.resolve(frame)
resolver.register(0x2300)(handler('the first'))
tried(resolver.register, 0x2300)
tried(other.register, 0x2300)
other.resolve(frame)
tried(resolver.resolve, RFC1662Protocol(0x2400, 0xBF, b''))
"""


def test_a_user_replaces_a_default_once_a_second_handler_is_refused_and_so_is_an_id_without_one(bare):
    assert said_by(bare, HANDLERS).splitlines() == [
        "handled by the default", 'mode "0x2300" already registered!', 'mode "0x2300" already registered!',
        "handled by the first", 'mode "0x2400" is not registered']


def test_the_solutions_numbers_are_there_the_seldom_ones_when_asked_for(bare):
    assert said_by(bare, "import sys\nfrom usr.constant import COSEM, DATAType, CONSEM_COMMON_RFC1662_PARAM_ID as P\n"
                         "print(COSEM.GET, COSEM.CET_ERROR_RESP, DATAType.DATATIME, hex(P.LQI))\n"
                         "print('usr.constant_more' in sys.modules)\n"
                         "from usr.constant import CLASS18_IMAGE_STATE\n"
                         "print(CLASS18_IMAGE_STATE.IMAGE_ACTIVATION_FAILED)") == "192 200 25 0x8003\nFalse\n7\n"
