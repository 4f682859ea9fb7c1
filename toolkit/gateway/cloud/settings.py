"""How the cloud side is set up. Without settings of its own it listens nowhere but at the gateway's HTTP port."""
from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import UsageError

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class CloudSettings:
    """host, mqtt, mqtts, https   where things come in; None: not there, 0: any free port. The last two take TLS
    certificate, key              PEM files; without them there is no mqtts and no https
    public                        "name" or "name:port" by which things reach https; relays are named with it
    upstream                      "host:port" of the MQTT server for clients that are no things, "": the engine's
    """

    host: str = "127.0.0.1"
    mqtt: int | None = 1883
    mqtts: int | None = 8883
    https: int | None = 443
    certificate: Path | None = None
    key: Path | None = None
    public: str = ""
    upstream: str = ""

    connect_s: float = 10.0            # for CONNECT, and for TLS
    send_s: float = 30.0               # a thing that takes no bytes for so long is let go
    most_sessions: int = 5000
    most_strangers: int = 500          # connections that have not shown a token yet
    packet_bytes: int = 900 * KIB      # of one MQTT packet; the engine takes 1 MiB
    file_s: float = 300.0              # a file's id is valid for so long
    most_file_bytes: int = 64 * MIB
    most_transfers: int = 64
    relay_s: float = 60.0              # for both ends of a relay to come

    def context(self) -> ssl.SSLContext | None:
        """None without a certificate. Raises UsageError for one that cannot be used."""
        if not self.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"the cloud's certificate {self.certificate} and key {self.key} cannot be used: "
                             f"{getattr(error, 'strerror', None) or error}") from None
        return context
