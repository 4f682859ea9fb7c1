"""The less used half of the public Client: questions, files, the ends of actions, words for the log."""
import asyncio

from . import ground
from .agent import is_sound
from .ground import tr50

NOT_INITIALIZED, PARSE_ERROR = 13, 15


class More:
    """Methods of facade.Client."""

    @ground.waiting
    async def _asked(self, name, value, when, corr_id):
        if not is_sound("property", (name, value, corr_id)):
            return tr50.BAD_PARAMETER
        ts = tr50.stamp(*(when or ground.utc()))
        status, _ = await self._reply(lambda thing: tr50.batch("property", thing, ts, [
            tr50.sample(name, value, ts, corr_id)]))
        return status if status in (0, NOT_INITIALIZED, tr50.TIMED_OUT) else tr50.FAILURE

    async def _reply(self, command_of):
        """(status, params). command_of(thing): the command, if there is a thing yet"""
        if self.agent is None:
            return NOT_INITIALIZED, None
        return await self.agent.ask(command_of(self.agent.thing))

    def location_publish(self, latitude, longitude, heading=None, altitude=None, speed=None, accuracy=None,
                         fix_type=None):
        """0, 2 for what is no place on earth, 13."""
        place = latitude, longitude, heading, altitude, speed, accuracy
        if not all(_is_number(value) or value is None for value in place) or None in place[:2]:
            return tr50.BAD_PARAMETER
        if abs(latitude) > 90 or abs(longitude) > 180:
            return tr50.BAD_PARAMETER
        return self._told("location", None, *(place + (fix_type,)))

    @ground.waiting
    async def telemetry_read_last_sample(self, telemetry_name):
        """(status, value, time as text)"""
        return await self._last_sample("property", telemetry_name)

    @ground.waiting
    async def attribute_read_last_sample(self, attribute_name):
        return await self._last_sample("attribute", attribute_name)

    async def _last_sample(self, kind, name):
        status, params = await self._reply(lambda thing: tr50.current(kind, thing, name))
        return (status, params.get("value"), params.get("ts")) if params else (status or tr50.FAILURE, None, None)

    @ground.waiting
    async def diag_ping(self):
        """0 when the cloud answers; the answer is logged."""
        status, _ = await self._reply(lambda thing: tr50.diag_ping())
        self.info("Connection Acknowledged" if not status else "no answer: status {}".format(status))
        return status

    @ground.waiting
    async def diag_time(self):
        status, params = await self._reply(lambda thing: tr50.diag_time())
        found = (params or {}).get("time")
        self.info("time of the cloud: {} ms".format(found))
        return status if status or isinstance(found, int) else tr50.FAILURE

    @ground.waiting
    async def update_thing_details(self, name=None, description=None, iccid=None, esn=None, imei=None, meid=None,
                                   imsi=None, unset_fields=()):
        """0; 15 when unset_fields is no list."""
        if not isinstance(unset_fields, (list, tuple)):
            return PARSE_ERROR
        details = dict(zip(tr50.DETAILS, (name, description, iccid, esn, imei, meid, imsi)))
        return (await self._reply(lambda thing: tr50.thing_update(thing, details, unset_fields)))[0]

    # -- actions

    def action_register_command(self, action_name, command):
        """18: a board has no shell to run it in; a host has more to say."""
        return tr50.NOT_SUPPORTED

    @ground.quick
    def action_deregister(self, action_name):
        """0, 12 when nobody registered it, 13."""
        return NOT_INITIALIZED if self.agent is None else self._actions.deregister(action_name)

    @ground.quick
    def action_progress_update(self, request_id, message):
        """0; 19 when too much waits to be said already, 13."""
        if self.agent is None:
            return NOT_INITIALIZED
        return tr50.SUCCESS if self.agent.say([tr50.mailbox_update(request_id, message)]) else tr50.FAILURE

    @ground.quick
    def action_acknowledge(self, request_id, error_code=0, error_message=""):
        """0; 19 when so many outcomes wait to be told that this one has to be told again, 13."""
        if self.agent is None:
            return NOT_INITIALIZED
        command = tr50.mailbox_ack(request_id, error_code, error_message)
        return tr50.SUCCESS if self._actions.over(self.agent, request_id, command) else tr50.FAILURE

    # -- files

    def file_upload(self, file_path, upload_name=None, blocking=False, callback=None, timeout=0, file_global=False):
        """0 (begun, or done if blocking), 12, 13, 16, 19. callback(client, name, status)"""
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
        if self.agent is None:
            return NOT_INITIALIZED
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


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and tr50.is_value(value)


def _is_absolute(path):
    return path[:1] == "/" or path[1:3] in (":\\", ":/")
