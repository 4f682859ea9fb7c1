"""What `cron list`, `cron add` and `cron del` do with the setting `crontasks`; in memory only for one of them."""
import Sun
from ConfigHandler import cfgget, config
from pure.civil import fields
from pure.cron import CronError, item, items
from pure.lazy import unload
from Time import clock
from Zone import zone

SYNTAX = "Invalid cron cmd! Help: cron list / add <when!command> / del <n>"


def run(name, text):
    """Text that answers `cron <name> <text>`."""
    try:
        return _ACTS[name](text) if name in _ACTS else SYNTAX
    finally:
        unload("Sun")


def _list(text):
    rows = ["---- cron: {} ----".format("on" if cfgget("cron") else "off, switch it on with the key cron")]
    for number, each in enumerate(_items(), 1):
        slot, reason = _next(each)
        rows.append("{:<4}{:<21}{}{}".format(number, slot or "never", each, "" if slot else "   ({})".format(reason)))
    return "\n".join(rows)


def _next(text):
    """(local time of an item's next slot or None, why it has none)."""
    try:
        rule = item(text)[0]
    except CronError as error:
        return None, error
    here, now_s = zone(), clock().utc()
    wait_s = rule.wait(now_s, here, Sun.moments)
    if wait_s is None:
        moments = Sun.moments((now_s + here.offset(now_s)) // 86400)
        return None, moments if isinstance(moments, str) else "not within a week"
    slot_s = now_s + wait_s
    return "{}.{}.{}-{}:{}:{}".format(*fields(slot_s + here.offset(slot_s))), None


def _add(text):
    try:
        item(text)
    except CronError as error:
        return "Failed to save: {}".format(error)
    return _keep(_items() + [text])


def _del(text):
    known = _items()
    if not text.isdigit() or not 0 < int(text) <= len(known):
        return "Failed to save: del takes the number of a row, 1 to {}, got {}".format(len(known), text or "nothing")
    del known[int(text) - 1]
    return _keep(known)


def _items():
    return items(cfgget("crontasks"))


def _keep(known):
    """Save the items: parted by `;;` when one holds several commands."""
    mark = ";; " if [each for each in known if len(items(each)) > 1] else "; "
    text = mark.join(known) + (";;" if len(known) == 1 and mark == ";; " else "")
    try:
        config().set("crontasks", text or "n/a")
    except OSError as error:
        return "Failed to save: the flash says {}".format(error)
    return "Saved"


_ACTS = {"list": _list, "add": _add, "del": _del}
