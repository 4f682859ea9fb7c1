"""Any package.json: it is refused, or its files stay within /lib and /modules and its words are texts."""
from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure.mip import PackageError, dependencies, dependency, files, imported_as, name, url, version
from tests.fuzz.effort import hard

WORDS = ("a.py", "LM_x.mpy", "../main.py", "/boot.py", "a/../b", "./a.py", "a//b", ".", "", "package.json", "lib/",
         "http://h/a.py", "https://h:1/x", "github:o/r/a.py", "github:o", "gitlab:o/r/", "file:///etc",
         "0123456789abcdef", "http://h/x.py HTTP/1.1\r\nX: y",
         "../../../../etc", "a.py.new", "x" * 70, "ä", "\0", "a b", "%2e%2e", "LM_../x.py", "latest")
TEXT = st.sampled_from(WORDS) | st.text(max_size=8)
VALUE = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3),
                     max_leaves=6)
ROWS = st.lists(st.tuples(TEXT, TEXT).map(list), max_size=4) | VALUE
MANIFEST = st.fixed_dictionaries({}, optional={"urls": ROWS, "hashes": ROWS, "deps": ROWS, "version": VALUE})
PARENT = st.sampled_from(("http://h/foo/package.json", "https://h/pi/v2/package/6/foo/latest.json"))


def is_one_line(text):
    return not any(char < " " for char in text)


@hard
@given(MANIFEST, PARENT)
@example({"urls": [["..", "a.py"]]}, "http://h/foo/package.json")
def test_files_stay_where_packages_live(manifest, parent):
    try:
        found = files(manifest, parent)
    except PackageError as error:
        assert str(error) and is_one_line(str(error))
        return
    for path, address, digits in found:
        assert path.startswith(("/lib/", "/modules/LM_")) and ".." not in path and "//" not in path
        assert address.startswith(("http://", "https://")) and is_one_line(address)
        assert digits is None or 8 <= len(digits) <= 64
        imported_as(path)


@hard
@given(MANIFEST, PARENT)
def test_what_a_package_needs_has_an_address_or_is_refused(manifest, parent):
    assert isinstance(version(manifest), str) and is_one_line(version(manifest))
    try:
        for address, wanted in dependencies(manifest):
            found = url(dependency(address, wanted, parent), wanted)
            assert found.startswith(("http://", "https://")) and is_one_line(found)
            assert name(found) and "/" not in name(found)
    except PackageError as error:
        assert is_one_line(str(error))
