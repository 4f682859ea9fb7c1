"""Configurations: profiles and their questions, and the archive that keeps them."""
import json
import os
import stat

import pytest

from micrOS.make_docs import settings
from toolkit import archive, profiles
from toolkit.errors import UsageError
from toolkit.profiles import AnswerError, Question

KINDS = {str: ("text", "secret"), int: ("int",), bool: ("bool",)}
TABLE = {row.key: row for row in settings()}
SHIPPED = profiles.shipped()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_sets_and_asks_only_for_settings_of_the_node_in_their_types(name):
    asked = SHIPPED[name]
    for key, value in asked.settings.items():
        assert type(value) is type(json.loads(json.dumps(value))) and key in TABLE
    for question in asked.questions:
        assert question.kind in KINDS[{"str": str, "int": int, "bool": bool}[TABLE[question.key].kind]]


@pytest.mark.parametrize("kind, typed, value", (
    ("bool", "False", False), ("bool", "no", False), ("bool", "0", False), ("bool", "Yes", True), ("bool", True, True),
    ("int", " -60 ", -60), ("int", 60, 60), ("text", " home ", "home"), ("secret", " with blanks ", " with blanks "),
))
def test_an_answer_becomes_the_type_of_its_setting(kind, typed, value):
    got = Question("key", "?", kind).value(typed)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize("question, typed, why", (
    (Question("cron", "?", "bool"), "maybe", "cron takes yes or no, not 'maybe'"),
    (Question("utc", "?", "int", least=-720, most=840), "900", "utc takes a whole number, -720 to 840, not '900'"),
    (Question("utc", "?", "int"), "1.5", "not '1.5'"),
    (Question("utc", "?", "int"), True, "not True"),
    (Question("staessid", "?", "text"), "  ", "staessid takes text, not '  '"),
    (Question("stapwd", "?", "secret"), 12345678, "stapwd takes text, not what came"),
))
def test_a_wrong_answer_says_what_is_taken_and_shows_no_secret(question, typed, why):
    with pytest.raises(AnswerError) as refused:
        question.value(typed)
    assert why in str(refused.value)


def test_a_person_may_try_again_but_not_for_ever():
    typed = ["maybe", "no"]
    assert profiles.answered(Question("cron", "?", "bool"), lambda _: typed.pop(0)) is False
    with pytest.raises(AnswerError):
        profiles.answered(Question("cron", "?", "bool"), lambda _: "maybe")


def test_what_is_given_is_not_asked_and_what_nobody_can_answer_is_named():
    given = {"staessid": "home", "stapwd": "secret word"}
    assert profiles.filled(SHIPPED["wifi"], given, None) == {"nwmd": "STA", **given}
    with pytest.raises(UsageError, match="nobody can be asked for stapwd .*--config FILE"):
        profiles.filled(SHIPPED["wifi"], {"staessid": "home"}, None)


def test_a_profile_of_the_users_own_is_named_by_its_path(tmp_path):
    own = tmp_path / "own.json"
    own.write_text('{"about": "mine", "settings": {"dbg": false}, "questions": []}')
    assert profiles.filled(profiles.profile(str(own)), {}, None) == {"dbg": False}
    own.write_text('{"about": "mine", "settings": {}, "questions": [{"key": "a", "ask": "?", "kind": "colour"}]}')
    with pytest.raises(UsageError, match="is no profile: kind 'colour' is none of text, secret, int, bool"):
        profiles.profile(str(own))
    with pytest.raises(UsageError, match="no profile 'none'; there are: access_point, schedule, wifi"):
        profiles.profile("none")


def test_a_new_configuration_has_a_password_of_its_own():
    first, second = (profiles.completed({}, "lamp01", "node01") for _ in range(2))
    assert first["devfid"] == "lamp01" and len(first["appwd"]) == 16
    assert first["appwd"] != second["appwd"]


def test_the_password_that_every_node_has_is_replaced_and_one_of_the_users_is_kept():
    assert profiles.completed({"appwd": "ADmin123"}, None, "n")["appwd"] != "ADmin123"
    assert profiles.completed({"appwd": "mine12345"}, None, "n")["appwd"] == "mine12345"
    for unfit in ("short", "with blank in it", 12345678):
        with pytest.raises(UsageError, match="appwd takes 8 to 63 characters"):
            profiles.completed({"appwd": unfit}, None, "n")


def test_the_name_comes_from_the_option_then_the_file_then_the_chip():
    assert profiles.completed({"devfid": "b"}, "a", "c")["devfid"] == "a"
    assert profiles.completed({"devfid": "b"}, None, "c")["devfid"] == "b"
    assert profiles.completed({}, None, "c")["devfid"] == "c"


# -- the archive


def test_a_configuration_is_kept_under_its_name_for_its_owner_only(data):
    config = b'{"devfid": "lamp01", "appwd": "secret word"}'
    path = archive.archive(config)
    assert path == data / "node_config_archive" / "lamp01-node_config.json"
    assert path.read_bytes() == config and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert archive.load("lamp01")["appwd"] == "secret word"
    assert os.listdir(path.parent) == [path.name]


def test_the_later_configuration_of_a_name_takes_the_place():
    for number in (1, 2):
        archive.archive(json.dumps({"devfid": "lamp01", "soctout": number}).encode())
    assert archive.load("lamp01")["soctout"] == 2 and list(archive.archived()) == ["lamp01"]


@pytest.mark.parametrize("config, why", (
    (b"\xff", "is no node configuration"), (b"[]", "expected a JSON object, got list"),
    (b"{}", "1 to 32 letters, digits"), (b'{"devfid": "../../evil"}', "1 to 32 letters, digits"),
    (b'{"devfid": 5}', "1 to 32 letters, digits"),
))
def test_what_is_no_configuration_is_refused(config, why, data):
    with pytest.raises(UsageError, match=why):
        archive.archive(config)
    assert archive.archived() == {}


def test_an_unknown_name_lists_those_there_are():
    archive.archive(b'{"devfid": "lamp01"}')
    with pytest.raises(UsageError, match="no configuration of 'lamp02' in the archive; there are: lamp01"):
        archive.load("lamp02")


def test_whether_a_node_is_to_be_locked_is_kept_beside():
    assert archive.access_of("lamp01") is None
    archive.keep_access("lamp01", archive.LOCKED)
    assert archive.access_of("lamp01") == "locked"
    assert archive.archived() == {}
