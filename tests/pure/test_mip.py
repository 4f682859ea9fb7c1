"""What a package.json says; runs on CPython and on MicroPython."""
from micrOS.source.pure.mip import (
    PackageError,
    dependencies,
    dependency,
    files,
    imported_as,
    is_address,
    manifest_address,
    name,
    target,
    url,
    version,
)

HOME = "http://h:8000/foo/package.json"
INDEX = "https://h/pi/v2/package/6/foo/latest.json"
HASH = "0123456789abcdef"

NAMES = (
    (HOME, "foo"),
    (INDEX, "foo"),
    ("http://h/pi/package/py/foo-bar/1.0.json", "foo-bar"),
    ("http://h/a/b/foo.json", "foo"),
    ("http://h/foo.py", "foo"),
    ("http://h/LM_foo.mpy", "LM_foo"),
    ("github:owner/repo/package.json", "repo"),
    ("gitlab:owner/repo/part/package.json", "part"),
)
NO_NAMES = ("http://h/package.json", "http://h/a b/package.json", "http://h/../package.json", "http://h/.json",
            "http://h:8000/%2e/package.json")
URLS = (
    (("http://h/x.py", None), "http://h/x.py"),
    (("http://h/x.py", "main"), "http://h/x.py"),
    (("github:o/r/a/x.py", None), "https://raw.githubusercontent.com/o/r/HEAD/a/x.py"),
    (("github:o/r/package.json", "v1"), "https://raw.githubusercontent.com/o/r/v1/package.json"),
    (("gitlab:o/r/x.py", "main"), "https://gitlab.com/o/r/-/raw/main/x.py"),
)
TARGETS = (
    ("foo.py", "/lib/foo.py"), ("foo/__init__.mpy", "/lib/foo/__init__.mpy"), ("LM_foo.py", "/modules/LM_foo.py"),
    ("LM_foo.mpy", "/modules/LM_foo.mpy"), ("a/LM_foo.py", "/lib/a/LM_foo.py"),
    ("data/table.json", "/lib/data/table.json"),
)
NO_TARGETS = ("", "/foo.py", "../foo.py", "a/../../main.py", "a//b.py", "a/.hidden", "a b.py", "foo.py.new", "ä.py",
              "a\\b.py", "a/" * 40 + "b.py", "a\0.py")
IMPORTED = (
    ("/lib/foo.py", "foo"), ("/lib/foo/__init__.py", "foo"), ("/lib/foo/bar.mpy", "foo.bar"),
    ("/modules/LM_foo.py", "LM_foo"), ("/lib/table.json", None), ("/lib/x.py.new", None),
)
BAD_MANIFESTS = (
    ({}, "there is no file in it"),
    ({"urls": []}, "there is no file in it"),
    ({"urls": {"a.py": "b"}}, "urls is a list of pairs of texts"),
    ({"urls": ["ab"]}, "urls is a list of pairs of texts"),
    ({"urls": [["a.py"]]}, "urls is a list of pairs of texts"),
    ({"urls": [["a.py", 5]]}, "urls is a list of pairs of texts"),
    ({"urls": [["a.py", "a.py"]], "hashes": [["a.py", "12"]]}, "a hash is 8 to 64 digits of a SHA-256, got 12"),
    ({"urls": [["a.py", "a.py"]], "hashes": [["a.py", "../../../x"]]},
     "a hash is 8 to 64 digits of a SHA-256, got ../../../x"),
    ({"hashes": [["a.py", HASH]]}, "it has a hash of a.py, and no url"),
    ({"urls": [["a.py", "github:x"]]}, "an address is github:owner/repository/path, got github:x"),
)


def refusal(function, *arguments):
    """Text of the PackageError."""
    try:
        result = function(*arguments)
    except PackageError as error:
        return str(error)
    raise AssertionError(f"{arguments} was taken: {result}")


def test_a_package_is_called_like_its_folder_or_its_file():
    for address, expected in NAMES:
        assert name(address) == expected, address
    for address in NO_NAMES:
        assert refusal(name, address).startswith("a package has a name"), address


def test_an_address_leads_to_a_package_json_or_a_file():
    assert manifest_address("http://h/foo/") == manifest_address("http://h/foo") == "http://h/foo/package.json"
    assert manifest_address("github:o/r") == "github:o/r/package.json"
    for address in ("http://h/foo.py", "http://h/foo.mpy", "http://h/x/other.json"):
        assert manifest_address(address) == address
    assert is_address("http://h") and is_address("gitlab:o/r")
    assert not is_address("foo") and not is_address("ftp://h/x")


def test_addresses_of_hosts_become_urls():
    for arguments, expected in URLS:
        assert url(*arguments) == expected, arguments
    assert refusal(url, "github:o//x").startswith("an address is github:owner/repository/path")
    assert refusal(url, "http://h/x.py X\r\nY: z") == "an address has no blanks, got http://h/x.py X??Y: z"
    assert refusal(url, "github:o/r/x.py", "v 1").startswith("an address has no blanks")


def test_files_go_to_lib_and_load_modules_to_modules():
    for path, expected in TARGETS:
        assert target(path) == expected, path
    for path in NO_TARGETS:
        assert refusal(target, path).startswith("a path is a/b.py"), path


def test_files_come_from_where_the_package_says():
    manifest = {"urls": [["foo.py", "foo.py"], ["LM_foo.py", "./src/LM_foo.py"], ["bar.py", "github:o/r/bar.py"]],
                "hashes": [["LM_foo.py", HASH]], "version": "1.2", "deps": [["http://h/bar", "1"]]}
    assert files(manifest, HOME, "v1") == [
        ("/lib/foo.py", "http://h:8000/foo/foo.py", None),
        ("/modules/LM_foo.py", "http://h:8000/foo/src/LM_foo.py", HASH),
        ("/lib/bar.py", "https://raw.githubusercontent.com/o/r/v1/bar.py", None),
    ]
    assert version(manifest) == "1.2" and version({}) == "" and version({"version": "1\n2"}) == "1?2"
    assert dependencies(manifest) == [["http://h/bar", "1"]]


def test_files_of_an_index_lie_under_their_hash():
    assert files({"hashes": [["foo/__init__.mpy", HASH]]}, INDEX) == [
        ("/lib/foo/__init__.mpy", "https://h/pi/v2/file/01/" + HASH, HASH)]


def test_a_dependency_is_an_address_or_a_neighbour_in_the_index():
    assert dependency("http://h/bar", "1", HOME) == "http://h/bar/package.json"
    assert dependency("bar", "1.0", INDEX) == "https://h/pi/v2/package/6/bar/1.0.json"
    assert dependency("bar", "", INDEX) == "https://h/pi/v2/package/6/bar/latest.json"
    assert refusal(dependency, "bar", "1.0", HOME) == "it needs bar, and does not say from where"


def test_what_a_file_is_imported_as():
    for path, expected in IMPORTED:
        assert imported_as(path) == expected, path


def test_a_manifest_that_makes_no_sense_is_refused():
    for manifest, text in BAD_MANIFESTS:
        assert refusal(files, manifest, HOME) == text, manifest
