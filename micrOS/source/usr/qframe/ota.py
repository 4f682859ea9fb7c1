"""QFrame's updates: of programs, by app_fota; of the firmware, which a node does not take from a program."""
import app_fota
import ql_fs
from Files import remove
from pure.lazy import unload

_STAGING = app_fota.FOLDER


class Fota:
    """The firmware of a node comes by the toolkit: each of these says so."""

    def __init__(self, auto_reset=False, progress_callback=None):
        self.auto_reset = auto_reset

    def upgrade(self, url):
        raise NotImplementedError("a node's firmware comes by the toolkit (devToolKit.py --update), not by a program")

    def mini_upgrade(self, url1, url2):
        return self.upgrade(url1)

    def local_upgrade(self, path):
        """(False, 1): it could not be written."""
        return False, 1

    def get_result(self, timeout=None):
        return False


class AppFota:
    """Files for /usr; after set_update_flag() they count with the next start."""

    def __init__(self):
        self._app_fota = app_fota.new()

    def set_update_flag(self):
        return self._app_fota.set_update_flag()

    def download(self, url, file):
        """True when it is there. file: where it shall be, /usr/..."""
        return self._app_fota.download(url, file) == 0

    def bulk_download(self, rows):
        """rows: [{"url", "file_name"}]. Those that failed, None when all came."""
        return self._app_fota.bulk_download(rows)

    def download_tar(self, url, path="/usr/temp.tar.gz"):
        """True when all files of a gzip'd tar wait for /usr; the archive at `path` is removed."""
        import urequests
        try:
            status, body = urequests.ask(url)
            if status != 200 or ql_fs.touch(path, body):
                return False
            del body
            with open(path, "rb") as packed:
                _unpack(packed)
            return True
        except (OSError, ValueError, EOFError):
            return False
        finally:
            if ql_fs.path_exists(path):
                remove(path)
            unload("urequests")


def _unpack(packed):
    """Source: POSIX.1-1988 ustar: `name 100 | mode 8 | uid 8 | gid 8 | size 12, octal | ...`, blocks of 512 bytes."""
    import deflate
    plain = deflate.DeflateIO(packed, deflate.GZIP)
    while True:
        head = plain.read(512)
        if len(head) < 512 or not head[0]:
            return
        name = str(head[:100].rstrip(b"\0"), "utf-8")
        size = int(str(head[124:135], "ascii").strip("\0 ") or "0", 8)
        body = plain.read((size + 511) // 512 * 512)[:size]
        if head[156:157] in (b"0", b"\0"):
            _keep(name, body)


def _keep(name, body):
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise ValueError("{} leads out of /usr".format(name))
    if ql_fs.touch("{}/usr/{}".format(_STAGING, "/".join(parts)), body):
        raise OSError("{} could not be written".format(name))
