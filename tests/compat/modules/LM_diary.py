"""Measurements with a time stamp in `diary.dat`, streamed to who asks."""
from Common import data_logger, socket_stream


def write(what, limit=12):
    return data_logger('diary', data=what, limit=limit)


@socket_stream
def read(msgobj=None):
    return data_logger('diary', msgobj=msgobj)


def read_plain():
    data_logger('diary')
    return ""
