"""The text of a client that sends no newlines, out of a lines.Lines."""


def pending(lines):
    """Text of a command that no newline has ended yet; "" while it is not whole UTF-8."""
    try:
        return str(lines.buffer, "utf-8").strip()
    except UnicodeError:
        return ""


def flush(lines):
    """The pending text as one command, or a LineError; None if there is none."""
    if not (lines.buffer or lines.is_overlong):
        return None
    line, lines.buffer = lines.buffer, b""
    return lines.line(line)
