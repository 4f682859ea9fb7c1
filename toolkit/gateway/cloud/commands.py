"""What things and operators may say in TR50: a table of commands, each in batch and single form where there are two."""
from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from micrOS.source.pure import tr50_cloud
from micrOS.source.pure.tr50_status import text
from toolkit.errors import ToolkitError, UnknownDeviceError, UsageError
from toolkit.gateway.cloud.mailbox import TIMED_OUT, Action
from toolkit.gateway.cloud.plain import is_plain
from toolkit.gateway.cloud.samples import BadSampleError
from toolkit.gateway.cloud.things import DETAILS, Thing, is_key
from toolkit.gateway.cloud.vault import EngineFullError
from toolkit.gateway.errors import UnavailableError

if TYPE_CHECKING:
    from toolkit.gateway.cloud.cloud import Cloud

# errorCodes beside -90008 (not found): a thing takes all others for status 19
NOT_ALLOWED, NOT_DONE = -90003, -90004
SHARED_BYTES = 256 << 20
MOST_SHARED = 1000
MOST_WAIT_S = 120.0
MOST_ACK_S = 300.0             # as the public cloud has it

_OF_ITSELF = ("thing.update", "thing.find")

Params = dict[str, Any]
Reply = dict[str, Any]


@dataclass
class Speaker:
    """Who says it. thing: None for an operator; role: of access.py, for one; handed: mails that this session got.

    replied: mails of the reply that is being made; ident: what a request and its replay have in common; is_again: it
    says of itself that it may be a replay
    """

    by: str
    thing: Thing | None = None
    role: Callable[[str], bool] = lambda role: False
    handed: set[str] = field(default_factory=set)
    replied: list[str] = field(default_factory=list)
    ident: str = ""
    is_again: bool = False

    def key(self, params: Params) -> str:
        """Of the thing that is meant. Raises UsageError, NotTheirsError."""
        told = params.get("thingKey")
        if self.thing is None:
            if not is_key(told):
                raise UsageError("thingKey names a thing")
            return str(told)
        if told not in (None, self.thing.key):
            raise NotTheirsError(f"a thing speaks for itself, not for {str(told)[:64]!r}")
        return self.thing.key


class NotTheirsError(ToolkitError):
    """Raised for what another thing's business is."""


def _failure(code: int, words: str) -> Reply:
    return dict(tr50_cloud.failure(code, words))


Work = Callable[["Cloud", Speaker, str, Params], Awaitable[Reply]]


async def answer(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    """The reply to one command. Raises UnavailableError when what must be kept cannot be."""
    row = COMMANDS.get(command)
    if row is None:
        return _failure(tr50_cloud.BAD_COMMAND, f"no such command: {command[:40]}")
    of_thing, of_operator, work = row
    is_free = of_thing and speaker.thing.may(of_thing) if speaker.thing else speaker.role(of_operator)
    if not is_free:
        return _failure(NOT_ALLOWED, f"{command} is not for {speaker.by}")
    if speaker.thing:
        own = ("thingKey", "key") if command in _OF_ITSELF else ("thingKey",)
        params = {**dict.fromkeys(own, speaker.thing.key), **params}
    if not is_plain(params):
        return _failure(tr50_cloud.BAD_PARAMS, "numbers are finite, and a text has a form in UTF-8")
    fault = tr50_cloud.fault(command, params) if command in tr50_cloud.COMMANDS else None
    if fault:
        return dict(fault)
    try:
        return await work(cloud, speaker, command, params)
    except EngineFullError as error:     # said again it would be refused again
        return _failure(NOT_DONE, str(error))
    except UnavailableError:
        raise
    except NotTheirsError as error:
        return _failure(NOT_ALLOWED, str(error))
    except UnknownDeviceError as error:
        return dict(tr50_cloud.not_found(str(error)))
    except (BadSampleError, UsageError) as error:
        return _failure(tr50_cloud.BAD_PARAMS, str(error))
    except ToolkitError as error:
        return _failure(NOT_DONE, str(error))


# -- telling

async def _publish(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    key = speaker.key(params)
    thing = speaker.thing or await cloud.things.get(key)
    kind, items = tr50_cloud.samples(command, params)
    wanted = len(params["data"]) if isinstance(params.get("data"), list) else len(items)
    if "data" in params and not isinstance(params["data"], list):
        raise BadSampleError("data is a list")
    kept = await cloud.samples.take(key, kind, items, thing.bounds().keys, speaker.ident, speaker.is_again)
    cloud.told(key, kind, kept)
    if len(items) < wanted:
        raise BadSampleError(f"item {len(items) + 1} of {wanted} lacks what a {kind} needs; those before it are kept")
    return dict(tr50_cloud.success())


async def _current(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    kind = command.partition(".")[0]
    key = "place" if kind == "location" else params.get("key")
    if not isinstance(key, str):
        raise UsageError("key names what is asked for")
    item = await cloud.samples.current(speaker.key(params), kind, key)
    if item is None:
        return dict(tr50_cloud.not_found(f"no {kind} {key[:40]!r} yet"))
    return dict(tr50_cloud.success({name: value for name, value in item.items() if name not in ("key", "at")}))


async def _thing_update(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    key = speaker.key({"thingKey": params.get("key")})
    details: dict[str, str | None] = {}
    for name in DETAILS:
        if params.get(name) is not None:
            if not isinstance(params[name], str) or len(params[name]) > 256:
                raise UsageError(f"{name} is a text of up to 256 characters")
            details[name] = params[name]
    unset = params.get("unset")
    for name in unset if isinstance(unset, list) else ():
        if name in DETAILS:
            details[name] = None
    await cloud.things.change(key, details=details)
    return dict(tr50_cloud.success())


async def _thing_find(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    thing = await cloud.things.get(speaker.key({"thingKey": params.get("key")}))
    return dict(tr50_cloud.success(cloud.described(thing)))


# -- the mailbox

async def _check(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    assert speaker.thing
    mails = await cloud.mailbox.check(speaker.thing.key, speaker.handed)
    speaker.handed.update(mail.ident for mail in mails)
    speaker.replied += [mail.ident for mail in mails]
    return dict(tr50_cloud.success({"messages": [tr50_cloud.mail(mail.ident, mail.thing, mail.method, mail.params)
                                                 for mail in mails]}))


async def _ack(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    assert speaker.thing
    try:
        code = tr50_cloud.ack_code(params)
    except ValueError as error:
        raise UsageError(str(error)) from None
    message, out = params.get("errorMessage"), params.get("params")
    if abs(code) > 1 << 31:
        raise UsageError("an errorCode is a small number")
    found = await cloud.mailbox.ack(speaker.thing.key, _ident(params), code,
                                    None if message is None else str(message)[:4096],
                                    out if isinstance(out, dict) and out else None)
    speaker.handed.discard(_ident(params))       # what has ended is not handed out again in any case
    return dict(tr50_cloud.success() if found else tr50_cloud.not_found("no such mail"))


async def _update(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    assert speaker.thing
    found = await cloud.mailbox.update(speaker.thing.key, _ident(params), str(params["msg"]))
    return dict(tr50_cloud.success() if found else tr50_cloud.not_found("no such mail"))


def _ident(params: Params) -> str:
    ident = params.get("id")
    if not isinstance(ident, str) or not 0 < len(ident) <= 40:
        raise UsageError("id is that of a mail")
    return ident


async def _exec(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    """ackTimeout: seconds to wait for the outcome (0: do not), ttl: seconds for the thing to fetch it.

    Source: docs.devicewise.com, method.exec: params of the reply are what the method gave back, a status is an error.
    """
    key, given = speaker.key(params), params.get("params")
    thing = await cloud.things.get(key)
    if given is not None and not isinstance(given, dict) or not isinstance(params.get("method"), str):
        raise UsageError("method.exec needs method, a text; its params are an object")
    wait_s = _number(params, "ackTimeout", 30.0, MOST_ACK_S)
    ttl_s = _number(params, "ttl", wait_s, 30 * 86_400.0) or 86_400.0
    action = await cloud.mailbox.post(key, params["method"], given, speaker.by, thing.bounds().mails, ttl_s)
    if wait_s:
        action = await cloud.mailbox.wait(key, action.ident, wait_s)
    return {**_outcome(action, wait_s), "id": action.ident}


def _outcome(action: Action, wait_s: float) -> Reply:
    if action.code:
        return _failure(action.code, action.message or text(action.code))
    if action.is_open and wait_s:
        return _failure(TIMED_OUT, f"no outcome after {wait_s:g} s; it is {action.state}")
    return dict(tr50_cloud.success(action.out) if action.out else tr50_cloud.success())


def _number(params: Params, name: str, default: float, most: float) -> float:
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise UsageError(f"{name} is 0 to {most:g} seconds")
    return float(value)


# -- files

async def _file_put(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    key, is_shared = speaker.key(params), bool(params.get("global"))
    if is_shared and speaker.thing and not speaker.thing.may("share"):
        raise NotTheirsError("this thing may not write to the shared store")
    if speaker.thing:
        cloud.files.count(key)
    bounds = (speaker.thing or await cloud.things.get(key)).bounds()
    files, most = (MOST_SHARED, SHARED_BYTES) if is_shared else (bounds.files, bounds.bytes)
    ident = await cloud.files.bring(None if is_shared else key, params["fileName"], params.get("crc32"), speaker.by,
                                    files, most)
    return dict(tr50_cloud.success({"fileId": ident}))


async def _file_get(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    key = speaker.key(params)
    if speaker.thing:
        cloud.files.count(key)
    ident, file = await cloud.files.fetch(None if params.get("global") else key, params["fileName"])
    return dict(tr50_cloud.success({"fileId": ident, "fileSize": file.size, "crc32": file.crc32}))


# -- the rest

async def _ping(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    return dict(tr50_cloud.success())


async def _time(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    return dict(tr50_cloud.success({"time": int(1000 * time.time())}))


async def _echo(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    return dict(tr50_cloud.success(params))


async def _list(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    things = await cloud.things.all()
    return dict(tr50_cloud.success({"count": len(things), "result": [cloud.described(thing) for thing in things]}))


async def _log_list(cloud: Cloud, speaker: Speaker, command: str, params: Params) -> Reply:
    key = speaker.key(params)
    await cloud.things.get(key)
    told = await cloud.samples.told(key, "log", None, 0, int(_number(params, "limit", 100, 10_000)) or 1)
    rows = [{"thingKey": key, "msg": item["msg"], "ts": item["ts"]} for item in told]
    return dict(tr50_cloud.success({"count": len(rows), "logs": rows}))


# command: (role a thing needs, None: not for things; role an operator needs; what does it)
COMMANDS: dict[str, tuple[str | None, str, Work]] = {
    **{f"{kind}.{form}": ("tell", "operate", _publish)
       for kind in ("property", "attribute", "alarm", "location") for form in ("batch", "publish")},
    "log.publish": ("tell", "operate", _publish),
    **{f"{kind}.current": ("tell", "view", _current) for kind in ("property", "attribute", "alarm", "location")},
    "mailbox.check": ("act", "nobody", _check),
    "mailbox.ack": ("act", "nobody", _ack),
    "mailbox.update": ("act", "nobody", _update),
    "file.put": ("act", "operate", _file_put),
    "file.get": ("act", "view", _file_get),
    "thing.update": ("tell", "operate", _thing_update),
    "thing.find": ("tell", "view", _thing_find),
    "diag.ping": ("tell", "view", _ping),
    "diag.time": ("tell", "view", _time),
    "diag.echo": ("tell", "view", _echo),
    "thing.list": (None, "view", _list),
    "method.exec": (None, "operate", _exec),
    "log.list": (None, "view", _log_list),
    "session.org.switch": (None, "view", _ping),
}
