"""What the cloud may have a thing do: functions by name, each run once for a mail, its outcome told."""
import asyncio

from . import ground
from .ground import tr50

ALREADY_EXISTS = 5
MOST_WAITING = 16              # mails that wait for a worker; the others stay in the mailbox
REMEMBERED = 16                # outcomes, in case a mail comes again before its ack has arrived
MOST_ACTIONS = 64
_TEXT_CHARS = 1024             # of a message that goes back


class Request:
    """What a callback gets as its last argument. request_id, name, params: dict or None"""

    def __init__(self, ident, name, params):
        self.request_id, self.name, self.params = ident, name, params


class Actions:
    """fallback(name): function like a callback for a name that nobody registered, or None

    client: what callbacks get as their first argument; workers: how many run at the same time
    """

    def __init__(self, client=None, workers=None, fallback=None):
        self.client, self.fallback = client, fallback
        self.table = {}                  # name: (function, user_data)
        self._workers = workers or ground.JOBS
        self._waiting = []
        self._running = []               # ids
        self._over = []                  # [id, command that told the outcome]
        self._is_more = False            # there was no room for a mail

    def register(self, name, function, user_data=None):
        """Status."""
        if name in self.table:
            return ALREADY_EXISTS
        if len(self.table) >= MOST_ACTIONS:
            return 7
        self.table[name] = (function, user_data)
        return tr50.SUCCESS

    def deregister(self, name):
        return tr50.SUCCESS if self.table.pop(name, None) else tr50.NOT_FOUND

    def mail(self, agent, ident, method, params):
        """An action was asked for. A mail that is known already is answered again, not done again."""
        for known, command in self._over:
            if known == ident:
                agent.say([command], None, True)
                return
        if ident in self._running or ident in [row[0] for row in self._waiting]:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._is_more = True         # it is in the mailbox still
            return
        self._waiting.append((ident, method, params))
        self._next(agent)

    def _next(self, agent):
        while self._waiting and len(self._running) < self._workers:
            ident, method, params = self._waiting.pop(0)
            self._running.append(ident)
            asyncio.create_task(self._run(agent, Request(ident, method, params)))

    async def _run(self, agent, request):
        try:
            code, message, params = await self._outcome(request)
            if code == tr50.INVOKED:
                self.over(agent, request.request_id, tr50.mailbox_update(request.request_id, "Invoked"))
            else:
                self.over(agent, request.request_id, tr50.mailbox_ack(request.request_id, code, message, params))
        finally:
            self._running.remove(request.request_id)
        self._next(agent)
        if self._is_more and not self._waiting:
            self._is_more = False
            agent.check_mail()

    def over(self, agent, ident, command):
        """Tell the outcome, and remember it. False when there is no room to tell it before the mail comes again."""
        self._over = [row for row in self._over if row[0] != ident][-(REMEMBERED - 1):] + [[ident, command]]
        return agent.say([command], None, True)

    async def _outcome(self, request):
        """(status, message or None, params or None)"""
        function, user_data = self.table.get(request.name, (None, None))
        if function is None and self.fallback:
            function = self.fallback(request.name)
        if function is None:
            return tr50.NOT_FOUND, "ERROR: 'Action \"{}\" does not have a callback'".format(request.name), None
        try:
            return outcome(await ground.called(function, (self.client, request.params, user_data, request)))
        except Exception as error:       # outer wall: what a guest raises is told to the cloud
            return tr50.FAILURE, "ERROR: {}".format(error)[:_TEXT_CHARS], None


def outcome(value):
    """(status, message or None, params or None) of what a callback gave: a status, or (status, message[, params])."""
    code, message, params = value, None, None
    if isinstance(value, tuple) and 2 <= len(value) <= 3:
        code, message = value[0], value[1]
        params = value[2] if len(value) == 3 else None
    if not tr50.is_status(code):
        return tr50.BAD_PARAMETER, "ERROR: Invalid return status: {}".format(code)[:_TEXT_CHARS], None
    return code, None if message is None else str(message)[:_TEXT_CHARS], params
