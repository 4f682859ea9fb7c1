"""Quectel's cloud as an upgrade of the programs in /usr and a place for log lines."""
import binascii
import hashlib
import json
import os

import app_fota
import modem
import net
import ql_fs
from Http import WebError, fetch, save
from micropython import const

CONFIG = const("/usr/ota_config.json")
URL = const("https://cloudota.quectel.com:8100/v1")
_MOST_BYTES = const(524288)      # of a download
_STAGED = app_fota.FOLDER + "/usr"
_PACKAGE = app_fota.FOLDER + "/package"
_DEFAULTS = {"version": "V1.0.0", "flag": "0", "fw_version": ""}
_JSON = const((("Content-Type", "application/json"),))
(OK, DONE, NONE, TOKEN, NO_URL, DOWNLOAD, PARAMETER, MODE, VERIFY, LOG) = (
    "20000", "3001", "3002", "4001", "4002", "4003", "4004", "4005", "4006", "4007")
(SAVE, CONFIG_READ, NO_NETWORK, REQUEST, WRITE, READ, UNZIP, STRUCTURE) = (
    "4021", "4022", "4023", "4024", "4025", "4027", "4028", "4029")
_DOWNLOADING, _DOWNLOADED, _FAILED, _STARTED, _SUCCESS = 3, 4, 5, 6, 7       # of a status report


class OtaError(Exception):
    """Raised with the code that tells why there was no upgrade."""


class UCloudOTA:
    def __init__(self, battery=100, url=URL):
        self._battery = battery
        self._url = url

    async def upgrade(self, uid, module_type, pk):
        """Code: DONE when new files wait for the next start, NONE when there are none, else why not."""
        try:
            if not (uid and module_type and pk):
                raise OtaError(PARAMETER)
            config = _config()
            _need_network()
            token = await self._token(self._url, "secret={}".format(_secret()), "access_Token")
            if config["flag"] == "1":
                await self._report(token, config["version"], _SUCCESS)
                _keep(config, flag="0")
            return await self._fetched(token, config, uid, module_type, pk)
        except OtaError as error:
            return error.args[0]

    async def log(self, pk, text):
        """OK, or why the line was not taken."""
        try:
            _need_network()
            base = self._url.rpartition("/")[0]
            token = await self._token(base + "/v2", "pk={}&grantType=1".format(pk), "access_Token", LOG)
            status, _ = await _asked(self._url + "/fota/msg/report", "POST", _token(token), json.dumps({
                "imei": modem.getDevImei(), "version": _config()["version"], "reportMsg": str(text),
                "battery": self._battery, "signalStrength": net.csqQueryPoll(), "cellInfos": []}))
            return OK if status == 200 else LOG
        except OtaError as error:
            return error.args[0]

    async def _token(self, url, question, key, code=TOKEN):
        status, told = await _asked("{}/oauth/token?imei={}&{}".format(url, modem.getDevImei(), question))
        token = (told.get("data") or {}).get(key) if isinstance(told.get("data"), dict) else None
        if status != 200 or not token:
            raise OtaError(code)
        return token

    async def _fetched(self, token, config, uid, module_type, pk):
        rsrp = net.getSignal()[1][1]
        status, told = await _asked(
            "{}/fota/fw?version={}&imei={}&moduleType={}&battery={}&rsrp={}&uid={}&pk={}".format(
                self._url, config["version"], modem.getDevImei(), module_type, self._battery, rsrp, uid, pk),
            fields=_token(token))
        if status != 200 or told.get("code") != 200 or str(told.get("action", 1)) == "0":
            return NONE
        if str(told.get("action", 1)) != "1":
            raise OtaError(MODE)
        url, version = told.get("url"), told.get("targetVersion", config["version"])
        if not url:
            raise OtaError(NO_URL)
        await self._report(token, config["version"], _DOWNLOADING)
        try:
            await _stage(url, told.get("md5"))
        except OtaError:
            await self._report(token, config["version"], _FAILED)
            raise
        await self._report(token, config["version"], _DOWNLOADED)
        _keep(config, version=version, flag="1")
        if app_fota.set_update_flag():
            raise OtaError(WRITE)
        await self._report(token, version, _STARTED)
        return DONE

    async def _report(self, token, version, code):
        """Only told: that it does not arrive is no reason to stop."""
        try:
            await _asked(self._url + "/fota/status/report", "POST", _token(token), json.dumps({
                "version": version, "ver": "v1.0", "imei": modem.getDevImei(), "code": code, "msg": ""}))
        except OtaError:
            pass


def _secret():
    return str(binascii.hexlify(hashlib.md5("QUEC{}TEL".format(modem.getDevImei()).encode()).digest()), "utf-8")


def _token(token):
    return _JSON + (("access_token", token),)


async def _asked(url, method="GET", fields=(), body=""):
    """(status, dict), an empty one for what is no JSON object. Raises OtaError."""
    try:
        status, answer = await fetch(url, method, fields, body.encode())
    except WebError:
        raise OtaError(REQUEST)
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    return status, told if isinstance(told, dict) else {}


def _need_network():
    if net.csqQueryPoll() in (99, -1):
        raise OtaError(NO_NETWORK)


def _config():
    if not ql_fs.path_exists(CONFIG):
        _write_config(_DEFAULTS)
    config = ql_fs.read_json(CONFIG)
    if not isinstance(config, dict) or "version" not in config:
        raise OtaError(CONFIG_READ)
    for key, value in _DEFAULTS.items():
        config.setdefault(key, value)
    return config


def _keep(config, **changes):
    config.update(changes)
    _write_config(config)


def _write_config(config):
    if ql_fs.touch(CONFIG, config):
        raise OtaError(SAVE)


async def _stage(url, md5):
    """Put one file, or those of a .zip, where they wait. Raises OtaError; then nothing waits."""
    file = url.partition("?")[0].rpartition("/")[2]
    name = file.partition("_")[2]
    if not name or name in (".", ".."):
        raise OtaError(STRUCTURE)
    try:
        _make(_STAGED)
        await _download(url)
        if md5 and _digest(_PACKAGE) != md5.lower():
            raise OtaError(VERIFY)
        if name.endswith(".zip"):
            _unzip()
        else:
            os.rename(_PACKAGE, "{}/{}".format(_STAGED, name))
    except OtaError:
        try:
            ql_fs.rmdirs(app_fota.FOLDER)
        except OSError:                      # there is none, or what is in its place is not ours
            pass
        raise


def _make(folder):
    try:
        ql_fs.mkdirs(folder)
    except OSError:
        raise OtaError(WRITE)


async def _download(url):
    try:
        status = await save(url, _PACKAGE, _MOST_BYTES)
    except WebError:
        raise OtaError(DOWNLOAD)
    except OSError:
        raise OtaError(WRITE)
    if status != 200:
        raise OtaError(DOWNLOAD)


def _digest(path):
    total = hashlib.md5()
    with open(path, "rb") as file:
        while True:
            piece = file.read(512)
            if not piece:
                return str(binascii.hexlify(total.digest()), "utf-8")
            total.update(piece)


def _unzip():
    from pure import unzip
    try:
        with open(_PACKAGE, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - unzip.TAIL_BYTES))
            count, length, offset = unzip.directory(file.read())
            file.seek(offset)
            rows = unzip.entries(file.read(length), count)
            if not rows:
                raise OtaError(STRUCTURE)
            for row in rows:
                _unpack(file, *row)
    except unzip.ZipError as error:
        raise OtaError(STRUCTURE if "folder" in str(error) else UNZIP)
    except OSError:
        raise OtaError(READ)
    os.remove(_PACKAGE)


def _unpack(file, name, method, crc, packed, size, offset):
    """Raises OtaError when the content is not what the directory says."""
    from pure import unzip
    file.seek(offset)
    file.seek(offset + unzip.begin(file.read(unzip.LOCAL_BYTES)))
    source = file
    if method == unzip.DEFLATED:
        from deflate import RAW, DeflateIO
        # no distance is longer than the file, so a small one needs no window of 32 KB
        bits = 8
        while 1 << bits < size and bits < 15:
            bits += 1
        source = DeflateIO(file, RAW, bits)
    target = "{}/{}".format(_STAGED, name)
    _make(ql_fs.path_dirname(target))
    left, total = size, 0
    try:
        with open(target, "wb") as out:
            while left:
                piece = source.read(min(left, 512))
                if not piece:
                    raise OtaError(UNZIP)
                out.write(piece)
                left -= len(piece)
                total = binascii.crc32(piece, total)
    except (EOFError, OSError) as error:
        raise OtaError(UNZIP if isinstance(error, EOFError) or error.errno == 22 else WRITE)
    if total != crc:
        raise OtaError(UNZIP)
