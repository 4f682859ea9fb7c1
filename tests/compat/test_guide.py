"""MODULE_GUIDE.md, every line tried: its module is written, linted, dropped and typed to as it says."""
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.device.test_sessions import fits

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "MODULE_GUIDE.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"(?:(?:\[configure\] )?node01 )?\$ (.+)")
SYMBOLS = """
SmartADC data_logger micro_task notify socket_stream transition transition_gen cfgget cfgput console_write
errlog_add errlog_clean errlog_get logger dump_cache send_cmd detect_platform get_pinmap physical_pin pinmap_dump
get_mac ifconfig sta_high_avail Telegram Manager exec_lm_core Sun ntp_time set_time suntime uptime get post
"""


def blocks(language):
    return [text for kind, text in BLOCK.findall(GUIDE) if kind == language]


def turns():
    """[line typed, on the host?, [lines of the answer]] of all conversations."""
    found = []
    for line in "".join(blocks("")).splitlines():
        typed = TYPED.fullmatch(line)
        if typed:
            found.append([typed[1], line.startswith("$"), []])
        else:
            found[-1][2].append(line)
    return found


def on_the_host(line, board, folder):
    """What a command says that is typed in the repository's folder."""
    words = shlex.split(line.replace("127.0.0.1", board.address))
    words = [str(Path(sys.executable).parent / Path(word).name) if word.startswith("env/venv/bin/") else
             str(ROOT / word) if word == "devToolKit.py" else word for word in words]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_line_of_the_guide(make_board, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROS_DATA", str(tmp_path / "data"))
    (module,) = blocks("python")
    (tmp_path / "LM_fan.py").write_text(module)
    board = make_board()
    with board.session() as session:
        for typed, is_host, expected in turns():
            told = on_the_host(typed, board, tmp_path) if is_host else session.send(typed)
            while expected and not expected[-1]:
                expected.pop()
            assert fits(expected or [""], told.rstrip("\n").split("\n")), f"{typed}\n{expected}\n{told}"
    assert board.shell("fan status >json") == '{"duty": 400}'


def test_the_guide_names_every_symbol():
    table = GUIDE[GUIDE.index("| from |"):]
    assert [name for name in SYMBOLS.split() if not re.search(rf"`(\w+\(\)|\w*)\.?{name}\b", table)] == []
