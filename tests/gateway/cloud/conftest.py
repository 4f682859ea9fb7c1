"""A gateway with its cloud side for all quiet tests of a process."""
import itertools
import subprocess

import pytest

from tests.gateway.conftest import MISSING

if not MISSING:
    from tests.gateway.cloud.light import Light, running_cloud

_numbers = itertools.count(1)


def made_certificate(folder, *names):
    """(certificate, key) of localhost in PEM; the certificate is its own CA. names: more of them, "IP:..." """
    cert, key = folder / "ca.pem", folder / "key.pem"
    alternative = ",".join(("DNS:localhost", "IP:127.0.0.1", *names))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", f"subjectAltName={alternative}",
                    "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="package")
def certificate(tmp_path_factory):
    return made_certificate(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="package")
def cloud(data, certificate, tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("cloud"), certificate=certificate[0], key=certificate[1]) as running:
        yield running


@pytest.fixture(scope="package")
def rest(cloud):
    with cloud.client() as client:
        yield client


@pytest.fixture
def make_thing(cloud, rest):
    """make_thing(role="act", **limits) -> (key, token) of a thing that nobody has seen."""
    def make(role="act", **limits):
        key = f"dev{next(_numbers)}-app"
        told = rest.post("/api/v1/thing-tokens", json={"things": key, "role": role, "limits": limits})
        assert told.status_code == 201, told.text
        return key, told.json()["token"]

    return make


@pytest.fixture
def thing(cloud, make_thing):
    with Light(cloud.port, *make_thing()) as light:
        yield light
