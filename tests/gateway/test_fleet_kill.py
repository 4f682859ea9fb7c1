"""A job that outlives its gateways and its engine: whichever process dies, each node runs once and the report is true.

Each of the five is killed once; FLEET_KILLS=20 is the long form: 195 fakes and 5 virtual boards, that many kills.
"""
import contextlib
import os
import random
import time
from pathlib import Path

import pytest

from tests.gateway.fleet_fakes import FakeFleet, GatewayProcess, cluster, parsed, running
from toolkit.inventory import Device
from toolkit.simulator import VirtualBoard

KILLS = int(os.environ.get("FLEET_KILLS", "0"))
IS_LONG = KILLS > 0
FAKES, BOARDS = (195, 5) if IS_LONG else (30, 1)
DELAY_S = (2.0, 7.0) if IS_LONG else (0.2, 0.8)
PAUSE_S = (1.0, 4.0) if IS_LONG else (0.05, 0.2)
JOB_S = 600 if IS_LONG else 90
TALLY = """
def hit():
    with open("tally", "a") as file:
        file.write("x")
    return "hit"
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 if IS_LONG else 120)]


def test_a_job_outlives_any_of_its_processes(tmp_path: Path) -> None:
    engine, servers = cluster(tmp_path)
    with contextlib.ExitStack() as stack:
        fakes = stack.enter_context(FakeFleet(FAKES, DELAY_S))
        boards = [stack.enter_context(VirtualBoard(
            name=f"board{number}", files={"modules/LM_tally.py": TALLY},
            config={"ntphost": "n/a", "socmax": 6})) for number in range(BOARDS)]
        devices = [*fakes.devices, *(Device(_uid(board), board.address, board.shell_port, board.name)
                                     for board in boards)]
        gateways = [GatewayProcess(tmp_path / name, devices, engine) for name in ("left", "right")]
        stack.enter_context(running(*servers, *gateways))
        for gateway in gateways:
            gateway.wait()
        order = {"kind": "command", "selection": "all", "command": "tally hit", "id": "count-1",
                 "rules": {"concurrency": 8, "tries": 20, "backoff_s": 0.2, "most_backoff_s": 2}}
        assert parsed(gateways[0].ask("POST", "/api/v1/jobs", json=order))["nodes"] == len(devices)
        victims = [gateways[0], servers[0], servers[1], gateways[1], servers[2]]
        killed = kill_some(victims, KILLS or len(victims), gateways)
        report = finished(gateways)
        if IS_LONG:
            print("killed, with so many nodes still to do:", " ".join(killed))
        counts = [node.hits for node in fakes.nodes] + [len((board.dir / "tally").read_text()) for board in boards]
        assert (report["status"], report["done"]) == ("done", len(devices)), (killed, report)
        assert counts == [1] * len(devices), killed
        rows = parsed(gateways[0].ask("GET", "/api/v1/jobs/count-1/nodes"))
        assert {row["uid"] for row in rows if row["state"] == "done"} == {device.uid for device in devices}
        assert {row["text"] for row in rows} == {"1", "hit"}


def _uid(board: VirtualBoard) -> str:
    return board.shell("hello").rpartition(":")[2]


def kill_some(processes: list, kills: int, gateways: list[GatewayProcess]) -> list[str]:
    """One at a time, each started again after a while: each once, then at random.

    To ask how much is left waits for a cluster that chooses its leader, for seconds: the short form has no time for it.
    """
    killed = []
    for number in range(kills):
        time.sleep(random.uniform(*PAUSE_S))
        victim = processes[number % len(processes)] if number < len(processes) else random.choice(processes)
        to_do = left(next(each for each in gateways if each is not victim)) if IS_LONG else "?"
        victim.kill()
        killed.append(f"{victim.name}:{to_do}")
        time.sleep(random.uniform(*PAUSE_S))
        victim.start()
    return killed


def left(gateway: GatewayProcess) -> int:
    """Nodes that are still to do."""
    report = parsed(gateway.ask("GET", "/api/v1/jobs/count-1"))
    return report["waiting"] + report["running"]


def finished(gateways: list[GatewayProcess]) -> dict:
    end_s = time.monotonic() + JOB_S
    while time.monotonic() < end_s:
        report = parsed(gateways[1].ask("GET", "/api/v1/jobs/count-1"))
        if report["status"] != "running":
            return report
        time.sleep(0.2)
    raise AssertionError(f"{report}; {gateways[0].said} {gateways[1].said}")
