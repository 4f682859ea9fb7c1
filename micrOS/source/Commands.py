"""The built-in commands of the shell: a table, from which `help` is printed, and the configure mode.

In memory only while one of them runs. hello, version and exit are answered by the Shell itself.
"""
import json

from ConfigHandler import ConfigError, UnknownKeyError
from pure.lazy import unload

_TABLE = []              # (name or None, rows of `help`, function(shell, words) or None), in the order of `help`


def command(name, usage):
    """Decorator: function(shell, words) answers `name ...`; usage: its rows in `help`."""
    def keep(function):
        _TABLE.append((name, usage, function))
        return function
    return keep


def heading(usage):
    _TABLE.append((None, usage, None))


def names():
    return [name for name, _, _ in _TABLE if name]


def run(shell, words, line):
    """Answer to a built-in command, or in configure mode to a key; None: no line at all."""
    for name, _, function in _TABLE:
        if name == words[0]:
            return function(shell, words)
    return _configure(shell.node.config, words[0], line.strip()[len(words[0]):].strip())


def _configure(config, key, value):
    try:
        if key == "dump":
            return _dump(config, value)
        if not value:
            return str(config.shown(key))
        config.set(key, value)
        return "Saved"
    except UnknownKeyError:
        return "Invalid key" if value else "None"
    except ConfigError as error:
        return "Failed to save: {}".format(error)
    except OSError as error:
        return "Failed to save: the flash says {}".format(error)


def _dump(config, part):
    """The keys whose name holds part, all for an empty one; None when there is no such key."""
    rows = config.rows(part)
    return "\n".join(["  {:<10}:        {}".format(key, value) for key, value in rows]) if rows else None


heading("[MICROS]   - built-in shell commands\n"
        "   hello   - hello msg - for device identification\n"
        "   version - returns micrOS version\n"
        "   exit    - exit from shell socket prompt")


@command("reboot", "   reboot  - system soft reboot (vm), hard reboot (hw): reboot -h")
def _reboot(shell, words):
    hard, node = "-h" in words[1:], shell.node
    shell.after = lambda: node.reset(hard)
    return "{}Reboot micrOS system.\nBye!".format("[HARD] " if hard else "")


@command("webrepl", "   webrepl - start webrepl, for file transfers use with --update")
def _webrepl(shell, words):
    if words[1:] in (["--update"], ["-u"]):
        shell.after = shell.node.update_mode
        return " Restart in update mode ...\n Bye!"
    return " File service: ws://{}:8266/, its password is config key appwd".format(shell.node.address())


@command("modules", "   modules - list the loaded LoadModules")
def _modules(shell, words):
    import Catalogue
    names = Catalogue.loaded()
    unload("Catalogue")
    return json.dumps(names) if words[1:] == [">json"] else str(names)


heading("[CONF] Configure mode - built-in shell commands")


@command("conf", "  conf       - Enter conf mode\n"
                 "    dump       - Dump all data\n"
                 "    key        - Get value\n"
                 "    key value  - Set value")
def _conf(shell, words):
    shell.configuring = True


@command("noconf", "  noconf     - Exit conf mode")
def _noconf(shell, words):
    shell.configuring = False


heading("[TASK] postfix: &x - one-time,  &&x - periodic, x: wait ms [x min: 20ms]\n"
        "  task list         - list tasks with <tag>s\n"
        "  task kill <tag>   - stop task\n"
        "  task show <tag>   - show task output\n"
        "[EXEC] Command mode (LMs):")


@command("help", "   help lm  - list ALL LoadModules")
def _help(shell, words):
    import Catalogue
    rows = [usage for _, usage, _ in _TABLE]
    for name in Catalogue.on_disk() if words[1:] == ["lm"] else Catalogue.loaded():
        rows.append("   " + name)
        indent = " " * (3 + len(name))
        rows += [indent + function for function in Catalogue.functions(shell.node.modules, name)]
    unload("Catalogue")
    return "\n".join(rows)
