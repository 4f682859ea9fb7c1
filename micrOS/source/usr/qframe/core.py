"""QFrame's application: settings, extensions in their order, and a pool of workers."""
from Baton import blame, need

from usr.qframe import globals as _globals
from usr.qframe.builtins.network import NetWork
from usr.qframe.collections import LocalStorage, OrderedDict
from usr.qframe.threading import ThreadPoolExecutor

_WORKERS = 4


class Application:
    """extensions: {name: extension}; each is an attribute too. The builtin `network` is the first."""

    def __init__(self, name="app"):
        self.name = name
        self.extensions = OrderedDict()
        self.config = LocalStorage()
        self.business_threads_pool = ThreadPoolExecutor(_WORKERS, True)
        self.submit = self.business_threads_pool.submit
        self.is_looping = False
        _globals.enter(self)
        NetWork("network", self)

    def __getattr__(self, name):
        extensions = self.__dict__.get("extensions", {})
        if name not in extensions:
            raise AttributeError("the application has no extension {}".format(name))
        return extensions[name]

    def append_extension(self, extension):
        self.extensions[extension.name] = extension

    append_extesion = append_extension       # as QFrame's paper spells it

    def mainloop(self):
        """Load all extensions in their order, and return: their threads go on.

        Called by the loop, which must not wait, it returns at once.
        """
        self.is_looping = True
        if need().current:
            self._load()
        else:
            need().start(self._load_told, (), None, "{}.mainloop".format(self.name))

    def close(self):
        """Each extension lets go of what it holds."""
        for extension in self.extensions.values():
            if hasattr(extension, "close"):
                extension.close()
        self.business_threads_pool.shutdown()

    def _load(self):
        for extension in list(self.extensions.values()):
            if hasattr(extension, "load"):
                extension.load()

    def _load_told(self):
        guest = need().current
        try:
            self._load()
        except Exception as error:           # outer wall: nobody waits for it
            guest.error = error
            blame(guest)


class AppExtensionABC:
    """init_app(app) reads app.config and calls app.append_extension(self); load() starts it."""

    def __init__(self, name=None, app=None):
        if isinstance(name, Application):    # the paper's ExtensionClass(app)
            name, app = None, name
        self.name = name or type(self).__name__
        if app:
            self.init_app(app)

    def init_app(self, app):
        raise NotImplementedError("{} needs an init_app(app)".format(type(self).__name__))

    def load(self):
        raise NotImplementedError("{} needs a load()".format(type(self).__name__))
