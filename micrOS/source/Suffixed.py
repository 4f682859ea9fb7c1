"""Lines that are more or less than a call: with `>json`, `&`, `>>host`; `task ...`; one word. Stays once one came."""
from Modules import CallError
from pure.lazy import unload
from pure.suffixes import remote, suffixes


def execute(tasks, words, say):
    """As Tasks.execute()."""
    as_json, background = False, None
    if words[-1][0] in ">&":
        words, host = remote(words)
        if host:
            return tasks.ask(host, " ".join(words))
        words, as_json, background = suffixes(words)
    if words[0] == "task" or len(words) < 2:
        import TaskCommands
        unload("TaskCommands")
        if words[0] != "task":
            raise CallError(TaskCommands.NO_CALL)
        return TaskCommands.run(tasks, words[1:], as_json)
    if background:
        import Background
        return Background.begin(tasks, words, as_json, *background)
    return tasks.modules.call(words, as_json, say)
