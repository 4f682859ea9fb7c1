"""The program of the conversation: the same text runs on a board, as LM_golden.py, and on a host."""
import asyncio
import gc

from device_cloud import Client

APP = "golden-app"
clients = []
runs = [0]


async def got(value):
    """On a board what waits is a coroutine, on a host it has waited."""
    return await value if hasattr(value, "send") else value


def cb0():
    return 0, "ok0"


def cb2(client, params):
    return 0, "", {"out": params}


def cb4(client, params, user_data, request):
    client.action_progress_update(request.request_id, "half way")
    return 0, "done " + user_data


def cbint():
    return 0


def cbfail():
    return 4, "it failed"


def cbraise():
    raise ValueError("boom")


def cbbad():
    return 99


def cbinvoked():
    return 1


def cbtwice(client=None, params=None, user_data=None, request=None):
    runs[0] += 1
    return cb2(1, 2, 3, 4)


async def begin(folder, settings):
    client = Client(APP, dict(settings, config_dir=folder, loop_time=0.2))
    clients[:] = [client]
    client.initialize()
    for function in (cb0, cb2, cb4, cbint, cbfail, cbraise, cbbad, cbinvoked, cbtwice):
        client.action_register_callback(function.__name__, function, "user-data")
    return await got(client.connect(20))


async def s02():
    client = clients[0]
    return [client.telemetry_publish("temp", 21.5), client.telemetry_publish("temp", 22),
            client.telemetry_publish("flag", True), client.telemetry_publish("list", [1])]


async def s03():
    return clients[0].attribute_publish("fw", "1.2.3")


async def s04():
    client = clients[0]
    return [client.alarm_publish("overheat", 2, "too hot"), client.alarm_publish("door", 0, republish=True)]


async def s05():
    return [clients[0].event_publish("started"), clients[0].event_publish("second")]


async def s06():
    return [clients[0].location_publish(45.35, -75.91, 12.3, 1.0, 2.0, 3.0, "gps"),
            clients[0].location_publish(91.0, 0)]


async def s07():
    return await got(clients[0].telemetry_publish("temp", 23, True, corr_id="c-1"))


async def s08():
    return [list(await got(clients[0].telemetry_read_last_sample("temp"))),
            list(await got(clients[0].attribute_read_last_sample("fw")))]


async def s09():
    return [await got(clients[0].diag_ping()), await got(clients[0].diag_time())]


async def s10():
    return [await got(clients[0].update_thing_details("My thing", "d", imei="1", unset_fields=["iccid"])),
            await got(clients[0].update_thing_details("x", unset_fields="iccid"))]


async def upload(path, name):
    return await got(clients[0].file_upload(path, name, True, timeout=20))


async def download(name, path):
    return await got(clients[0].file_download(name, path, True, timeout=20))


async def s30(at):
    return [clients[0].telemetry_publish("off", at), clients[0].is_connected()]


async def ran():
    return runs[0]


async def tell(*names):
    return [clients[0].telemetry_publish(name, 1) for name in names]


async def unsound(most):
    client, long = clients[0], "x" * (most + 1)
    return [client.telemetry_publish(1, 1), client.telemetry_publish("", 1), client.telemetry_publish("n" * 129, 1),
            client.telemetry_publish("n", long), client.telemetry_publish("n", 1 << 128),
            client.telemetry_publish("n", None), client.telemetry_publish("n", 1, corr_id=[]),
            client.attribute_publish(None, 1), client.alarm_publish("x", "high"), client.alarm_publish("x", True),
            client.alarm_publish("x", 1, [0]), client.location_publish(1, None), client.location_publish(1, 2, "N"),
            client.event_publish(long)]


async def flood(count, ident):
    """[progress that was taken, that was not, status of the outcome]"""
    told = [clients[0].action_progress_update(ident, "p") for _ in range(count)]
    return [told.count(0), told.count(19), clients[0].action_acknowledge(ident, 0, "fin")]


async def s30event():
    return clients[0].event_publish("offline event")


async def refused():
    return clients[0].agent.refused


async def many(first, count):
    for at in range(first, first + count):
        clients[0].telemetry_publish("n", at)
    return clients[0].agent.store.dropped


async def pour(count, every_s):
    """A task that tells so many samples."""
    async def run():
        for at in range(count):
            clients[0].telemetry_publish("p", at)
            await asyncio.sleep(every_s)
    asyncio.create_task(run())
    return 0


async def heap():
    gc.collect()
    return gc.mem_alloc()


async def state():
    client = clients[0]
    return [client.is_alive(), client.is_connected(), client.agent.strange, client.agent.requests.strange,
            client.agent.store.waiting()]


async def end():
    return await got(clients[0].disconnect()) if clients else 0
