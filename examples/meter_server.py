"""The TCP server that a meter's bytes go to: shows them, and sends the meter each line that you type.

    devToolKit.py --simulate --meter              a virtual node with an electricity meter on its UART 1
    python examples/meter_server.py 4059          this program
    telnet 127.0.0.1 9008                         and there: meter passthrough 127.0.0.1 4059
"""
from __future__ import annotations

import contextlib
import socket
import sys
import threading

DEFAULT_PORT = 4059            # DLMS over TCP (IEC 62056-4-7)


def serve(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as door:
        say(f"waiting for a node on port {door.getsockname()[1]}; Ctrl-C ends")
        while True:
            node, (address, _) = door.accept()
            with node:
                say(f"{address} is here")
                threading.Thread(target=send_lines, args=(node,), daemon=True).start()
                listen(node)
                say(f"{address} has gone")


def listen(node: socket.socket) -> None:
    try:
        while data := node.recv(4096):
            say(data.decode("ascii", "backslashreplace").rstrip())
    except OSError:
        pass


def send_lines(node: socket.socket) -> None:
    for line in sys.stdin:
        try:
            node.sendall(line.encode())
        except OSError:
            return


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PORT)
