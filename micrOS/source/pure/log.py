"""The lines of a log file: `<Y.M.D-h:m:s> <text>`, the newest last; a text that comes again may be counted."""

LINE_CHARS = 200               # of a text
_TIMES = " times)"             # behind a text that came more than once: `text (4 times)`


def tidy(text):
    """What a line can hold of a text."""
    return str(text).replace("\r", " ").replace("\n", " ")[:LINE_CHARS]


def added(lines, now, text, most):
    """The lines with a new one behind them, at most so many. now: as time.localtime()"""
    return (lines + ["{}.{}.{}-{}:{}:{} {}".format(*tuple(now[:6]) + (text,))])[-most:]


def counted(lines, text, times):
    """(the lines without that text, the text with how often it came). times: since it was counted last"""
    for line in lines:
        known, before = parts(line)
        if known == text:
            times += before
    others = [line for line in lines if parts(line)[0] != text]
    return others, "{} ({}{}".format(text, times, _TIMES) if times > 1 else text


def parts(line):
    """(text, how often it came) of a line."""
    text = line.partition(" ")[2]
    if text.endswith(_TIMES):
        start, _, times = text[:-len(_TIMES)].rpartition(" (")
        if times.isdigit() and start:
            return start, int(times)
    return text, 1


def errors(lines):
    """How many lines are alarms."""
    return len([line for line in lines if "[ERR]" in line])
