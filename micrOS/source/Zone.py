"""The time zone of the settings; in memory only while it is asked."""
from ConfigHandler import cfgget
from pure.lazy import unload
from pure.zone import ZoneError, fixed, parse


def zone():
    """The pure.zone.Zone of `tz`; where that is n/a or cannot be read, of `utc`."""
    try:
        return parse(cfgget("tz"))
    except ZoneError:
        return fixed(cfgget("utc"))


def offset(moment_s, is_local):
    """Seconds east of UTC at a moment, which is told in UTC or as the clock on the wall shows it."""
    here = zone()
    return here.offset(here.to_utc(moment_s) if is_local else moment_s)


def leave():
    """Leave memory, with what it brought along."""
    unload("Zone", "pure.zone", "pure.civil")
