"""The Helios introduction's closing case, examples/helios_cloud.py, driven from the host.

A command of the cloud moves a pin, the watchdog is fed, packages go up, the network is told of.
"""
import json
from pathlib import Path

import pytest

from tests.cloud.brokers import Mosquitto, ear
from tests.cloud.responder import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PROGRAM = Path(__file__).parents[2] / "examples" / "helios_cloud.py"


def test_cloud_command_pin_watchdog_and_package(tmp_path):
    with Mosquitto(tmp_path) as broker, ear(broker.port) as cloud:
        files = {"usr/helios_cloud.py": PROGRAM.read_text(),
                 "mqtt-connect.cfg": json.dumps({"host": "127.0.0.1", "port": broker.port, "every": 0.2})}
        with VirtualBoard(config={"ntphost": "n/a"}, files=files, mpy=True, turn=True, heap="320K") as board:
            board.shell("mqtt connect")
            assert board.shell("quec run helios_cloud") == "helios_cloud runs", board.console()
            base = f"micros/{board.shell('hello').split(':')[2]}"

            cloud.say(f"{base}/bus/relay/set", "on")
            eventually(lambda: board.pins[26] == 1)
            assert cloud.next(f"{base}/bus/relay_state") == "on"
            cloud.say(f"{base}/bus/relay/set", "off")
            eventually(lambda: board.pins[26] == 0)

            with board.watch() as changes:
                board.clock.run(5, grace_ms=20)
                changes.until(change="pin", pin=27, value=1)
                changes.until(change="pin", pin=27, value=0)
            cloud.value(f"{base}/bus/package", lambda package: package["n"] >= 4 and package["relay"] == 0)
            cloud.next(f"{base}/bus/WDT_KICK_TOPIC_FEED")

            since = len(cloud.heard)
            for is_up, word in ((False, "0"), (True, "1")):
                board.network(is_up)
                for _ in range(20):
                    board.clock.run(2, grace_ms=20)
                    if f"net: {word}" in board.console():
                        break
            eventually(lambda: len(cloud.all(f"{base}/bus/net", since)) >= 2)
            assert cloud.all(f"{base}/bus/net", since)[:2] == ["0", "1"]
            assert "[INFO] - relay on" in board.console()
