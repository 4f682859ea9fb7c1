"""Many light things in one process, which do at once what they are asked.

python -m tests.gateway.cloud.crowd PORT COUNT: the token comes by standard input, a line is printed when all are there.
Each tells a sample every few seconds.
"""
import asyncio
import json
import random
import sys
import time

from micrOS.source.pure import mqtt, mqtt_session, tr50

EVERY_S = 5.0
AT_ONCE = 50


class One:
    def __init__(self, key, token):
        self.key = key
        self.session = mqtt_session.Client(key, key, token, 60)
        self.requests = tr50.Requests()
        self.is_up = asyncio.Event()

    async def run(self, port):
        reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.session.open(now_ms())
        self.flush()
        telling = asyncio.create_task(self.tell())
        while data := await reader.read(65536):
            for packet in self.session.feed(data, now_ms()):
                self.take(packet)
            self.flush()
        telling.cancel()

    def take(self, packet):
        if packet[0] == mqtt.CONNACK:
            self.is_up.set()
        elif packet[0] == mqtt.PUBLISH and packet[1] == tr50.MAILBOX:
            self.say(tr50.mailbox_check(), tag="check")
        elif packet[0] == mqtt.PUBLISH:
            for tag, _, _, params, _ in self.requests.answered(packet[1], packet[2]):
                for ident, _, _ in tr50.mails(params) if tag == "check" else ():
                    self.say(tr50.mailbox_ack(ident, 0, "done"))

    def say(self, command, tag=None):
        self.session.publish(*self.requests.ask([command], tag), 1)

    async def tell(self):
        await asyncio.sleep(random.uniform(0, EVERY_S))
        number = 0
        while True:
            number += 1
            ts = tr50.stamp(int(time.time()) - 946684800, number % 1000000)
            self.say(tr50.batch("property", self.key, ts, [tr50.sample("temp", number, ts)]))
            self.flush()
            await asyncio.sleep(EVERY_S)

    def flush(self):
        while data := self.session.take():
            self.writer.write(data)


async def main(port, count, token):
    things = [One(f"crowd{number}", token) for number in range(count)]
    runs = []
    for at in range(0, count, AT_ONCE):
        batch = things[at:at + AT_ONCE]
        runs += [asyncio.create_task(thing.run(port)) for thing in batch]
        await asyncio.gather(*(thing.is_up.wait() for thing in batch))
    print(json.dumps([thing.key for thing in things]), flush=True)
    await asyncio.gather(*runs)


def now_ms():
    return int(time.monotonic() * 1000)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.stdin.readline().strip()))
