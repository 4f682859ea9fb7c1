"""A thing of a Device Cloud: tells the load of this host, and takes a new interval as an action.

    devToolKit.py --cloud config --app telemetry --host cloud.example      writes telemetry-connect.cfg and device_id
    python examples/cloud_telemetry.py

The cloud's action `interval` with {"seconds": 5} changes how often; a load over 4 is an alarm. Ctrl-C ends it; what
could not be told waits on the disk for the next start.
"""
from __future__ import annotations

import os
import threading
from typing import Any

import device_cloud

ALARM_LOAD = 4.0


class Telemetry:
    """interval_s: between two samples; over: set to end"""

    def __init__(self, client: device_cloud.Client) -> None:
        self._client = client
        self._interval_s = 10.0
        self._is_high = False
        self.over = threading.Event()

    def set_interval(self, client: device_cloud.Client, params: dict[str, Any] | None) -> tuple[int, str]:
        seconds = (params or {}).get("seconds")
        if not isinstance(seconds, (int, float)) or not 1 <= seconds <= 3600:
            return device_cloud.STATUS_BAD_PARAMETER, f"seconds is 1-3600, got {seconds}"
        self._interval_s = seconds
        return device_cloud.STATUS_SUCCESS, f"every {seconds} s"

    def run(self) -> None:
        while not self.over.is_set():
            load = os.getloadavg()[0]
            self._client.telemetry_publish("load", round(load, 2))
            if self._is_high != (load > ALARM_LOAD):
                self._is_high = not self._is_high
                self._client.alarm_publish("load", int(self._is_high), f"load {load:.2f}")
            self.over.wait(self._interval_s)


def main() -> None:
    client = device_cloud.Client("telemetry")
    client.initialize()
    telemetry = Telemetry(client)
    client.action_register_callback("interval", telemetry.set_interval)
    status = client.connect(timeout=10)
    if status != device_cloud.STATUS_SUCCESS:
        client.warning(f"not connected yet: {device_cloud.status_string(status)}")
    try:
        client.attribute_publish("program", os.path.basename(__file__))
        telemetry.run()
    except KeyboardInterrupt:
        pass
    finally:
        client.disconnect()


if __name__ == "__main__":
    main()
