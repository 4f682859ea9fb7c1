"""Programs of a host for these tests: a Client that is connected, in a folder of its own."""
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from device_cloud import Client
from tests.cloud.conftest import APP, settings
from tests.cloud.responder import VECTORS, Responder


def made(folder: Path, cloud: Responder, /, app: str = APP, **more: Any) -> Client:
    """Initialized. more: settings that count more than those for the cloud of the test"""
    handler = more.pop("error_handler", None)
    (folder / f"{app}-connect.cfg").write_text(json.dumps(settings(cloud, **more)))
    (folder / "device_id").write_text(VECTORS["device_id"])
    client = Client(app, {"config_dir": str(folder), "loop_time": more.get("loop_time", 0.05),
                          "quiet": more.get("quiet", True)}, error_handler=handler)
    assert client.initialize() == 0
    return client


@contextmanager
def connected(folder: Path, cloud: Responder, /, app: str = APP, **more: Any) -> Iterator[Client]:
    client = made(folder, cloud, app, **more)
    try:
        assert client.connect(10) == 0
        yield client
    finally:
        client.disconnect()


def certificate_of(folder: Path, begins_h: float = 0, lasts_h: float = 24) -> tuple[str, str]:
    """(cert, key) of localhost in PEM. begins_h: hours from now on"""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) + timedelta(hours=begins_h)
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(hours=lasts_h))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .sign(key, hashes.SHA256()))
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return str(paths[0]), str(paths[1])
