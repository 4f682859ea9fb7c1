"""The services of Helios, row by row of the specification (A1 to A13, A17): programs that print, a host that looks."""
import json
import struct

import pytest

from tests.device.wire import eventually


@pytest.fixture
def run(make_board):
    """Function: a board on which a program has run, and all that the program and its services have said."""
    def start(program, *parts, files=(), **options):
        board = make_board(files={"usr/program.py": program, **dict(files)}, **options)
        answer = board.shell("quec run program")
        assert answer == "program runs", answer + board.console()
        return board, eventually(board.console, lambda text: all(part in text for part in parts))
    return start


def lines(text, mark="#"):
    """What the program printed behind a mark."""
    return [line[len(mark):].strip() for line in text.splitlines() if line.startswith(mark)]


# -- A1, A2: configurations and the guard

GUARD = """
from usr.bin.guard import GuardContext, version, Guard
from usr.bin.components.monitor import ServiceMonitor
from usr.bin.components.abstract_service import AbstractService
g = GuardContext()
print("#", GuardContext() is g)
g.refresh()
print("#", sorted(g.service_config), sorted(g.system_config))
print("#", list(g.servers()))
print("#", g.get_server("log").name, g.path_exist("/usr"), g.path_exist("/nothing"))
print("#", g.register_monitor(5, None), g.register_monitor("own", 5))
monitor = ServiceMonitor(AbstractService("OWN"))
print("#", g.register_monitor("own", monitor), monitor.status())
g.reload()
print("#", monitor.status(), g.get_server("own").name)
g.stop_server("own")
print("#", monitor.status())
print("#", sorted(g.version().items()))
try:
    g.get_server("none")
except KeyError as error:
    print("#", "KeyError", error)
"""


def test_the_guard_reads_configurations_and_holds_monitors(run):
    _, text = run(GUARD, "KeyError", "status 0", files={
        "usr/etc/app_config/lexin/config.json": '{"a": 1}', "usr/etc/app_config/broken/config.json": '{"a": ',
        "usr/etc/app_config/empty/readme": "", "usr/etc/other/x": "", "usr/etc/system_config/abc/config.json": "{}"})
    assert lines(text) == [
        "True", "['lexin'] ['abc']", "['net', 'log', 'media', 'exception', 'pm']", "LOG 1 0", "False False", "True 0",
        "1 OWN", "0", "[('ARTIFACT_ID', 'qpy-framework'), ('GROUP_ID', 'qpy.quectel.com'), "
        "('VERSION', '1.0.0.RELEASE'), ('artifact_id', 'qpy-framework')]", "KeyError none"]
    assert "[   WARN    ] read /usr/etc/app_config/broken status 0" in text


@pytest.mark.parametrize("name, reason", [
    ("net", "error reason:"), ("log", "error reason:"), ("media", "error reason: ["), ("exception", "error reason:["),
    ("pm", "error reason:[")])
def test_a_service_whose_file_is_gone_fails_alone(make_board, name, reason):
    board = make_board(files={"usr/program.py": "from usr.bin.guard import GuardContext\nGuardContext().refresh()\n"})
    (board.dir / f"usr/bin/{name}_service.py").unlink()
    assert board.shell("quec run program") == "program runs"
    text = eventually(board.console, lambda text: f"[   FAILED  ] load {name} monitor {reason}" in text
                      and text.count("[    OK     ]") >= 4)
    assert f"monitor {name} service" not in text


# -- A3, A11, A12, A13: messages

SERVICE = """
from usr.bin.components.abstract_service import AbstractService
s = AbstractService("OWN")
def first(*args, **kwargs):
    print("#", "first", args, sorted(kwargs["message"].items()))
def bad(*args, **kwargs):
    raise ValueError("bad")
def other(sender, message):
    print("#", "other", sender, message["message"])
def told(message, success):
    print("#", "told", message["message"], success)
print("#", s.publish("lost"), s.send_msg_sync(message="lost"), s.status())
print("#", s.start(), s.status())
s.subscribe(first)
s.subscribe(other, "me")
print("#", s.publish("a"))
print("#", "here first")
print("#", s.send_msg_sync(message="b", callback=told, sender="me"))
s.subscribe(bad, "me")
print("#", s.send_msg(message="c", sender="me", mode=0)["success"])
s.unsubscribe(bad, "me")
try:
    s.unsubscribe(bad, "me")
except ValueError:
    print("#", "ValueError")
try:
    s.publish("x") or s.send_msg(message="x", callback=5)
except TypeError as error:
    print("#", error)
def handler(event_message):
    print("#", "handler", event_message.event_name, event_message.msg().get("message"))
    raise StopIteration
s.add_handler(handler)
s.set_mode(0)
print("#", s.send_msg(message="d", sender="me")["message"]["message_id"])
print("#", s.stop(), s.status(), s.publish("lost"))
print("#", "end")
"""


def test_a_service_delivers_in_order_and_sync_means_that_all_have_run(run):
    _, text = run(SERVICE, "# end")
    assert lines(text)[:6] == [
        "0 0 0", "1 1", "None", "here first",
        "first ('anonymous',) [('from_event', 'OWN'), ('message', 'a'), ('message_id', 2), ('msg_type', 255), "
        "('sender', 'anonymous')]", "other me b"]
    assert lines(text)[6] == "told b 1"
    assert "'success': 1" in lines(text)[7]
    assert lines(text)[8:] == ["other me c", "0", "ValueError", "callback is a function, got 5",
                               "first ('anonymous',) [('from_event', 'OWN'), ('message', 'x'), ('message_id', 5), "
                               "('msg_type', 255), ('sender', 'anonymous')]", "handler OWN x", "other me d",
                               "handler OWN d", "6", "0 0 0", "end"]
    assert "send to me kwargs error, reason {'message': {" in text


WAITS = """
import asyncio
from usr.bin.components.abstract_service import AbstractService
s = AbstractService("OWN")
async def slow(sender, message):
    await asyncio.sleep_ms(10)
    print("#", "slow", message["message"])
def quick(sender, message):
    print("#", "quick", message["message"])
s.start()
s.subscribe(slow)
s.subscribe(quick)
s.publish(1)
s.publish(2)
try:
    print("#", s.send_msg_sync(message=3)["success"])
except RuntimeError as error:
    print("#", error)
"""
DELIVERED = ["slow 1", "quick 1", "slow 2", "quick 2", "slow 3", "quick 3"]


def test_a_coroutine_is_awaited_in_its_turn_and_in_a_thread_sync_waits_for_all_of_it(run):
    _, text = run("import utime\n" + WAITS, "# 1")
    assert lines(text) == [*DELIVERED, "1"]


BARE = """
import sys
def strip():
    sys.modules['_thread'] = None
def is_our_machine():
    import machine
    return not hasattr(machine.Pin, "GPIO1")
"""


@pytest.mark.parametrize("program, before", [(WAITS, "qframe status"), ("import utime\n" + WAITS, "bare strip")],
                         ids=["no thread wanted", "no threads in the firmware"])
def test_outside_of_a_thread_sync_does_not_hold_up_the_node_for_it(make_board, program, before):
    board = make_board(files={"usr/program.py": program, "modules/LM_bare.py": BARE})
    board.shell(before)
    assert board.shell("quec run program", "bare is_our_machine") == "program runs\nTrue"
    text = eventually(board.console, lambda text: "# quick 3" in text)
    refusal = "waiting for a coroutine would hold up the node; here only 2000 ms may be waited"
    assert lines(text) == [refusal, *DELIVERED]


BLINKER = """
from usr.bin.components.blinker_min import ANY, Namespace, Signal, signal
print("#", ANY, signal("x") is signal("x"), Namespace().signal("x") is signal("x"))
s = Signal("doc")
def f(sender, **kwargs):
    print("#", "f", sender, kwargs)
s.connect(f)
s.connect(f)
@s.connect_via("me")
def g(sender, **kwargs):
    print("#", "g", sender)
s.send("me", a=1)
s.send(a=1)
s.disconnect(f)
print("#", len(s.receivers_for(ANY)), len(s.receivers_for("nobody")))
from usr.bin.components.service_models import QMessageModel
m = QMessageModel(7, message="x", sender="y", from_event="Z")
print("#", m.message_id, m.msg_type, m.message, m() == m.model_to_dict())
from event_message import Event, EventManager
e = Event("E")
try:
    e.add_handler(5)
except TypeError:
    print("#", "TypeError")
@e.add_handler_via()
def h(event_message):
    print("#", event_message.msg, event_message.event is e)
print("#", e.post("nobody takes it"))
manager = EventManager()
manager.register_event(e)
manager.start()
e.post(1)
e.post(2)
manager.wait()
print("#", "waited", len(e), manager.status)
e.remove_handler(h)
manager.stop()
from usr.utils.resolver import TimeResolver
print("#", TimeResolver().resolver((2021, 8, 27, 10, 7, 48, 4, 239)))
from usr.utils.service_utils import Singleton
@Singleton
class One:
    def __init__(self, value):
        self.value = value
print("#", One(1) is One(2), One(3).value)
"""


def test_signals_events_models_and_helpers_do_what_their_papers_say(run):
    _, text = run(BLINKER, "# True 1")
    assert lines(text) == ["anonymous True False", "g me", "f anonymous {'a': 1}", "f anonymous {'a': 1}", "1 0",
                           "7 255 x True", "TypeError", "None", "1 True", "2 True", "waited 1 1",
                           "2021-08-27 10:07:48 Friday", "True 1"]


# -- A4: net

NET = """
import net, sim, dataCall
from usr.bin.net_service import NetService
n = NetService()
n.start()
print("#", n.get_net_status(), n.sim is sim, n.net is net, n.data_call is dataCall, n.server_status["NET"])
print("#", n.wait_connect(5))
for timeout in (0, 3601):
    try:
        n.wait_connect(timeout)
    except OSError as error:
        print("#", error)
n.subscribe(lambda *args, **kwargs: print("!", kwargs["message"]["msg_type"], kwargs["message"]["message"]))
n.set_enable("NET", 1)
print("#", net.getState()[1][0], net.csqQueryPoll() in range(32), dataCall.getInfo(1, 0)[2][0], dataCall.getInfo(9, 0))
import sys_bus
sys_bus.subscribe("ask", lambda *_: print(">", n.get_net_status(), net.getState()[1][0]))
sys_bus.subscribe("apn", lambda *_: print(">", n.set_apn(1, 0, "elsewhere", "", "", 0)))
"""


def test_the_network_service_tells_sim_registration_and_data_call(run):
    board, text = run(NET, "# 1 True 1 -1", turn=True)
    assert lines(text) == ["1 True True True {'enable': 0}", "(3, 1)", "the time-out is 1-3600 s, got 0",
                           "the time-out is 1-3600 s, got 3601", "1 True 1 -1"]
    assert "=" * 50 in text and "SIM_CARD_STATUS  : " in text and "FIRMWARE_VERSION : " in text
    assert json.loads(board.shell("net state >json"))["data_call"] == 1
    board.network(False)
    board.clock.run(10)
    eventually(board.console, lambda said: "'datacall_status': 0" in said and "'network_register_status': 2" in said)
    board.network(True)
    board.clock.run(60)
    eventually(board.console, lambda said: "'datacall_status': 1" in said and "'network_register_status': 1" in said)
    board.shell("bus publish ask", "bus publish apn")
    assert lines(eventually(board.console, lambda said: said.count("\n> ") == 2), ">") == ["1 1", "0"]
    assert json.loads((board.dir / "node_config.json").read_text())["staessid"] == "elsewhere"


SIM = """
import sim, net, dataCall
sim.setCallback(lambda state: print("# sim", state, dataCall.getInfo(1, 0)[2][0]))
print("#", sim.setSimDet(1, 1), sim.getStatus(), net.getState()[1][0])
"""


def test_the_host_pulls_the_sim_and_puts_it_back(make_board):
    board = make_board(files={"usr/program.py": SIM}, config={"cstmpmap": "simdet:34"})
    board.pins[34] = 1
    board.shell("quec run program")
    eventually(board.console, lambda text: "# 0 1 1" in text)
    board.pins[34] = 0
    eventually(board.console, lambda text: "# sim 0 0" in text)
    assert json.loads(board.shell("net state >json"))["sim"] == 0
    board.pins[34] = 1
    eventually(board.console, lambda text: "# sim 1 1" in text)


# -- A5: log

LOG = """
from usr.bin.guard import GuardContext
from usr.bin.log_service import (LOG_LV, AliCloudLogOutPut, CloudLogOutputUtil, FileLogOutputUtil, LogAdapter,
                                 LogService)
GuardContext().refresh()
log = GuardContext.get_logger("app_log")
s = LogService()
s.subscribe(lambda *args, **kwargs: print("!", kwargs["message"]["from_event"], kwargs["message"]["msg_type"],
            kwargs["message"]["message"].level, kwargs["message"]["message"].content))
s.set_output(FileLogOutputUtil(most=200))
class Server:
    productKey = "key"
    DeviceName = "dev"
    def publish(self, topic, text):
        print("@", topic, text)
s.set_output(AliCloudLogOutPut(Server()))
class Cloud:
    def commit_log(self, line):
        print("%", line)
s.set_output(CloudLogOutputUtil(Cloud()))
try:
    s.set_output(5)
except Exception as error:
    print("#", error)
log.debug("low")
s.set_level(LOG_LV.WARNING)
log.info("too low")
log.warning("w")
log.error("e")
log.critical("c")
off = LogAdapter("off", enable=0)
off.error("not this")
s.set_level("NONSENSE")
s.set_mode(0)
log.info("now")
print("#", "behind it")
"""


def test_log_lines_have_levels_outputs_and_subscribers(run):
    board, text = run(LOG, "# behind it", "app_log [INFO] - now")
    assert lines(text) == ['"5" is not extend AbstractLogOutputUtil', "behind it"]
    assert text.index("app_log [INFO] - now") < text.index("# behind it")
    assert "too low" not in text and "not this" not in text
    told = [line.partition(" app_log ")[2] for line in lines(text, "%") if "app_log" in line]
    assert told == ["[DEBUG] - low", "[WARNING] - w", "[ERROR] - e", "[CRITICAL] - c", "[INFO] - now"]
    assert lines(text, "!") == [f"LOG 255 {line}" for line in (
        'ERROR "5" is not extend AbstractLogOutputUtil', "DEBUG low", "WARNING w", "ERROR e", "CRITICAL c",
        "INFO now")]
    topic, _, told = lines(text, "@")[3].partition(" ")
    assert topic == "/sys/key/dev/thing/log/post"
    told = json.loads(told)
    assert told["method"] == "thing.log.post" and told["version"] == "1.0" and told["sys"] == {"ack": 0}
    assert told["params"][0]["logLevel"] == "ERROR" and told["params"][0]["logContent"] == "e"
    assert "traceContext" in told["params"][0] and "traceContext" not in lines(text, "@")[2]
    kept = (board.dir / "usr/log/log.txt.1").read_text() + (board.dir / "usr/log/log.txt").read_text()
    assert kept.endswith(" app_log [INFO] - now\n") and " app_log [CRITICAL] - c\n" in kept
    assert (board.dir / "usr/log/log.txt").stat().st_size <= 200


def test_the_shell_logs_a_topic_of_the_bus(make_board):
    board = make_board()
    board.shell("log to_file", "log follow lamp", "log level INFO", 'log write "by hand"', "bus publish lamp on")
    kept = board.dir / "usr/log/log.txt"
    eventually(lambda: kept.read_text() if kept.exists() else "", lambda text: " lamp [INFO] - on\n" in text)
    assert " shell [INFO] - by hand\n" in kept.read_text()


# -- A7, A10: exceptions and monitors

MONITOR = """
import asyncio
from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import MonitorInterface, ServiceMonitor
from usr.bin.exception_service import ExceptionService
ExceptionService().start()
ExceptionService()("said by a call")
ExceptionService().publish("said by publish")
class Hung(AbstractService):
    pass
service = Hung("HUNG")
monitor = ServiceMonitor(service)
monitor.set_exception_handlers({"stop": {"failCount": 3}})
monitor.set_level(3)
print("#", monitor.start(), monitor.stop(), monitor.status(), monitor() is service)
monitor.set_level(0)
print("#", monitor.start(), monitor.status())
async def never(sender, message):
    await asyncio.sleep(%s)
service.subscribe(never)
service.publish("holds it up")
"""


def heartbeat(run, seconds):
    return run(MONITOR.replace("%s", str(seconds)) + "\nimport sys_bus\n"
               "sys_bus.subscribe('ask', lambda *_: print('>', monitor.status(), monitor.failed_count))\n",
               "said by a call", "said by publish", "# 1 1", turn=True)


def answered(board, wanted):
    def ask():
        board.shell("bus publish ask")
        return lines(board.console(), ">")[-1:]
    return eventually(ask, lambda got: got == [wanted])


def test_a_service_that_misses_three_beats_in_a_row_is_stopped(run):
    board, text = heartbeat(run, 3600)
    assert lines(text) == ["None None 0 True", "1 1"]
    board.clock.run(46)
    answered(board, "1 2")
    board.clock.run(15)
    answered(board, "0 3")


def test_a_service_that_answers_again_is_forgiven(run):
    board, _ = heartbeat(run, 35)
    board.clock.run(32)
    answered(board, "1 1")
    board.clock.run(15)
    answered(board, "1 0")


def test_the_action_reboot_restarts_the_board(run):
    board, _ = heartbeat(lambda program, *parts, **options: run(
        program.replace('{"stop"', '{"reboot"'), *parts, **options), 3600)
    board.clock.run(62)
    eventually(lambda: board.info()["starts"], lambda starts: starts == 2)


# -- A8: pm

def test_votes_keep_the_node_awake_and_the_seconds_asleep_are_told(make_board):
    board = make_board(turn=True)

    def state(*commands):
        return json.loads(board.shell(*commands, "pm state >json").splitlines()[-1])

    assert state("pm load") == {"locks": 0, "awake": False, "asleep_s": 0}
    assert state("pm lock", "pm lock", "pm unlock")["awake"] is True
    assert state("pm unlock", "pm unlock") == {"locks": 0, "awake": False, "asleep_s": 0}
    board.clock.run(1)
    assert "CPU clock: 80" in board.shell("system info")
    board.shell("pm lock")
    board.clock.run(1)
    assert "CPU clock: 240" in board.shell("system info")
    board.shell("pm radio False")
    board.clock.run(30)
    assert state()["asleep_s"] == 0
    board.shell("pm unlock")
    board.clock.run(60)
    assert 20 <= state()["asleep_s"] <= 61


# -- A6: media

def wav(samples, rate_hz=200, bits=8, channels=1):
    data = bytes(samples) if bits == 8 else struct.pack(f"<{len(samples)}h", *samples)
    step = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * step, step, bits)
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form
            + b"data" + struct.pack("<I", len(data)) + data)


def heard(board, call, count):
    """The duties that a call brings to the pin, each once."""
    with board.watch() as changes:
        call()
        duties = []
        while len(duties) < count:
            change = changes.until(change="pwm", pin=33)
            if change.get("duty_u16") and (not duties or duties[-1] != change["duty_u16"]):
                duties.append(change["duty_u16"])
    return duties


MEDIA = """
from usr.bin.media_service import MediaService
m = MediaService()
m.start()
for mode in (0, 1, 2):
    m.set_mode(mode)
try:
    m.set_mode(3)
except Exception as error:
    print("#", error)
m.subscribe(lambda sender, message: print("!", message["msg_type"], sorted(message["message"].items())))
m.enable = False
m.audio_play(play_data="/usr/none.wav", sender="me")
import asyncio, sys_bus
def go(topic, message):
    m.enable = True
    print("#", m.set_pa(32), m.audio_play(play_data="/usr/a.wav"), m.tts_play(play_data="net ok"))
sys_bus.subscribe("go", go)
print("#", "enabled", m.enable)
"""


def test_a_wav_file_comes_out_of_the_pin_sample_by_sample(make_board):
    samples = [10, 200, 30, 255, 0, 128]
    board = make_board(files={"usr/a.wav": wav(samples), "usr/b.wav": wav([-32768, 0, 32767], bits=16)})
    board.shell("media stop")
    duties = heard(board, lambda: board.shell("media play /usr/a.wav"), 6)
    assert duties[-5:] == [value * 257 for value in samples if value][-5:]


def test_what_is_no_sound_is_refused_with_a_word(make_board):
    board = make_board(files={"usr/a.wav": b"nothing"})
    assert board.shell("media play /usr/a.wav", "media play /usr/none.wav", "media say hello") == "-1\n-1\n-1"
    alarms = board.shell("system alarms")
    assert "a WAV file begins with RIFF" in alarms and "no clips for hello" in alarms


def test_the_media_service_plays_files_and_texts_out_of_clips_unless_it_is_told_not_to(run):
    board, text = run(MEDIA, "# enabled False", files={
        "usr/a.wav": wav([50, 60]), "usr/media/net.wav": wav([70, 80]), "usr/media/ok.wav": wav([90, 100])})
    board.shell("bus publish go")
    text = eventually(board.console, lambda text: "# 1 None None" in text and "'net ok'), ('priority', 4)]" in text)
    assert lines(text) == ["mode 3 must in mid of [0,1,2]", "enabled False", "1 None None"]
    assert lines(text, "!") == ["0 [('breakin', 0), ('play_data', '/usr/a.wav'), ('priority', 4)]",
                                "1 [('breakin', 0), ('mode', 2), ('play_data', 'net ok'), ('priority', 4)]"]
    eventually(lambda: board.shell("task list"), lambda tasks: "Yes       audio" not in tasks)
    assert board.pins[32] == 0 and "none.wav" not in board.shell("system alarms")


def test_over_i2s_the_host_hears_every_byte(make_board):
    stereo, mono = wav(range(-300, 300, 3), 8000, 16, channels=2), wav(range(200), 8000)
    board = make_board(files={"usr/a.wav": stereo, "usr/b.wav": mono},
                       config={"cstmpmap": "i2s_sck:14;i2s_ws:27;i2s_sd:26"})

    def heard(file, channels):
        assert board.shell(f"media play {file}") == "0"
        told = eventually(lambda: board.ask("i2s", port=0),
                          lambda told: told and told["channels"] == channels and not told["is_open"])
        assert (told["sck"], told["ws"], told["sd"], told["rate_hz"], told["bits"]) == (14, 27, 26, 8000, 16)
        return bytes.fromhex(told["heard"])

    samples = heard("/usr/a.wav", 2)
    assert samples[:400] == stereo[-400:] and not any(samples[400:])
    samples = heard("/usr/b.wav", 1)
    wide = struct.pack("<200h", *((value - 128) << 8 for value in range(200)))
    assert samples[:400] == wide and not any(samples[400:])


def say(text, coding=0):
    return b"\xfd" + struct.pack(">H", len(text.encode()) + 2) + bytes((1, coding)) + text.encode()


def test_a_speech_chip_says_texts_the_more_important_first_and_in_the_place_of_what_may_be_cut(make_board):
    """Frames and answers: XFS5152CE development guide."""
    board = make_board(config={"cstmpmap": "tts_tx:17;tts_rx:16"})
    with board.cable(1) as chip:
        def hears(wanted):
            data = b""
            while not data.endswith(wanted):
                data += chip.recv(4096)
            return data.replace(b"\xfd\x00\x01\x21", b"")          # it is asked whether it has ended

        assert board.shell("media say may_be_cut 1 1") == "0"
        hears(say("may_be_cut"))
        assert board.shell("media say important 3 0", "media say last 0 0", 'media say "g\u00fcnstig" 2 0') == "0\n0\n0"
        assert hears(say("important")) == b"\xfd\x00\x01\x02" + say("important")
        chip.sendall(b"\x41\x4e\x4f")
        assert hears(say("g\u00fcnstig", 4)) == say("g\u00fcnstig", 4)
        chip.sendall(b"\x45")
        hears(say("last"))
        assert board.shell(*["media say more 0 0"] * 11).split() == ["0"] * 10 + ["-2"]
        board.shell("media stop")
        hears(b"\xfd\x00\x01\x02")
    assert "[ERR] audio (g\u00fcnstig,): the speech chip refuses the text" in board.shell("system alarms")


def test_log_lines_go_out_of_a_uart(run):
    board, _ = run("""
from usr.bin.log_service import LogService, UartLogOutputUtil
from machine import UART
s = LogService()
s.set_output(UartLogOutputUtil(UART.UART2))
s.start()
print("#", "open")
import sys_bus
sys_bus.subscribe("go", lambda topic, message: s.log_send("t", "INFO", message))
""", "# open")
    with board.cable(2) as cable:
        board.shell("bus publish go hello")
        data = b""
        while not data.endswith(b"\n"):
            data += cable.recv(4096)
    assert data.endswith(b" t [INFO] - hello\n")
    assert board.uart(2)["baud"] == 115200
