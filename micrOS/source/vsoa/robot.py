"""Keeps a client connected: connects, asks whether the server is there, and connects again."""
import asyncio

_LOST = 3                      # pings without an answer that end a connection


async def keep_connected(client, server, passwd, keepalive, conn_timeout, reconn_delay, sslopt):
    while client.is_robot:
        if not await client.link(server, passwd, conn_timeout, sslopt):
            await _watch(client, keepalive)
            client.drop()
        await asyncio.sleep(reconn_delay)


async def _watch(client, keepalive):
    """Return when the connection is over, or the server was silent for too long."""
    lost = [0]
    ended = client.ended = asyncio.Event()

    def heard(_, is_there):
        lost[0] = 0 if is_there else lost[0] + 1

    while client.connected and lost[0] <= _LOST:
        if not client.idle:              # whatever came says that it is there
            lost[0] = 0
        client.idle = True
        client.ping(heard, keepalive)
        try:
            await asyncio.wait_for(ended.wait(), keepalive)
        except asyncio.TimeoutError:
            pass
