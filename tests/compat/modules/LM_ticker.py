"""Work beside the shell: a coroutine that finds its own task and says how far it is; others watch and end it."""
import uasyncio as asyncio
from Common import micro_task

TAG = "ticker._count"


async def _count(until, ms):
    with micro_task(tag=TAG) as my_task:
        for i in range(until):
            my_task.out = f"{i + 1} of {until}"
            await asyncio.sleep_ms(ms)
        my_task.out = f"counted {until}"


def start(until=3, ms=1):
    return {True: "Starting", None: "Already running", False: "Failed"}[micro_task(tag=TAG, task=_count(until, ms))]


def state():
    task = micro_task(tag=TAG)
    if task is None:
        return "never started"
    return "{} {} {}".format("done" if task.done else "at work", task.done.is_set(), task.out)


def number():
    """What is no text may be written too."""
    micro_task(tag=TAG).out = 5


async def join():
    await micro_task(tag=TAG).done.wait()
    return micro_task(tag=TAG).out


def wrong():
    return micro_task(tag="ticker._wrong", task="no coroutine")


def unknown():
    return hasattr(micro_task(tag=TAG), "colour")
