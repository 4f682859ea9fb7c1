"""The directory of a ZIP file, as entries and end records put together by the specification."""
import binascii

from micrOS.source.pure.unzip import ZipError, begin, directory, entries, is_inside

# of zipfile: one file a.py, stored, "print(1)\n"; its local head and content
ARCHIVE = binascii.unhexlify(
    "504b0304140000000000000021500d0a2eb20900000009000000040000006"
    "12e70797072696e742831290a")


def entry(name, method=0, flags=0, size=9):
    import struct
    data = name.encode()
    return (b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, flags, method, 0, 0, 0xB22E0A0D, size, size,
                                        len(data), 0, 0, 0, 0, 0, 0) + data)


def end(count, length, offset, remark=b""):
    import struct
    return b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, length, offset, len(remark)) + remark


def refused(function, *args):
    try:
        function(*args)
    except ZipError:
        return True
    return False


def test_the_end_record_is_found_behind_anything_and_before_a_remark():
    assert directory(b"x" * 50 + end(2, 100, 39, b"hello")) == (2, 100, 39)
    assert refused(directory, b"no zip at all")
    assert refused(directory, end(1, 2, 3)[:-1])


def test_files_are_listed_and_folders_left_out():
    data = entry("a.py") + entry("lib/", size=0) + entry("lib/b.py", method=8)
    assert entries(data, 3) == [("a.py", 0, 0xB22E0A0D, 9, 9, 0), ("lib/b.py", 8, 0xB22E0A0D, 9, 9, 0)]


def test_what_is_encrypted_odd_cut_off_or_outside_is_refused():
    assert refused(entries, entry("a.py", flags=1), 1)
    assert refused(entries, entry("a.py", method=12), 1)
    assert refused(entries, entry("a.py")[:-30], 1)
    for name in ("/etc/x", "../x", "a/../../x", "a\\b"):
        assert refused(entries, entry(name), 1)
        assert not is_inside(name)


def test_the_content_begins_behind_name_and_extra():
    assert begin(ARCHIVE[:30]) == 34
    assert ARCHIVE[34:] == b"print(1)\n"
    assert refused(begin, b"PK\x01\x02" + bytes(26))
