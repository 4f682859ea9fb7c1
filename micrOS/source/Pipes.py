"""Runs the commands of a pipe one after the other, as boothook, cron, the timer and a press have them."""
from Debug import console_write, errlog_add
from Modules import CallError
from pure.values import pipe
from pure.words import WordError
from TaskManager import finished, manager


async def execute_pipe(text, say=console_write):
    """Run each line; a failing one goes to err.log and the next one runs. Returns how many failed.

    say: takes what they answer.
    """
    if text.startswith("n/a"):
        return 0
    try:
        lines = pipe(text)
    except WordError as error:
        errlog_add("[ERR] {}: {}".format(text, error))
        return 1
    failed = 0
    for line in lines:
        try:
            say(await finished(manager().execute(line, say)))
        except CallError as error:
            failed += 1
            errlog_add("[ERR] {}: {}".format(line, error))
    return failed
