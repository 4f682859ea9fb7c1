"""Files: ids that are good for a while, bodies that are whole or not there, packages that are looked into."""
import io
import json
import socket
import tarfile
import zipfile
import zlib

import httpx
import pytest

from tests.gateway.cloud.light import Light, trusted
from toolkit.gateway.cloud import packages
from toolkit.gateway.cloud.files import FILES, ranged

BODY = bytes(range(256)) * 1100            # three pieces


@pytest.fixture(scope="module")
def https(cloud, certificate):
    port = cloud.cloud.door.ports["https"]
    with httpx.Client(base_url=f"https://localhost:{port}", verify=trusted(certificate[0]), trust_env=False) as client:
        yield client


def put(thing, https, name, body, **more):
    told = thing.ask("file.put", thingKey=thing.key, fileName=name, crc32=zlib.crc32(body), **more)
    ident = told["params"]["fileId"]
    return https.post(f"/file/{ident}", content=body)


def test_a_file_goes_up_and_comes_down_in_ranges(thing, https, rest):
    assert put(thing, https, "a b.bin", BODY).status_code == 200
    told = thing.ask("file.get", thingKey=thing.key, fileName="a b.bin", **{"global": False})["params"]
    assert (told["fileSize"], told["crc32"]) == (len(BODY), zlib.crc32(BODY))
    path = f"/file/{told['fileId']}"
    whole = https.get(path)
    assert (whole.status_code, whole.content) == (200, BODY)
    for header, status, part in (("bytes=5-", 206, BODY[5:]), ("bytes=131070-131073", 206, BODY[131070:131074]),
                                 ("bytes=-9", 206, BODY[-9:]), ("bytes=0-999999999", 206, BODY),
                                 ("lines=1-", 200, BODY)):
        answer = https.get(path, headers={"Range": header})
        assert (answer.status_code, answer.content) == (status, part), header
    assert answer.headers["accept-ranges"] == "bytes"
    over = https.get(path, headers={"Range": f"bytes={len(BODY)}-"})
    assert over.status_code == 416 and over.headers["content-range"] == f"bytes */{len(BODY)}"
    rows = rest.get(f"/api/v1/things/{thing.key}/files").json()
    assert [(row["name"], row["size"]) for row in rows] == [("a b.bin", len(BODY))]


def test_an_empty_file_is_a_file(thing, https):
    assert put(thing, https, "empty", b"").status_code == 200
    ident = thing.ask("file.get", fileName="empty")["params"]["fileId"]
    assert https.get(f"/file/{ident}").content == b""


def test_a_body_that_is_not_what_was_announced_leaves_the_one_before(thing, https, certificate):
    put(thing, https, "x", b"first")
    ident = thing.ask("file.put", fileName="x", crc32=1)["params"]["fileId"]
    assert https.post(f"/file/{ident}", content=b"second").status_code == 422
    context = trusted(certificate[0])
    with socket.create_connection(("localhost", https.base_url.port), 5) as link, \
            context.wrap_socket(link, server_hostname="localhost") as secure:
        secure.sendall(f"POST /file/{ident} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsec".encode())
    assert thing.ask("file.get", fileName="x")["params"]["fileSize"] == 5


def test_ids_are_for_one_way_and_end_with_their_time(cloud, thing, https):
    put(thing, https, "t", b"x")
    down = thing.ask("file.get", fileName="t")["params"]["fileId"]
    up = thing.ask("file.put", fileName="t")["params"]["fileId"]
    assert https.post(f"/file/{down}", content=b"y").status_code == 404
    assert https.get(f"/file/{up}").status_code == https.get("/file/guess").status_code == 404
    clock = cloud.cloud.vault._clock
    cloud.cloud.vault._clock = lambda: clock() + 299
    assert https.get(f"/file/{down}").status_code == 200
    cloud.cloud.vault._clock = lambda: clock() + 301
    try:
        assert https.get(f"/file/{down}").status_code == 404
    finally:
        cloud.cloud.vault._clock = clock


def test_who_reads_the_old_one_goes_on_reading_it(thing, https):
    put(thing, https, "r", BODY)
    ident = thing.ask("file.get", fileName="r")["params"]["fileId"]
    put(thing, https, "r", b"new")
    assert https.get(f"/file/{ident}", headers={"Range": "bytes=200000-"}).content == BODY[200000:]


def test_a_missing_file_is_not_found(thing):
    for is_shared in (False, True):
        assert thing.ask("file.get", fileName="nope", **{"global": is_shared})["errorCodes"] == [-90008]


@pytest.mark.parametrize("name", ["", "..", "x" * 200, "a\nb", 7, None])
def test_what_is_no_name_is_refused(thing, name):
    assert thing.ask("file.put", thingKey=thing.key, fileName=name)["errorCodes"] == [-90002]


def test_files_for_all_and_bounds(cloud, rest, https, make_thing):
    with Light(cloud.port, *make_thing("share", bytes=10)) as light:
        assert put(light, https, "big", b"x" * 11).status_code == 413
        assert put(light, https, "fits", b"x" * 10).status_code == 200
        assert light.ask("file.put", fileName="more")["errorCodes"] == [-90004]
        assert put(light, https, "for-all", b"shared", **{"global": True}).status_code == 200
    with Light(cloud.port, *make_thing()) as other:
        assert other.ask("file.get", fileName="for-all", **{"global": True})["params"]["fileSize"] == 6
    assert rest.delete("/api/v1/things/all/files/for-all").status_code == 204
    assert rest.get("/api/v1/things/all/files/for-all").status_code == 404


def test_an_upload_that_died_is_swept_and_what_is_in_use_is_not(cloud, thing, https):
    put(thing, https, "kept", BODY)
    vault, files, do = cloud.cloud.vault, cloud.cloud.files, cloud.do
    do(vault.put(FILES, "blob.dead", b"1.0"))
    do(vault.put(FILES, "body.dead.0", b"x"))
    do(files.sweep())
    assert do(vault.keys(FILES, "*.dead.>")) == do(vault.keys(FILES, "blob.dead")) == []
    ident = thing.ask("file.get", fileName="kept")["params"]["fileId"]
    assert https.get(f"/file/{ident}").content == BODY


@pytest.mark.parametrize(("header", "expected"), [
    ("", None), ("bytes=0-0", (0, 1)), ("bytes=9-", (9, 10)), ("bytes=-3", (7, 10)), ("bytes=-99", (0, 10)),
    ("bytes=1-2,4-5", None), ("bytes=x-", None), ("bytes=-", None), ("items=0-1", None), ("bytes=\u0661-", None)])
def test_ranges(header, expected):
    assert ranged(header, 10) == expected


def tar(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, body in files.items():
            row = tarfile.TarInfo(name.replace("__", "/"))
            row.size = len(body)
            archive.addfile(row, io.BytesIO(body))
    return buffer.getvalue()


def zipped(name, body=b"", **more):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, body)
        for other, data in more.items():
            archive.writestr(other, data)
    return buffer.getvalue()


MANIFEST = json.dumps({"name": "n", "version": "1", "install": "true", "reboot": "no"}).encode()


def test_packages_of_hosts_and_boards_are_told_apart(tmp_path):
    assert packages.checked("p.tar.gz", tar(**{"update.json": MANIFEST, "d__x": b"1"})).version == "1"
    assert packages.checked("p.zip", zipped("update.json", MANIFEST)).kind == "host"
    made = packages.board_set({"modules/LM_x.mpy": b"abc", "main.py": b""})
    assert packages.checked("p", made).kind == "board"
    (tmp_path / "update.json").write_bytes(MANIFEST)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x").write_text("y")
    assert packages.checked("p.tar.gz", packages.built(tmp_path)).files == 3


@pytest.mark.parametrize(("name", "data", "words"), [
    ("p.rar", b"x", "a package is a .zip"), ("p.zip", b"x", "cannot be unpacked"),
    ("p.tar.gz", b"x", "cannot be unpacked"),
    ("p.zip", zipped("other"), "has update.json at its root"), ("p.zip", zipped("update.json", b"{"), "no JSON"),
    ("p.zip", zipped("update.json", b"{}"), "how to install"), ("p.zip", zipped("../x"), "stays within"),
    ("p.tar.gz", tar(**{"__etc__x": b""}), "stays within"),
    ("p.zip", zipped("update.json", b'{"install": 7}'), "is a command"),
    ("p.zip", zipped("update.json", b'{"install": "x", "reboot": 1}'), "reboot"),
    ("p", packages.MAGIC + b"x", "end with an empty line"), ("p", packages.MAGIC + b"x\n\n", "a row of a set"),
    ("p", packages.MAGIC + b"../x 0 -\n\n", "a path of a set"), ("p", packages.MAGIC + b"x 0 -\n\nmore", "0 bytes"),
    ("p", packages.MAGIC + b"x 1 " + b"0" * 64 + b"\n\ny", "SHA-256")],
    ids=lambda value: value if isinstance(value, str) else "data")       # archives hold the time
def test_a_bad_package_is_told_why(name, data, words):
    with pytest.raises(packages.BadPackageError, match=words):
        packages.checked(name, data)


def test_an_update_is_refused_for_a_bad_package_and_an_action_for_a_good_one(thing, rest, https):
    def store(name, body):
        way = rest.post("/api/v1/things/all/files", json={"name": name, "crc32": zlib.crc32(body)}).json()
        assert https.post(way["path"], content=body).status_code == 200

    store("bad.zip", b"x")
    store("good.zip", zipped("update.json", MANIFEST))
    path = f"/api/v1/things/{thing.key}/updates"
    assert [rest.post(path, json={"package": name}).status_code for name in ("bad.zip", "none.zip")] == [422, 404]
    assert rest.post(path, json={"package": "good.zip", "extra_params": "X=1"}).status_code == 201
    thing.notified()
    call = thing.mails()[0]["params"]
    assert call["method"] == "software_update"
    assert call["params"] == {"package": "good.zip", "ota_timeout": 600, "extra_params": "X=1"}
