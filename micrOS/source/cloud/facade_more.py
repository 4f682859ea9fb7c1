"""The less used half of the public Client: questions, files, the ends of actions, words for the log."""
import asyncio

from . import ground
from .agent import ANSWER_S
from .ground import tr50

PARSE_ERROR = 15


class More:
    """Methods of facade.Client."""

    @ground.waiting
    async def _asked(self, name, value, when, corr_id):
        if not tr50.is_value(value):
            return tr50.BAD_PARAMETER
        ts = tr50.stamp(*(when or ground.utc()))
        item = tr50.sample(name, value, ts, corr_id)
        status, _ = await self.agent.ask(tr50.batch("property", self.agent.thing, ts, [item]), ANSWER_S)
        return status if status in (0, tr50.TIMED_OUT) else tr50.FAILURE

    @ground.waiting
    async def telemetry_read_last_sample(self, telemetry_name):
        """(status, value, time as text)"""
        return await self.agent.current("property", telemetry_name)

    @ground.waiting
    async def attribute_read_last_sample(self, attribute_name):
        return await self.agent.current("attribute", attribute_name)

    @ground.waiting
    async def diag_ping(self):
        """0 when the cloud answers; the answer is logged."""
        status, _ = await self.agent.ask(tr50.diag_ping())
        self.info("Connection Acknowledged" if not status else "no answer: status {}".format(status))
        return status

    @ground.waiting
    async def diag_time(self):
        status, found = await self.agent.diag_time()
        self.info("time of the cloud: {} ms".format(found))
        return status

    @ground.waiting
    async def update_thing_details(self, name=None, description=None, iccid=None, esn=None, imei=None, meid=None,
                                   imsi=None, unset_fields=()):
        """0; 15 when unset_fields is no list."""
        if not isinstance(unset_fields, (list, tuple)):
            return PARSE_ERROR
        details = dict(zip(tr50.DETAILS, (name, description, iccid, esn, imei, meid, imsi)))
        return (await self.agent.ask(tr50.thing_update(self.agent.thing, details, unset_fields)))[0]

    # -- actions

    @ground.quick
    def action_progress_update(self, request_id, message):
        return self._said(tr50.mailbox_update(request_id, message))

    @ground.quick
    def action_acknowledge(self, request_id, error_code=0, error_message=""):
        command = tr50.mailbox_ack(request_id, error_code, error_message)
        self._actions.over(self.agent, request_id, command)
        return tr50.SUCCESS

    def _said(self, command):
        return tr50.SUCCESS if self.agent.say([command]) else tr50.FAILURE

    # -- files

    def file_upload(self, file_path, upload_name=None, blocking=False, callback=None, timeout=0, file_global=False):
        """0 (begun, or done if blocking), 12, 16, 19. callback(client, name, status)"""
        if not _is_absolute(file_path):
            return tr50.NOT_FOUND
        return self._transfer("upload_all", (file_path, upload_name, file_global), upload_name or file_path, blocking,
                              callback, timeout)

    def file_download(self, file_name, download_dest, blocking=False, callback=None, timeout=0, file_global=False):
        """The same. download_dest: a folder, or the path of the file"""
        return self._transfer("download_to", (file_name, download_dest, file_global), file_name, blocking, callback,
                              timeout)

    @ground.waiting
    async def _transfer(self, what, words, name, blocking, callback, timeout):
        from .files import Files
        files = Files(self.agent, self._file_place, self._trust)
        task = asyncio.create_task(self._transferred(getattr(files, what), words, name, callback))
        if not blocking:
            return tr50.SUCCESS
        try:
            return await asyncio.wait_for(task, timeout or None)
        except asyncio.TimeoutError:
            return tr50.TIMED_OUT

    async def _transferred(self, work, words, name, callback):
        status = await work(*words)
        ground.forget("files")
        if callback:
            try:
                await ground.called(callback, (self, name, status))
            except Exception as error:       # outer wall: a guest's
                ground.blame("callback", error)
        return status

    # -- words for the log

    def log_level(self, level):
        ground.log_level(self, level)

    def log(self, level, text):
        ground.log(self, level, text)

    def critical(self, text):
        self.log("CRITICAL", text)

    def error(self, text):
        self.log("ERROR", text)

    def warning(self, text):
        self.log("WARNING", text)

    def info(self, text):
        self.log("INFO", text)

    def debug(self, text):
        self.log("DEBUG", text)

    def _moment(self, timestamp):
        return moment(timestamp)


def moment(timestamp):
    """(seconds since 2000, microseconds) of a datetime in UTC or of a text. Raises Tr50Error."""
    if isinstance(timestamp, str):
        return tr50.moment(timestamp)
    try:
        return tr50.civil.seconds(*timestamp.utctimetuple()[:6]), timestamp.microsecond
    except AttributeError:
        raise tr50.Tr50Error("a time is a datetime or YYYY-MM-DDTHH:MM:SSZ, got {!r}".format(timestamp))


def _is_absolute(path):
    return path[:1] == "/" or path[1:3] in (":\\", ":/")
