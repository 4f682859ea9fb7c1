"""Air: temperature, humidity, pressure (BME280) and CO2 (MQ135), five times."""
from __future__ import annotations

from toolkit.apps import Node, Steps, watch


def app(devfid: str | Node | None = None) -> Steps:
    return watch(devfid, "bme280 measure_w_co2", times=5, pause_s=2)
