"""The directory of a ZIP file. Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.16."""
import struct

TAIL_BYTES = 22 + 128            # end record with a remark of up to so many bytes
LOCAL_BYTES = 30                 # head of a file, before its name
STORED, DEFLATED = 0, 8


class ZipError(ValueError):
    """Raised for a file that is no ZIP of plain files."""


def directory(tail):
    """(files, bytes of the directory, its offset). tail: the last TAIL_BYTES of the file, or all of it"""
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise ZipError("no end record: this is no ZIP file")
    return struct.unpack("<HII", tail[at + 10:at + 20])


def entries(data, count):
    """Rows (name, method, crc, packed bytes, bytes, offset of the local head), folders left out. Raises ZipError."""
    rows, at = [], 0
    for _ in range(count):
        if data[at:at + 4] != b"PK\x01\x02" or at + 46 > len(data):
            raise ZipError("the directory is cut off")
        flags, method = struct.unpack("<HH", data[at + 8:at + 12])
        crc, packed, size, name_bytes, extra, remark = struct.unpack("<IIIHHH", data[at + 16:at + 34])
        offset = struct.unpack("<I", data[at + 42:at + 46])[0]
        name = str(data[at + 46:at + 46 + name_bytes], "utf-8")
        if method not in (STORED, DEFLATED) or flags & 1 or not is_inside(name):
            raise ZipError("{} is encrypted, packed by method {}, or leads out of the folder".format(name, method))
        if name[-1] != "/":
            rows.append((name, method, crc, packed, size, offset))
        at += 46 + name_bytes + extra + remark
    return rows


def is_inside(name):
    return bool(name) and name[0] != "/" and "\\" not in name and ".." not in name.split("/")


def begin(local):
    """Bytes between the local head's begin and the content. local: its LOCAL_BYTES"""
    if local[:4] != b"PK\x03\x04":
        raise ZipError("a file has no head")
    name_bytes, extra = struct.unpack("<HH", local[26:30])
    return LOCAL_BYTES + name_bytes + extra
