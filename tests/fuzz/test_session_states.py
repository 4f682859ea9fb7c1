"""The states of a session, locked, open, in configure mode: hypothesis leads a node and a model through them."""
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.device.wire import Wire
from tests.fuzz.effort import hard, times
from toolkit.simulator import VirtualBoard

PASSWORD = "Right-one1"
NAME = "node01"
FREE_TRIES = 4                       # wrong passwords behind which a right one has not to wait, and forgets them
AT_ONCE = {"hello": f"hello:{NAME}:", "version": "2."}
OPEN = {"system heartbeat": "<3 heartbeat <3", "help": "[MICROS]", "modules": "[", "devfid": "SHELL:", "noconf": "",
        "conf devfid": "", "conf": ""}
AFTER = {"conf": True, "conf devfid": True, "noconf": False}         # whether it is in configure mode
CONFIGURING = {"devfid": NAME, "appwd": "********", "utc 61": "Saved", "utc much": "Failed to save: ",
               "system heartbeat": "Invalid key", "nosuchkey": "None", "help": "[MICROS]", "conf": "", "noconf": ""}


class Session(RuleBasedStateMachine):
    """Whatever is said, the prompt and the answer are those of the state that the model is in."""

    board = None

    def __init__(self):
        super().__init__()
        self.comes()
        self.is_opened()                 # so the node forgets the wrong ones of the run before

    def comes(self):
        self.is_trusted = self.is_configuring = False
        self.wire = Wire(self.board, self.prompt())

    def prompt(self):
        lock, mode = "" if self.is_trusted else "[password] ", "[configure] " if self.is_configuring else ""
        return f"{lock}{mode}{NAME} $ "

    def says(self, line, answer):
        heard = self.wire.send(line + "\n").until(self.prompt())
        assert heard.startswith(answer) and heard.endswith(self.prompt()), (line, heard)

    def ends(self, line, answer, end=""):
        heard = self.wire.send(line + "\n").until("never")
        assert heard.startswith(answer) and heard.endswith("Bye!\n" + end + "<<EOF>>"), (line, heard)
        self.wire.close()
        self.comes()

    @rule(line=st.sampled_from(list(AT_ONCE)))
    def is_asked_what_it_is(self, line):
        self.says(line, AT_ONCE[line])

    @precondition(lambda self: not self.is_trusted)
    @rule()
    def is_opened(self):
        self.is_trusted = True
        self.wrong = 0
        self.says(PASSWORD, "AuthOk\n")

    @precondition(lambda self: not self.is_trusted and self.wrong < FREE_TRIES)
    @rule(line=st.sampled_from(["conf", "Right-one", "Right-one11", "system heartbeat", "help", "right-one1 conf"]))
    def is_given_a_wrong_password(self, line):
        self.wrong += 1
        self.ends(line, "AuthFailed\n")

    @precondition(lambda self: self.is_trusted)
    @rule(number=st.integers(0, 99))
    def is_told_a_command_or_a_key(self, number):
        table = CONFIGURING if self.is_configuring else OPEN
        line = list(table)[number % len(table)]
        self.is_configuring = AFTER.get(line, self.is_configuring)
        self.says(line, table[line])

    @rule()
    def is_left(self):
        self.ends("exit", "Bye!\n", "\n")

    def teardown(self):
        self.wire.close()


@pytest.fixture(scope="module")
def locked():
    with VirtualBoard(config={"auth": True, "appwd": PASSWORD, "socmax": 8, "ntphost": "n/a"}) as running:
        yield running


@pytest.mark.slow
def test_a_session_is_in_the_state_that_what_was_said_brought_it_to(locked):
    Session.board = locked
    run_state_machine_as_test(Session, settings=settings(hard, max_examples=times(12), stateful_step_count=16))
