"""How a gateway is set up; every row has a default that suits one person with a few nodes."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.paths import data_dir

KIB, MIB = 1 << 10, 1 << 20


def _folder() -> Path:
    return data_dir() / "gateway"


@dataclass(frozen=True)
class Settings:
    """host, port        where the gateway listens
    folder            what outlives a run: tokens, the engine's data, samples.json
    engine            None: one NATS server of our own on loopback; "off": none; else nats://a,nats://b,nats://c
    mqtt, mqtt_users  "host:port" where our own NATS server takes MQTT, "" for nowhere; user -> password there
    device_hosts      addresses ("127.0.1.7", "10.0.0.5:9008") that are asked besides what is found and remembered
    cloud             where things of the Device Cloud come in; None: at this port's websocket /mqtt only
    discover          ask the networks by beacon and mDNS, and the virtual boards of this machine
    """

    host: str = "127.0.0.1"
    port: int = 5000
    folder: Path = field(default_factory=_folder)
    engine: str | None = None
    mqtt: str = ""
    mqtt_users: Mapping[str, str] = field(default_factory=dict)
    device_hosts: tuple[str, ...] = ()
    discover: bool = True
    cloud: CloudSettings | None = None

    discover_s: float = 60.0         # between two looks for new nodes
    watch_s: float = 15.0            # between two hellos to each node
    sample_s: float = 60.0           # between two samples of each node's figures, for /metrics and the history
    timeout_s: float = 10.0          # a node's answer
    connect_s: float = 3.0           # each step of opening a session: connection, prompt, hello
    retry_s: float = 1.0             # a node that was just found down is not tried again before that
    most_retry_s: float = 60.0       # the watch waits up to this long for a node that stays down
    idle_s: float = 300.0            # a session without commands is closed, and the node has its seat back
    rate_hz: float = 20.0            # commands to one node
    burst: int = 40
    queue: int = 64                  # commands that wait for one node
    pipeline: int = 8                # reading commands under way at a time, to a node that takes them so

    max_header_bytes: int = 16 * KIB
    max_json_bytes: int = 256 * KIB  # a request that is no upload
    max_file_bytes: int = MIB
    max_upload_bytes: int = 4 * MIB
    max_connections: int = 500
    header_s: float = 10.0           # a client's time for its request line and headers
    body_s: float = 30.0             # and for its body
    send_s: float = 30.0             # a client that takes no bytes for so long is let go
    max_watchers: int = 100          # event streams and consoles open at a time
