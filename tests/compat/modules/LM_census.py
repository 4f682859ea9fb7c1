"""The node's settings, network and clock."""
from ConfigHandler import cfgget, cfgput
from Network import get_mac, ifconfig, sta_high_avail
from Time import Sun, set_time, suntime, uptime


def settings():
    period = cfgget('timirqseq')
    return cfgget('devfid'), cfgget('version') is not None, cfgget('nosuch'), period == cfgget()['timirqseq']


def rename(name):
    return cfgput('devfid', name), cfgget('devfid')


def refused():
    return cfgput('socport', 'many')


def network():
    mode, address = ifconfig()
    return mode, len(address), get_mac().count(':'), sta_high_avail()


def clock():
    return "ok" if set_time(2024, 6, 1, 12, 30, 0) else "failed"


def up():
    return uptime()


def sun():
    return suntime() == Sun.TIME, sorted(Sun.TIME.keys()), Sun.TIME['sunrise'], Sun.TIME['sunset']


def synced():
    from Time import ntp_time
    return ntp_time()
