"""A VSOA server on a host: adds numbers for whoever asks, and tells the time to whoever subscribed.

    python examples/vsoa_server.py 3006                                    this program
    devToolKit.py --simulate                                               a virtual node
    telnet 127.0.0.1 9008                                                  and there:
        vsoa call vsoa://127.0.0.1:3006/sum [1,2,3]
        vsoa subscribe vsoa://127.0.0.1:3006 /clock seconds=3
"""
from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from micrOS.source import vsoa

ARGUMENTS = 2                  # status: the request cannot be understood


def serve(port: int) -> None:
    server = vsoa.Server({"name": "adder"})

    @server.command("/sum")
    def add(client: Any, request: Any, payload: Any) -> None:
        try:
            client.reply(request.seqno, vsoa.Payload({"sum": sum(payload.param)}))
        except TypeError:
            client.reply(request.seqno, vsoa.Payload({"error": "a list of numbers, as [1, 2, 3]"}), ARGUMENTS)

    clock = vsoa.Timer()
    clock.start(1, lambda: server.publish("/clock", vsoa.Payload({"time": time.strftime("%H:%M:%S")})), 1)
    sys.stdout.write(f"serving on vsoa://127.0.0.1:{port}; Ctrl-C ends\n")
    sys.stdout.flush()
    server.run("127.0.0.1", port)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(int(sys.argv[1]) if len(sys.argv) > 1 else 3006)
