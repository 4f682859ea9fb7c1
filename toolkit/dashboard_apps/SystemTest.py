"""Test of a node: 20 checks, from the shell over settings and tasks to memory, as a table.

A setting that is changed is put back. Nothing restarts.
"""
from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable

from toolkit.apps import AppError, Node, Steps, node
from toolkit.table import table

KEY, OTHER_VALUES = "soctout", ("90", "110")       # a setting that does no harm
UNKNOWN = "No task found"
CLOCK = re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}\s+\d{1,2}:\d{1,2}:\d{1,2}")
ASKED = 20
SLOWEST_S = 0.5                # median of an answer that says hello
FULLEST_PCT = 95
ANSWERS_WITHIN = 20            # looks at a task, 0.25 s apart


class CheckError(AppError):
    """Raised by a check that fails; says what was expected and what came."""


def expect(is_right: object, what: str, got: object) -> None:
    if not is_right:
        raise CheckError(f"expected {what}, got {str(got)[:100]!r}")


def contains(board: Node, command: str, text: str) -> str:
    answer = board.raw(command)
    expect(text in answer, f"{text!r} from {command!r}", answer)
    return answer.strip().splitlines()[0] if answer.strip() else ""


def hello(board: Node) -> str:
    answer = board.raw("hello")
    expect(answer.startswith(f"hello:{board.name}:"), f"hello:{board.name}:<uid>", answer)
    return answer


def version(board: Node) -> str:
    answer = board.raw("version")
    expect(re.fullmatch(r"\d+\.\d+\.\d+-\d+", answer), "a version like 1.20.7-0", answer)
    return answer


def overview(board: Node) -> str:
    contains(board, "help", "hello")
    return ""


def modules(board: Node) -> str:
    contains(board, "help lm", "\n   system\n")
    return ""


def clock(board: Node) -> str:
    answer = board.raw("system clock")
    expect(CLOCK.match(answer), "date and time", answer)
    return answer.splitlines()[0]


def as_json(board: Node) -> str:
    answer = board.raw("system memory_usage >json")
    try:
        value = json.loads(answer)
    except ValueError:
        value = None
    expect(isinstance(value, dict), "a JSON object", answer)
    return answer


def config_get(board: Node) -> str:
    return in_configure_mode(board, lambda: contains(board, "devfid", board.name))


def config_set(board: Node) -> str:
    def change() -> str:
        before = board.raw(KEY)
        value = next(value for value in OTHER_VALUES if value != before)
        try:
            contains(board, f"{KEY} {value}", "Saved")
            expect(board.raw(KEY) == value, value, board.raw(KEY))
        finally:
            board.raw(f"{KEY} {before}")
        expect(board.raw(KEY) == before, before, board.raw(KEY))
        return f"{KEY} {before} -> {value} -> {before}"
    return in_configure_mode(board, change)


def config_refuses(board: Node) -> str:
    return in_configure_mode(board, lambda: contains(board, "nosuchkey 1", "Invalid key"))


def in_configure_mode(board: Node, do: Callable[[], str]) -> str:
    board.raw("conf")
    try:
        return do()
    finally:
        board.raw("noconf")


def task_once(board: Node) -> str:
    contains(board, "system heartbeat &", "Start system.heartbeat")
    return eventually(board, "task show system.heartbeat", "<3 heartbeat <3")


def task_loop(board: Node) -> str:
    contains(board, "system clock &&200", "Start system.clock")
    eventually(board, "task list", "Yes       system.clock")
    return ""


def task_kill(board: Node) -> str:
    contains(board, "task kill system.clock", "True")
    eventually(board, "task list", "No        system.clock")
    return ""


def task_unknown(board: Node) -> str:
    return contains(board, "task show nosuch.task", UNKNOWN)


def eventually(board: Node, command: str, text: str) -> str:
    for _ in range(ANSWERS_WITHIN):
        answer = board.raw(command)
        if text in answer:
            return text
        time.sleep(0.25)
    raise CheckError(f"expected {text!r} from {command!r}, got {answer[-100:]!r}")


def refuses_module(board: Node) -> str:
    return contains(board, "nosuchmodule call", "exec_lm_core LM_nosuchmodule->call: ")


def refuses_function(board: Node) -> str:
    return contains(board, "system nosuchfunction", "exec_lm_core LM_system->nosuchfunction: ")


def survives_error(board: Node) -> str:
    told = contains(board, "robustness raise_error", "Test exception")
    hello(board)
    return told


def speed(board: Node) -> str:
    taken_s = []
    for _ in range(ASKED):
        begin = time.perf_counter()
        hello(board)
        taken_s.append(time.perf_counter() - begin)
    median_s = statistics.median(taken_s)
    expect(median_s < SLOWEST_S, f"{ASKED} answers, half of them within {SLOWEST_S} s", f"{median_s:.3f} s")
    return f"{1000 * median_s:.1f} ms (worst {1000 * max(taken_s):.1f})"


def alarms(board: Node) -> str:
    last = board.ask("system alarms").strip().splitlines()[-1].strip()
    expect(last == "OK alarm: 0", "no alarm", last)
    return last


def other_node(board: Node) -> str:
    """It asks itself, through the network."""
    tag = re.search(r"con\.[\w.:-]+", board.raw(f"intercon sendcmd {board.device.address} hello"))
    expect(tag, "a task con.<address>", "none")
    return eventually(board, f"task show {tag[0] if tag else ''}", f"hello:{board.name}:")


def memory_and_disk(board: Node) -> str:
    used = {what: board.read(f"system {what}_usage") for what in ("memory", "disk")}
    percents = {what: value.get("percent") if isinstance(value, dict) else None for what, value in used.items()}
    is_roomy = all(isinstance(each, (int, float)) and each < FULLEST_PCT for each in percents.values())
    expect(is_roomy, f"less than {FULLEST_PCT} % of each in use", percents)
    return ", ".join(f"{what} {percent} %" for what, percent in percents.items())


CHECKS: tuple[tuple[str, Callable[[Node], str]], ...] = (
    ("hello", hello),
    ("version", version),
    ("help", overview),
    ("help lists modules", modules),
    ("clock", clock),
    ("alarms", alarms),              # before the refusals, which an older node takes for alarms
    ("answers as JSON", as_json),
    ("read a setting", config_get),
    ("write a setting", config_set),
    ("refuse a setting", config_refuses),
    ("task that runs once", task_once),
    ("task that runs again and again", task_loop),
    ("end a task", task_kill),
    ("task that is not there", task_unknown),
    ("module that is not there", refuses_module),
    ("function that is not there", refuses_function),
    ("a call that raises", survives_error),
    ("time of an answer", speed),
    ("ask another node", other_node),
    ("memory and disk", memory_and_disk),
)


def app(devfid: str | Node | None = None) -> Steps:
    rows = []
    with node(devfid) as board:
        for number, (what, check) in enumerate(CHECKS, 1):
            try:
                rows.append((str(number), what, "ok", check(board)))
            except AppError as error:
                rows.append((str(number), what, "FAILED", str(error)))
    bad = sum(row[2] != "ok" for row in rows)
    yield "\n".join([*table(("#", "CHECK", "RESULT", "DETAIL"), rows), f"{len(rows) - bad} of {len(rows)} passed"])
    return int(bad > 0)
