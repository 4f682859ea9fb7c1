"""The built-in commands of the shell: a table, from which `help` is printed, and the configure mode.

In memory only while one of them runs. hello, version and exit are answered by the Shell itself.
"""
import json

import machine
from ConfigHandler import ConfigError, UnknownKeyError, cfgget
from Debug import console_write
from Network import net
from pure.lazy import unload

_TABLE = []              # (name or None, rows of `help`, function(shell, rest, say) or None), in the order of `help`


def command(name, usage):
    """Decorator: function(shell, rest of the line, say) answers `name ...`; usage: its rows in `help`."""
    def keep(function):
        _TABLE.append((name, usage, function))
        return function
    return keep


def heading(usage):
    _TABLE.append((None, usage, None))


def names():
    return [name for name, _, _ in _TABLE if name]


def run(shell, words, line, say):
    """Answer to a built-in command, or in configure mode to a key, which goes before; None: no line at all.

    say: takes lines that need not be held together.
    """
    rest = line.strip()[len(words[0]):].strip()
    is_key = shell.configuring and cfgget(words[0]) is not None
    for name, _, function in _TABLE:
        if name == words[0] and not is_key:
            return function(shell, rest, say)
    return _configure(shell.node.config, words[0], rest)


def _configure(config, key, value):
    try:
        if key == "dump":
            return _dump(config, value)
        if not value:
            return str(_shown(key, config.get(key)))
        config.set(key, value)
        return "Saved"
    except UnknownKeyError:
        return "Invalid key" if value else "None"
    except ConfigError as error:
        return "Failed to save: {}".format(error)
    except OSError as error:
        return "Failed to save: the flash says {}".format(error)


def _shown(key, value):
    import Settings
    unload("Settings")
    return Settings.shown(key, value)


def _dump(config, part):
    """The keys whose name holds part, all for an empty one; None when there is no such key."""
    rows = config.rows(part)
    return "\n".join(["  {:<10}:        {}".format(key, value) for key, value in rows]) if rows else None


heading("[MICROS]   - built-in shell commands\n"
        "   hello   - hello msg - for device identification\n"
        "   version - returns micrOS version\n"
        "   exit    - exit from shell socket prompt")


@command("reboot", "   reboot  - system soft reboot (vm), hard reboot (hw): reboot -h")
def _reboot(shell, rest, say):
    hard = "-h" in rest.split()
    shell.after = lambda: _reset(hard)
    return "{}Reboot micrOS system.\nBye!".format("[HARD] " if hard else "")


def _reset(hard):
    import Boot
    Boot.lasted()                # wanted, whatever it did
    console_write("[reboot]")
    (machine.reset if hard else machine.soft_reset)()


@command("webrepl", "   webrepl - start webrepl, for file transfers use with --update")
def _webrepl(shell, rest, say):
    if rest in ("--update", "-u"):
        return shell.update_mode()
    return " File service: ws://{}:8266/, its password is config key appwd".format(net().ifconfig()[0])


@command("modules", "   modules - list the loaded LoadModules")
def _modules(shell, rest, say):
    import Catalogue
    import Strays
    names = Catalogue.loaded()
    unload("Catalogue", "Strays")
    if rest == ">json":
        return json.dumps(names)
    return "\n".join([str(names)] + Strays.shadowed())


@command("cron", "   cron    - commands at their time: cron list, add <when!command>, del <n>")
def _cron(shell, rest, say):
    import CronCommands
    name, _, text = rest.partition(" ")
    try:
        return CronCommands.run(name, text.strip())
    finally:
        unload("CronCommands")


@command("job", "   job     - run a command once, even when asked again: job <id> <command>")
def _job(shell, rest, say):
    import Jobs
    return Jobs.answer(shell, rest, say)


heading("[CONF] Configure mode - built-in shell commands")


@command("conf", "  conf       - Enter conf mode\n"
                 "    dump       - Dump all data\n"
                 "    key        - Get value\n"
                 "    key value  - Set value")
def _conf(shell, rest, say):
    shell.configuring = True


@command("noconf", "  noconf     - Exit conf mode")
def _noconf(shell, rest, say):
    shell.configuring = False


heading("[TASK] postfix: &x - one-time,  &&x - periodic, x: wait ms [x min: 20ms]\n"
        "  task list         - list tasks with <tag>s\n"
        "  task kill <tag>   - stop task\n"
        "  task show <tag>   - show task output\n"
        "[EXEC] Command mode (LMs):")


@command("help", "   help lm  - list ALL LoadModules")
def _help(shell, rest, say):
    import Catalogue
    for _, usage, _ in _TABLE:
        say(usage)
    for name in Catalogue.on_disk() if rest == "lm" else Catalogue.loaded():
        say("   " + name)
        for function in Catalogue.functions(shell.node.modules, name):
            say(" " * (3 + len(name)) + function)
    unload("Catalogue")
