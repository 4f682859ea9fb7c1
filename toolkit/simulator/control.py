"""The control channel: a test or a person turns the world around the board.

Unix socket, one JSON object per line; `id` comes back as it was sent. Answer {"id": 1, "ok": value} or
{"id": 1, "error": "one line"}. A pin is a number or a logical name of LP_<board>.py.

| request                                          | ok                                                              |
|--------------------------------------------------|-----------------------------------------------------------------|
| {"op": "pin", "pin": 5}                          | level 0/1 as a meter on the pad would show it                   |
| {"op": "pin", "pin": 5, "value": 1}              | drives the pad from outside; null lets go of it                 |
| {"op": "pins"}                                   | {"5": {"value", "mode", "pull", "names"}} of all pads in use    |
| {"op": "pwm", "pin": "redgb"}                    | {"freq_hz", "duty_u16", "duty": 0-1023}, null without PWM       |
| {"op": "adc", "pin": 33, "value": 0-65535}       | sets what ADC.read_u16() gives; without value: reads it         |
| {"op": "touch", "pin": 13, "value": n}           | the same for TouchPad.read()                                    |
| {"op": "pulse", "pin": 35, "value": us}          | the same for time_pulse_us()                                    |
| {"op": "sensor", "name": "hall", "value": n}     | raw_temperature (F), hall, battery_mv                           |
| {"op": "pixels", "pin": 15}                      | [[r, g, b], ...] last written to the strip; null without        |
| {"op": "i2c", "address": 60, "registers": {..}}  | attaches a chip of 256 registers; without registers: unplugs it |
| {"op": "chip", "address": 118, "model":          | its facts; model: puts a fresh one of chips/ there; facts, with |
|  "bme280", "facts": {"temp": 20, "fault": ""}}   | i2c.FAULTS: change it. Both optional                            |
| {"op": "display", "address": 60}                 | what its glass shows: 64 lines of 128 signs, "#" is lit         |
| {"op": "i2s", "port": 0}                         | {"rate_hz", "bits", "channels", "sck", "ws", "sd", "ibuf", ..., |
|                                                  | "heard": hex of the samples since it was opened}; null: never   |
| {"op": "dht", "pin": 32, "frame": "028c015fee"}  | {"frame": the 5 bytes that a DHT answers with, "asked": times}; |
|                                                  | null unplugs it; without frame: reads it                        |
| {"op": "onewire", "pin": 19, "serial": 1,        | {"rom", "temp", "parasite", "fault"} of the DS18B20 with that   |
|  "temp": 21.5, "parasite": false, "fault": ""}   | serial number, put there when it is not; fault: onewire.FAULTS  |
| {"op": "clock"}                                  | {"rtc": seconds since 1970}                                     |
| {"op": "clock", "set": seconds}                  | sets the RTC                                                    |
| {"op": "clock", "advance": seconds}              | that time has passed: RTC, timers, watchdog and deepsleep; with |
|                                                  | --turn for sleeping tasks too                                   |
| {"op": "clock", "run": seconds, "limit": real_s, | lets it pass as fast as the program can work (--turn only); the |
|  "grace_ms": 200}                                | answer comes when it has passed, an error after `limit` (60);   |
|                                                  | sockets outside have grace_ms for an answer                     |
| {"op": "timers"}                                 | {"0": {"period_s", "fired", "late"}}                            |
| {"op": "wdt"}                                    | {"timeout_ms", "left_s"}, null when it is not armed             |
| {"op": "reset", "kind": "hard"/"soft"/"power"}   | the new start's number                                          |
| {"op": "download"}                               | the state, "download" or "bootsel": reset, the boot button held |
| {"op": "flash", "offset": 0, "size": 16}         | the bytes there, in hex                                         |
| {"op": "plug", "in": false}                      | the state: "off" without cable and power; true plugs it in      |
| {"op": "plug", "after": 100}                     | it comes out when 100 more bytes have reached the board         |
| {"op": "network", "up": true, "rssi": -60,       | {"up", "rssi"}; all arguments optional, delay_ms, of real time  |
|  "delay_ms": 200}                                | and per direction, with --radio only                            |
| {"op": "world", "name": "a.b", "port": 80,       | sockets for a.b:80 go there; without port: for a.b, whatever    |
|  "to": ["127.0.0.1", 8080]}                      | the port; "to" an address keeps the port, null forgets the name |
| {"op": "world"}                                  | [[name, port or null, address, port or null], ...]              |
| {"op": "ntp", "set": seconds, "mode": "silent"}  | {"time", "mode": "ok"/"silent"/"garbage", "asked", "port"} of   |
|                                                  | the time server behind pool.ntp.org; both arguments optional    |
| {"op": "uart", "port": 1, "paced": true,         | how the program opened it, what was lost, and "socket": who     |
|  "baud": 9600, "model": "meter",                 | connects there is at the other end. uart.Uart has the words.    |
|  "facts": {"lose": 0.01, "say": "text"}}         | model: put one of uart.MODELS there; facts: change it           |
| {"op": "console"}                                | the last 64 KiB of text                                         |
| {"op": "write", "text": "..."}                   | types on the serial line                                        |
| {"op": "info"}                                   | {"pid", "starts", "cause", "state", "uptime_s", "name", ...}    |
| {"op": "watch"}                                  | true; from then on changes come on this connection              |

Changes have no id: {"change": "pin"/"pwm"/"pixels"/"start"/"state"/"console", ...}, those of a pin with "pin" and
"names"; console changes carry "text". state: "booting", "main", "repl"; without a program "asleep", "off", "held" in
reset by the lines, "empty" without firmware, "download" and "bootsel" while it waits for some.
Before a request is answered, all that the program had told the chip is done: what a shell command set, is seen.
"""
import json
import logging
import socket
from collections.abc import Callable
from typing import Any

from toolkit.simulator.errors import BoardFault, SimulatorError

MAX_LINE = 1 << 20
MAX_BACKLOG = 4 << 20          # bytes that a watcher may be behind before it is dropped

log = logging.getLogger(__name__)

LATER = object()               # an operation returns it that sends its answer itself

Request = dict[str, Any]
Operation = Callable[[Request], Any]


class Client:
    """One connection. It never blocks the board: what does not go out at once waits here, within a bound."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._rest = b""
        self._unsent = b""
        self.watches = False
        link.setblocking(False)

    def fileno(self) -> int:
        return self._link.fileno()

    def wants_to_write(self) -> bool:
        return bool(self._unsent)

    def lines(self) -> list[bytes] | None:
        """Lines that have come; None when the other end is gone."""
        try:
            data = self._link.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data or len(self._rest) > MAX_LINE:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def send(self, message: dict[str, Any]) -> bool:
        """False when the client is so far behind that it has to go."""
        self._unsent += json.dumps(message).encode() + b"\n"
        return self.flush() and len(self._unsent) <= MAX_BACKLOG

    def flush(self) -> bool:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._link.send(self._unsent):]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._link.close()


def answer(line: bytes, operations: dict[str, Operation]) -> dict[str, Any] | None:
    """The answer to one line of a client, None when it comes later; every mistake of the client is an `error`."""
    ident = None
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("a request is a JSON object")
        ident = request.get("id")
        operation = operations.get(str(request.get("op")))
        if operation is None:
            raise ValueError(f"unknown op {request.get('op')!r}; there are: {', '.join(sorted(operations))}")
        value = operation(request)
        return None if value is LATER else {"id": ident, "ok": value}
    except KeyError as error:
        return {"id": ident, "error": f"{error.args[0]} is missing or unknown"}
    except (ValueError, TypeError, OverflowError, BoardFault, SimulatorError) as error:
        return {"id": ident, "error": str(error)}
