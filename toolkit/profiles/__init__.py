"""The first configuration of a node: its name, a password of its own, and what a profile asks.

A profile is a JSON file beside this one, or a user's own:
    about      one line
    settings   {key of the node: value} that are not asked for
    questions  [{key, ask, kind, default?, least?, most?}], kind: text, secret (typed unseen), int, bool
"""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.archive import Config, checked_name
from toolkit.errors import UsageError

FOLDER = Path(__file__).parent
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"     # none that looks like another
PASSWORD_LETTERS = 16
LEAST_PASSWORD, MOST_PASSWORD = 8, 63        # of WPA2, so the node's rule for `appwd`
KNOWN_PASSWORD = "ADmin123"                  # what every 1.20 node has: no password at all
WORDS = {"yes": True, "y": True, "true": True, "on": True, "1": True,
         "no": False, "n": False, "false": False, "off": False, "0": False}
TRIES = 5


class AnswerError(UsageError):
    """Raised when an answer is not of its question's kind."""


@dataclass(frozen=True)
class Question:
    """One row; default None: it has to be answered. least, most: of an int."""

    key: str
    ask: str
    kind: str
    default: Any = None
    least: int | None = None
    most: int | None = None

    @property
    def expects(self) -> str:
        limits = "" if self.least is None else f", {self.least} to {self.most}"
        return KINDS[self.kind][1] + limits

    def value(self, given: object) -> Any:
        """An answer as the setting's type. Raises AnswerError."""
        value = KINDS[self.kind][0](given)
        if value is None or not self._is_within(value):
            shown = "what came" if self.kind == "secret" else repr(given)
            raise AnswerError(f"{self.key} takes {self.expects}, not {shown}")
        return value

    def _is_within(self, value: Any) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def _text(given: object) -> str | None:
    return given.strip() or None if isinstance(given, str) else None


def _secret(given: object) -> str | None:
    return given or None if isinstance(given, str) else None


def _whole(given: object) -> int | None:
    try:
        return None if isinstance(given, bool) else int(str(given))
    except ValueError:
        return None


def _yes_or_no(given: object) -> bool | None:
    return WORDS.get(str(given).strip().lower())


KINDS: dict[str, tuple[Callable[[object], Any], str]] = {
    "text": (_text, "text"),
    "secret": (_secret, "text"),
    "int": (_whole, "a whole number"),
    "bool": (_yes_or_no, "yes or no"),
}

Ask = Callable[[Question], str]


@dataclass(frozen=True)
class Profile:
    name: str
    about: str
    settings: Config
    questions: tuple[Question, ...]


def shipped() -> dict[str, Profile]:
    return {path.stem: profile(path.stem) for path in sorted(FOLDER.glob("*.json"))}


def profile(name: str) -> Profile:
    """A shipped profile by name, or the user's own by its path. Raises UsageError."""
    path = FOLDER / f"{name}.json"
    path = path if path.is_file() else Path(name)
    if not path.is_file():
        there_are = ", ".join(sorted(each.stem for each in FOLDER.glob("*.json")))
        raise UsageError(f"no profile {name!r}; there are: {there_are}; a file of your own is named by its path")
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        questions = tuple(Question(**row) for row in rows["questions"])
        if unknown := [row.kind for row in questions if row.kind not in KINDS]:
            raise ValueError(f"kind {unknown[0]!r} is none of {', '.join(KINDS)}")
        return Profile(path.stem, str(rows["about"]), dict(rows["settings"]), questions)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} is no profile: {error}") from None


def filled(asked: Profile, given: Mapping[str, Any], ask: Ask | None) -> Config:
    """Settings of a profile, its questions answered: by what is given, else by a person, else by the default.

    ask   takes a question, returns what was typed ("" = the default); None: nobody is there
    Raises UsageError when an answer is missing or wrong; a person may try again.
    """
    answers = {question.key: _answer(question, given, ask) for question in asked.questions}
    return {**asked.settings, **answers}


def _answer(question: Question, given: Mapping[str, Any], ask: Ask | None) -> Any:
    if question.key in given:
        return question.value(given[question.key])
    if ask is None:
        if question.default is None:
            raise UsageError(f"nobody can be asked for {question.key} ({question.ask}): give a file that holds it "
                             "with --config FILE")
        return question.default
    return answered(question, ask)


def answered(question: Question, ask: Ask) -> Any:
    """What a person types, as the question's type; a wrong answer may be mended. Raises AnswerError in the end."""
    for tries_left in reversed(range(TRIES)):
        typed = ask(question)
        if not typed.strip() and question.default is not None:
            return question.default
        try:
            return question.value(typed)
        except AnswerError:
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def password() -> str:
    """A random one: 16 letters and digits, 93 bits."""
    import secrets  # slow to import, and the overview of commands needs none

    return "".join(secrets.choice(LETTERS) for _ in range(PASSWORD_LETTERS))


def completed(settings: Config, name: str | None, fallback: str) -> Config:
    """Settings with a name and a password that is nobody else's; what they have is kept.

    name      wins over the one in the settings; fallback: when neither is there
    Raises UsageError when the name or the password cannot be a node's.
    """
    chosen = checked_name(name or settings.get("devfid") or fallback)
    has_own = settings.get("appwd", KNOWN_PASSWORD) != KNOWN_PASSWORD
    own = settings["appwd"] if has_own else password()
    if not isinstance(own, str) or not LEAST_PASSWORD <= len(own) <= MOST_PASSWORD or " " in own:
        raise UsageError(f"appwd takes {LEAST_PASSWORD} to {MOST_PASSWORD} characters without blanks")
    return {**settings, "devfid": chosen, "appwd": own}


def encoded(settings: Config) -> bytes:
    """node_config.json, as the node reads it."""
    return json.dumps(settings, ensure_ascii=False).encode()
