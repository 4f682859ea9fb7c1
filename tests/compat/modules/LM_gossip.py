"""Console, error log and logs of one's own."""
from Debug import console_write, errlog_add, errlog_clean, errlog_get, logger


def note(text):
    console_write(text)
    return errlog_add(f"[ERR] {text}")


def recall():
    lines = []
    count = errlog_get(msgobj=lines.append)
    return "{} alarms; {}".format(count, lines[-1] if lines else "no line")


def number():
    return errlog_get()


def forget():
    lines = []
    errlog_clean(msgobj=lines.append)
    return lines


def keep(text):
    return logger(data=text, f_name="gossip.log", limit=3)
