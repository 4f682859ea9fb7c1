"""QuecPython's app_fota: files for /usr that wait in /usr/.updater until the programs start again."""
import os

import ql_fs
from Files import exists, names, remove
from micropython import const

FOLDER = const("/usr/.updater")
FLAG = FOLDER + "/flag"


class _Fota:
    def download(self, url, file):
        """0, or -1. file: where it shall be in the end, /usr/..."""
        import urequests
        try:
            status, body = urequests.ask(url)
            return ql_fs.touch(FOLDER + file, body) if status == 200 and file.startswith("/usr/") else -1
        except OSError:
            return -1

    def bulk_download(self, rows):
        """Those of the rows {"url", "file_name"} that failed, None when all came."""
        return [row for row in rows if self.download(row["url"], row["file_name"])] or None

    def set_update_flag(self):
        return set_update_flag()


new = _Fota


def set_update_flag():
    """What has been staged counts at the next start."""
    return ql_fs.touch(FLAG)


def apply():
    """Move what waits to its place. A power cut amid it is made up at the next start: each move is one step."""
    _move(FOLDER + "/usr", "/usr")
    remove(FLAG)
    ql_fs.rmdirs(FOLDER)


def _move(source, target):
    if not exists(target):
        ql_fs.mkdirs(target)
    for name in names(source):
        one, other = "{}/{}".format(source, name), "{}/{}".format(target, name)
        if ql_fs.is_dir(one):
            _move(one, other)
        else:
            os.rename(one, other)
