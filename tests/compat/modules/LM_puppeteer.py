"""Calls of other modules by words, and other modules' tasks."""
import TaskManager
from TaskManager import Manager, exec_lm_core


def call(*words):
    lines = []
    state = exec_lm_core([str(word) for word in words], msgobj=lines.append)
    return "{} {}".format(state, " / ".join(lines))


def later(*words):
    """What an async function says comes when it is through."""
    return exec_lm_core(list(words), msgobj=_keep)


def _keep(text):
    global kept
    kept = text


kept = "nothing yet"


def heard():
    return kept


def show(tag):
    return Manager().show(tag=tag)


def kill(tag):
    return Manager().kill(tag=tag)


def names():
    return [hasattr(TaskManager, name) for name in ('Task', 'Manager', 'exec_lm_core', 'nosuch')]
