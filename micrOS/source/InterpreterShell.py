"""The text commands of a session: a table of built-ins, the configure mode, and module calls."""
from ConfigHandler import ConfigError, UnknownKeyError
from pure.secret import same

VERSION = "2.0.0-0"

_TABLE = []              # (name or None for a heading, usage, function), in the order of `help`
_BY_NAME = {}
_FREE = ("hello", "version", "exit")          # answered before the password, too


def command(name, usage):
    """Decorator: function(shell, words) answers `name ...`; usage: its rows in `help`."""
    def keep(function):
        _TABLE.append(usage)
        _BY_NAME[name] = function
        return function
    return keep


def heading(text):
    _TABLE.append(text)


class Shell:
    """One client's side of the conversation: what it may do, where it stands.

    after: None, or what is to be done once the answer is out: "close", or a function.
    """

    def __init__(self, node):
        self._node = node                     # .config .modules .tasks .reset
        self._name = node.config.get("devfid")      # a session keeps its prompt: clients wait for it
        self._configuring = False
        self._trusted = not node.config.get("auth")
        self.after = None
        self.prompt = self._prompt()

    def answer(self, line, say):
        """Text that answers a line, without the newline behind it, or a coroutine that gives it.

        say: takes streamed lines. Raises CallError, now or when awaited: its text is the answer then.
        """
        words = line.split()
        if not words:
            return ""
        if not self._trusted and words[0] not in _FREE:
            return self._login(words[0])
        function = _BY_NAME.get(words[0])
        if function:
            return function(self, words)
        if self._configuring:
            return self._configure(words[0], line[len(words[0]):].strip())
        return self._node.tasks.execute(line, say)

    @staticmethod
    def is_command(text):
        """True for a whole built-in of one word: a client that sends no newline need not wait."""
        return text in _BY_NAME

    def _prompt(self):
        return "{}{}{} $ ".format("" if self._trusted else "[password] ",
                                  "[configure] " if self._configuring else "", self._name)

    def _mode(self, configuring):
        self._configuring = configuring
        self.prompt = self._prompt()
        return ""

    def _login(self, password):
        if not same(password.encode(), self._node.config.get("appwd").encode()):
            self.after = "close"
            return "AuthFailed\nBye!"
        self._trusted = True
        self.prompt = self._prompt()
        return "AuthOk"

    def _configure(self, key, value):
        config = self._node.config
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
    """`dump` of the keys whose name holds part."""
    keys = [key for key in config.keys() if part in key]
    return "\n".join(["  {:<10}:        {}".format(key, config.shown(key)) for key in keys])


heading("[MICROS]   - built-in shell commands")


@command("hello", "   hello   - hello msg - for device identification")
def _hello(shell, words):
    return "hello:{}:{}".format(shell._node.config.get("devfid"), shell._node.config.get("hwuid"))


@command("version", "   version - returns micrOS version")
def _version(shell, words):
    return VERSION


@command("exit", "   exit    - exit from shell socket prompt")
def _exit(shell, words):
    shell.after = "close"
    return "Bye!\n"


@command("reboot", "   reboot  - system soft reboot (vm), hard reboot (hw): reboot -h")
def _reboot(shell, words):
    hard = "-h" in words[1:]
    shell.after = lambda: shell._node.reset(hard)
    return "{}Reboot micrOS system.\nBye!".format("[HARD] " if hard else "")


@command("webrepl", "   webrepl - start webrepl, for file transfers use with --update")
def _webrepl(shell, words):
    if len(words) > 1 and words[1].lstrip("-").startswith("u"):
        shell.after = lambda: shell._node.update_mode()
        return " Restart node in update mode ...\n Bye!"
    return " File service: ws://{}:8266/, the password is config key appwd".format(shell._node.address())


heading("[CONF] Configure mode - built-in shell commands")


@command("conf", "  conf       - Enter conf mode\n"
                 "    dump       - Dump all data\n"
                 "    key        - Get value\n"
                 "    key value  - Set value")
def _conf(shell, words):
    return shell._mode(True)


@command("noconf", "  noconf     - Exit conf mode")
def _noconf(shell, words):
    return shell._mode(False)


heading("[TASK] postfix: &x - one-time,  &&x - periodic, x: wait ms [x min: 20ms]\n"
        "  task list         - list tasks with <tag>s\n"
        "  task kill <tag>   - stop task\n"
        "  task show <tag>   - show task output\n"
        "[EXEC] Command mode (LMs):")


@command("help", "   help lm  - list ALL LoadModules")
def _help(shell, words):
    modules = shell._node.modules
    rows = list(_TABLE)
    for name in modules.on_disk() if words[1:] == ["lm"] else modules.loaded():
        rows.append("   " + name)
        indent = " " * (3 + len(name))
        rows += [indent + function for function in modules.functions(name)]
    return "\n".join(rows)
