"""--applications: all 17 of 1.20 on a virtual board, with what they do to it seen from outside."""
import subprocess
import sys
import time
from pathlib import Path

import pytest
from foreign import Node120, free_port

from tests.device.wire import eventually
from toolkit import apps, archive, discover
from toolkit.commands import applications, main
from toolkit.dashboard_apps import SystemTest, _micPlotting
from toolkit.errors import UsageError

simulator = pytest.importorskip("toolkit.simulator")
OF_1_20 = {
    "AirQualityBME280", "AirQualityDHT22_CO2", "CCTDemo", "CCTTest", "CatGame", "Dimmer", "GetVersion",
    "MicrophoneTest", "NeoEffectsDemo", "NeopixelTest", "RGBTest", "RoboArm", "SED_test", "SystemTest", "uLightDemo",
    "Template_app", "_micPlotting",
}
NEOP = 23
SERVOS, LASER = (4, 5), 13
PINS = f"neop:{NEOP}; servo_1:4; servo_2:5; switch_1:{LASER}; irq1:18"      # all lamps and servos at the same time
QUIET = {"ntphost": "n/a", "socmax": 8}
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def board():
    with simulator.VirtualBoard(name="node80", heap="2M", config={**QUIET, "cstmpmap": PINS}) as running:
        yield running


@pytest.fixture
def fresh_board():
    with simulator.VirtualBoard(name="node80", config=QUIET) as running:
        yield running


def run(board, name, *words):
    return main(["--applications", name, "--dev", board.address, "--pace", "0", *words])


def test_all_apps_of_1_20_are_there_and_say_what_they_do(capsys):
    assert set(apps.names()) == OF_1_20
    assert main(["-a", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[1:]} == OF_1_20 and all(len(line.split()) > 3 for line in lines[1:])


@slow
@pytest.mark.parametrize("name, channel, lit", (("RGBTest", "rgbue", 1000), ("CCTTest", "wwhite", 1000)))
def test_a_lamp_follows_and_goes_off(board, name, channel, lit, capsys):
    with board.watch() as changes:
        assert run(board, name) == 0
        changes.until(change="pwm", name=channel, duty=lit)
    assert board.pwm[channel].duty == 0
    assert "FAILED" not in capsys.readouterr().out


@slow
@pytest.mark.parametrize("name, channel", (("CCTDemo", "cwhite"), ("uLightDemo", "rgreenb")))
def test_a_lamp_wanders_and_goes_off(board, name, channel):
    with board.watch() as changes:
        assert run(board, name, "--pace", "0.2") == 0
        assert len({changes.until(change="pwm", name=channel)["duty"] for _ in range(20)}) > 10
    eventually(lambda: board.pwm[channel].duty, lambda duty: duty == 0)


@slow
def test_the_dimmer_goes_up_and_off(board):
    with board.watch() as changes:
        assert run(board, "Dimmer", "--pace", "0.7") == 0
        changes.until(change="pwm", name="dim_1", duty=1000)
    eventually(lambda: board.pwm["dim_1"].duty, lambda duty: duty == 0)


@slow
def test_the_strip_shows_a_segment(board):
    with board.watch() as changes:
        assert run(board, "NeopixelTest") == 0
        changes.until(change="pixels", pin=NEOP)
    eventually(lambda: board.pixels(NEOP), lambda pixels: set(pixels) == {(0, 0, 0)})


@slow
def test_the_strip_plays_effects(board):
    with board.watch() as changes:
        assert run(board, "NeoEffectsDemo") == 0
        colours = [changes.until(change="pixels", pin=NEOP)["pixels"] for _ in range(15)]
    assert len({str(frame) for frame in colours}) > 5


@slow
def test_the_cat_toy_moves_and_is_let_go(board):
    with board.watch() as changes:
        assert run(board, "CatGame") == 0
        changes.until(change="pwm", pin=SERVOS[0], duty=75)
    eventually(lambda: board.pwm[SERVOS[0]].freq_hz, lambda freq_hz: freq_hz == 0)


@slow
def test_both_servos_go_from_end_to_end(board):
    with board.watch() as changes:
        assert run(board, "SED_test") == 0
        for servo in SERVOS:
            changes.until(change="pwm", pin=servo, duty=40)
    eventually(lambda: board.pwm[SERVOS[1]].freq_hz, lambda freq_hz: freq_hz == 0)


@slow
def test_the_robot_arm_draws_with_its_laser_and_parks(board):
    with board.watch() as changes:
        assert run(board, "RoboArm") == 0
        changes.until(change="pin", pin=LASER, value=1)
        changes.until(change="pin", pin=LASER, value=0)
    eventually(lambda: board.pwm[SERVOS[0]].freq_hz, lambda freq_hz: freq_hz == 0)


@slow
def test_the_air_is_measured_by_a_bme280(board, capsys):
    board.chip(0x76, "bme280")
    board.chip(0x76, temp=21.5, humidity=40, pressure=1000)
    board.clock.advance(0.01)
    board.adc["co2"] = 30000
    assert run(board, "AirQualityBME280") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and all("temp [ºC]: 21." in line and "co2 [ppm]: " in line for line in lines)


@slow
def test_the_air_is_measured_by_a_dht22(board, capsys):
    from toolkit.simulator.models.sensors import Dht22
    Dht22(board, "dhtpin").feel(21, 40)
    assert run(board, "AirQualityDHT22_CO2") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("temp [ºC]: 21.0  hum [%]: 40.0  co2 [ppm]: ")


@slow
def test_a_sensor_that_is_not_there_is_exit_code_1_and_one_line(board, capsys):
    board.chip(0x76, "bme280")
    board.chip(0x76, fault="unplugged")
    assert run(board, "AirQualityBME280") == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("node80 refused 'bme280 measure_w_co2': ") and err.count("\n") == 1


@slow
def test_the_microphone_is_heard(board, capsys):
    board.adc["mic"] = 32768
    assert main(["-a", "MicrophoneTest", "--dev", board.address, "--pace", "0.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "listening for 2 s" and " 50.0 %  " + "#" * 25 in lines[-1]


@slow
def test_what_the_microphone_hears_becomes_a_picture(board, tmp_path, monkeypatch, capsys):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    board.adc["mic"] = 32768
    assert main(["-a", "_micPlotting", "--dev", board.address, "--pace", "0.05"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("microphone_node80.png")
    with image.open(tmp_path / "microphone_node80.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (_micPlotting.WIDTH, _micPlotting.HEIGHT))


def test_noise_is_a_red_dot(tmp_path):
    image = pytest.importorskip("PIL.Image")
    _micPlotting.draw([apps.Sample(0, 50, False), apps.Sample(100, 50, True)], tmp_path / "a.png")
    with image.open(tmp_path / "a.png") as picture:
        right = (_micPlotting.WIDTH - _micPlotting.MARGIN, _micPlotting.HEIGHT // 2)
        assert picture.convert("RGB").getpixel(right) == (0xc6, 0x28, 0x28)
        assert picture.convert("RGB").getpixel((400, _micPlotting.HEIGHT // 2)) == (0x15, 0x65, 0xc0)
    _micPlotting.draw([], tmp_path / "none.png")


def test_without_pillow_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with Node120() as node:
        assert main(["-a", "_micPlotting", "--dev", f"127.0.0.1:{node.port}"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "pip install Pillow" in err and err.count("\n") == 1


@slow
def test_a_board_without_a_microphone_says_so(capsys):
    with simulator.VirtualBoard(board="rp2", config={"cstmpmap": "irq1:4"}) as board:
        assert run(board, "MicrophoneTest") == 1
    assert "has no microphone" in capsys.readouterr().err


@slow
def test_versions_are_told(board, capsys):
    assert run(board, "GetVersion") == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"node80  micrOS {board.shell('version')}"
    assert [line.split(":")[0] for line in rest] == ["upython", "board"]


@slow
def test_the_system_test_passes_its_20_checks_twice(fresh_board, capsys):
    before = fresh_board.shell("conf", "dump")
    fresh_board.shell("system alarms clean=True")
    for _ in range(2):
        code = run(fresh_board, "SystemTest")
        shown = capsys.readouterr().out
        assert code == 0, shown
    lines = shown.splitlines()
    assert len(lines) == 22 and lines[-1] == "20 of 20 passed"
    assert fresh_board.shell("conf", "dump") == before


@slow
def test_the_system_test_names_what_fails(fresh_board, capsys):
    fresh_board.shell("system alarms test=True")
    assert run(fresh_board, "SystemTest") == 1
    out = capsys.readouterr().out
    fresh_board.shell("system alarms clean=True")
    assert "alarms                          FAILED  expected no alarm, got 'NOK alarm: 1'" in out
    assert out.endswith("19 of 20 passed\n")


def test_the_system_test_puts_a_setting_back_when_its_check_fails():
    said = []

    class Deaf(apps.Node):
        name = "node01"

        def __init__(self):
            pass

        def raw(self, command):
            said.append(command)
            return "100" if command == "soctout" else "Saved"

    with pytest.raises(SystemTest.CheckError):
        SystemTest.config_set(Deaf())
    assert said[-2:] == ["soctout 100", "noconf"]


TEMPLATE = Path(apps.dashboard_apps.__path__[0]) / "Template_app.py"


def test_a_copy_of_the_template_runs(tmp_path, capsys):
    (tmp_path / "my_app.py").write_text(TEMPLATE.read_text())
    with Node120() as node:
        words = ["--dev", f"127.0.0.1:{node.port}", "--pace", "0"]
        assert main(["-a", str(tmp_path / "my_app.py"), *words]) == 0
        mine = capsys.readouterr().out
        assert main(["-a", "Template_app", *words]) == 0
    assert mine == capsys.readouterr().out
    assert mine.splitlines()[:2] == ["node01 $ hello", "hello:node01:n/a"]


def test_an_app_of_1_20_that_prints_by_itself_runs(tmp_path, capsys):
    (tmp_path / "old.py").write_text("def app(devfid=None):\n    print('old style')\n")
    with Node120() as node:
        assert main(["-a", str(tmp_path / "old.py"), "--dev", f"127.0.0.1:{node.port}"]) == 0
    assert capsys.readouterr().out == "old style\n"


UNFIT = (("none.py", None, "is not there"), ("bad.py", "def app(:", "SyntaxError"), ("none", None, "no app 'none'"),
         ("empty.py", "", "no function app"), ("raises.py", "1 / 0", "ZeroDivisionError"))


@pytest.mark.parametrize("name, text, told", UNFIT)
def test_an_app_that_cannot_be_loaded_is_wrong_use(tmp_path, name, text, told):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=told):
        apps.load(str(path) if name.endswith(".py") else name)


def test_without_dev_the_board_of_simulate_is_asked(monkeypatch, capsys):
    with Node120() as node:
        monkeypatch.setattr(discover, "ALIASES", {"__simulator__": f"127.0.0.1:{node.port}"})
        assert main(["-a", "Template_app", "--pace", "0"]) == 0
        assert list(applications_texts())[:1] == ["node01 $ hello"]
    assert main(["-a", "Template_app", "--dev", f"127.0.0.1:{free_port()}"]) == 4


def applications_texts():
    """An app without the command line, as 1.20 had it: app() and app("name")."""
    return (step for step in apps.load("Template_app")() if isinstance(step, str))


@slow
def test_the_password_of_a_locked_node_comes_from_the_archive(capsys):
    with simulator.VirtualBoard(name="lamp", config={"auth": True, "appwd": "Secret-77"}) as board:
        assert run(board, "GetVersion") == 5
        archive.archive(b'{"devfid": "lamp", "appwd": "Secret-77"}')
        assert run(board, "GetVersion") == 0
    out, err = capsys.readouterr()
    assert out.startswith("lamp  micrOS ") and "asks for a password" in err


@slow
def test_it_runs_from_the_command_line(board):
    done = subprocess.run([sys.executable, "devToolKit.py", "-a", "GetVersion", "--dev", board.address],
                          cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.startswith("node80  micrOS ")


def test_numbers_are_waited_for_at_the_pace():
    shown = []
    assert applications.show(iter(()), 1, shown.append) is None
    begin = time.monotonic()
    applications.show(iter(("a", 1000.0, "b")), 0, shown.append)
    assert shown == ["a", "b"] and time.monotonic() - begin < 100
