"""One client's conversation with the node: where it stands, and who answers its lines."""
import machine

from Files import IF_MODE
from pure.lazy import once, unload

VERSION = "2.0.0-0"


class Shell:
    """What one client may do and where it stands; Commands.py has the built-ins and is loaded for one at a time.

    after: None, or what is to be done once the answer is out: "close", or a function.
    """

    def __init__(self, node, peer):
        self.node = node                            # as micrOS.Node
        self._peer = peer                           # address of the client
        self._name = node.config.get("devfid")      # a session keeps its prompt: clients wait for it
        self._trusted = not node.config.get("auth")
        self.configuring = False
        self.after = None

    @property
    def prompt(self):
        return "{}{}{} $ ".format("" if self._trusted else "[password] ",
                                  "[configure] " if self.configuring else "", self._name)

    def answer(self, line, say):
        """Text that answers a line, without the newline behind it, or a coroutine that gives it; None: no line at all.

        say: takes streamed lines. Raises CallError, now or when awaited: its text is the answer then.
        """
        words = line.split()
        if not words:
            return None
        at_once = AT_ONCE.get(words[0])
        if at_once and (len(words) == 1 or not self._is_module(words[0])):
            return at_once(self)
        if not self._trusted:
            return self._login(words[0])
        if self.configuring or words[0] in built_ins():
            return self._built_in(words, line, say)
        return self.node.tasks.execute(line, say)

    def starved(self, line):
        """Text that answers a line for which there is no memory, or None: a restart is to be had even then."""
        words = line.split()
        if self.configuring or not self._trusted:
            return None
        if words[0] == "reboot":
            self.after = machine.reset
            return "[HARD] Reboot micrOS system.\nBye!"
        return self.update_mode() if words[0] == "webrepl" and words[1:] in (["--update"], ["-u"]) else None

    def update_mode(self):
        """Restart with nothing but network and file service, once this text is out."""
        self.after = _update_mode
        return " Restart in update mode ...\n Bye!"

    def _is_module(self, name):
        """True when words behind hello, version or exit mean a load module of that name: these take none."""
        return self._trusted and not self.configuring and self.node.modules.path(name) is not None

    def _hello(self):
        config = self.node.config
        return "hello:{}:{}".format(config.get("devfid"), config.get("hwuid"))

    def _version(self):
        return VERSION

    def _exit(self):
        self.after = "close"
        return "Bye!\n"

    def _login(self, password):
        import Login
        unload("Login")
        self._trusted, text = Login.answer(self.node, self._peer, password)
        if not self._trusted:
            self.after = "close"
        return text

    def _built_in(self, words, line, say):
        import Commands
        try:
            return Commands.run(self, words, line, say)
        finally:
            unload("Commands")


def _update_mode():
    with open(IF_MODE, "w") as file:
        file.write("webrepl")
    machine.reset()


AT_ONCE = {"hello": Shell._hello, "version": Shell._version, "exit": Shell._exit}     # before the password, too


@once
def built_ins():
    """Names of the commands in Commands.py."""
    import Commands
    names = tuple(Commands.names())
    unload("Commands")
    return names
