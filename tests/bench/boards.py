"""The boards that are compared: a node, and the plainest program that could do its work, on the same virtual board."""
from toolkit.simulator.api import VirtualBoard

MANY = 20                      # clients of the rows that have many

# the way anyone would write it
ECHO = """
import asyncio

async def client(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()

async def main():
    server = await asyncio.start_server(client, "0.0.0.0", 9008, 5)
    await server.wait_closed()

asyncio.run(main())
"""

ACCEPT = """
import socket

door = socket.socket()
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
door.bind(socket.getaddrinfo("0.0.0.0", 9008)[0][-1])
door.listen(5)
while True:
    client = door.accept()[0]
    client.send(b"$ ")
    client.close()
"""


def node(mpy: bool = True, files: dict[str, str] | None = None) -> VirtualBoard:
    """A micrOS node as it is shipped, with seats for many clients. mpy: compiled, as on a real board."""
    return VirtualBoard(mpy=mpy, files=files, config={"socmax": 32})


def bare(program: str) -> VirtualBoard:
    """The same board, heap and shims with one program; ready when it accepts."""
    return VirtualBoard(main=program)
