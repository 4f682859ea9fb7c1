"""What `task list`, `task show` and `task kill` do, what a line that is no call is told; in memory only for that."""
NO_CALL = ("SHELL: type help for single word commands (built-in)\n"
           "SHELL: for LM exec: [1](LM)module [2]function [3...]optional params")
SYNTAX = "Invalid task cmd! Help: task list / kill <taskID> / show <taskID>"


def run(manager, words, as_json):
    """Text that answers the words behind `task`."""
    if words == ["list"]:
        return _json(_shown(manager)) if as_json else _listing(manager)
    if len(words) != 2 or words[0] not in _ON_TASKS:
        return SYNTAX
    matching = _matching(manager, words[1])
    return _ON_TASKS[words[0]](matching) if matching else "No task found: {}".format(words[1])


def _matching(manager, pattern):
    """Tasks with exactly this tag, else those a trailing `*` after the dot stands for."""
    exact = manager.get(pattern)
    if exact:
        return [exact]
    if not pattern.endswith(".*"):
        return []
    return [task for task in manager.tasks if task.tag.startswith(pattern[:-1])]


def _shown(manager):
    """All but those system tasks that are done, as they should be."""
    return [task for task in manager.tasks if task.active or task.failure or not task.protected]


def _listing(manager):
    rows = ["---- micrOS  top ----", "#queue: {} #load: {}%".format(manager.free(), manager.load_pct), "",
            "#Active   #taskID"]
    rows += ["{:<10}{}".format("Yes" if task.active else "No", task.tag) for task in _shown(manager)]
    return "\n".join(rows) + "\n"


def _json(tasks):
    import json
    return json.dumps({"active": [task.tag for task in tasks if task.active],
                       "inactive": [task.tag for task in tasks if not task.active]})


def _show(tasks):
    if len(tasks) == 1:
        return tasks[0].show()
    return "\n".join(["{}: {}".format(task.tag, task.show()) for task in tasks])


def _kill(tasks):
    return "Kill: " + ", ".join(["{}|{}".format(task.tag, _killed(task)) for task in tasks])


def _killed(task):
    return "protected" if task.protected else task.cancel()


_ON_TASKS = {"show": _show, "kill": _kill}
