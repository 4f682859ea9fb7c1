"""QuecPython's ql_fs: files and folders, whole ones at a time."""
import json
import os

from Files import exists, read, write_whole

_FOLDER = 0x4000              # st_mode of one


def path_exists(path):
    return exists(path)


def path_dirname(path):
    return path.rpartition("/")[0]


def path_getsize(path):
    """Bytes. Raises OSError."""
    return os.stat(path)[6]


def mkdirs(path):
    """Make a folder and those above it."""
    made = ""
    for part in path.strip("/").split("/"):
        made += "/" + part
        if not exists(made):
            os.mkdir(made)


def is_dir(path):
    return os.stat(path)[0] & 0xF000 == _FOLDER


def rmdirs(path):
    """Remove a folder with all in it. Raises OSError."""
    for name in os.listdir(path):
        inner = "{}/{}".format(path, name)
        if is_dir(inner):
            rmdirs(inner)
        else:
            os.remove(inner)
    os.rmdir(path)


def touch(file, data=None):
    """Write a file, a dict as JSON, with the folders above it. 0, or -1 when the flash refuses."""
    try:
        folder = path_dirname(file)
        if folder:
            mkdirs(folder)
        text = "" if data is None else data if isinstance(data, (str, bytes)) else json.dumps(data)
        write_whole(file, (text,))
        return 0
    except OSError:
        return -1


def file_copy(target, source):
    """Returns True. Raises OSError."""
    with open(source, "rb") as file:
        write_whole(target, _pieces(file))
    return True


def read_json(file):
    """What the JSON in a file says; None when it is missing or none."""
    try:
        return json.loads(read(file) or "")
    except ValueError:
        return None


def _pieces(file):
    while True:
        piece = file.read(512)
        if not piece:
            return
        yield piece
