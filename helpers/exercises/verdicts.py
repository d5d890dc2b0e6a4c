"""Say in one line whether an exercise is solved: not attempted, not yet (and which misconception), or correct.

A checker is a function with `@exercise(id)` in `lesson_NN.py`, the module of its lesson. It gets the values
that the learner gave to `check`, or reads the account with boto3, and returns a Verdict. What holds for all
exercises is done here: gaps that are still open, values of a wrong type, an AWS that does not answer.
"""

import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from textwrap import shorten
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from IPython.display import Code, display

from helpers.errors import WorkbookError
from helpers.exercises import record
from helpers.paths import NOTEBOOKS

SOLUTIONS = NOTEBOOKS / "solutions"
GLOSSARY = "GLOSSARY.md"  # beside the lessons
CORRECT, NOT_YET, NOT_ATTEMPTED = "correct", "not yet", "not attempted"
_LOOK = {CORRECT: ("✓", "#00815f"), NOT_YET: ("✗", "#c94f00"), NOT_ATTEMPTED: ("○", "#5b6770")}  # sign, colour
_ID = re.compile(r"(\d\d)-\d")


@dataclass(frozen=True)
class Verdict:
    """What a checker says. `see` is an anchor of the glossary, or empty."""

    outcome: str
    message: str
    see: str = ""

    @property
    def correct(self) -> bool:
        return self.outcome == CORRECT


@dataclass(frozen=True)
class Exercise:
    """A checker, and the types that its values must have: one type, or a tuple of them, for each value."""

    id: str
    takes: tuple[type | tuple[type, ...], ...]
    checker: Callable[..., Verdict]


class VerdictLine:
    """The line that a notebook shows for a verdict; its text is the same everywhere."""

    def __init__(self, exercise_id: str, verdict: Verdict) -> None:
        self._id, self._verdict = exercise_id, verdict

    def __repr__(self) -> str:
        sign, _ = _LOOK[self._verdict.outcome]
        see = f" (see {GLOSSARY}#{self._verdict.see})" if self._verdict.see else ""
        return f"{sign} {self._id}: {self._verdict.outcome}. {self._verdict.message}{see}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self) -> str:
        """Return the same with a coloured edge; text and ground are the page's own, so that it fits dark and light."""
        sign, colour = _LOOK[self._verdict.outcome]
        anchor = self._verdict.see
        see = f' (see <a href="{GLOSSARY}#{anchor}">{anchor.replace("-", " ")}</a>)' if anchor else ""
        return (
            f'<div style="border-left: 5px solid {colour}; padding: 4px 10px; font-size: 110%">'
            f'<b><span style="color: {colour}">{sign}</span> {self._id}: {self._verdict.outcome}.</b> '
            f"{escape(self._verdict.message)}{see}</div>"
        )


_EXERCISES: dict[str, Exercise] = {}


def correct(message: str) -> Verdict:
    """Return the verdict that the exercise is solved; the message says what this shows."""
    return Verdict(CORRECT, message)


def wrong(message: str, see: str = "") -> Verdict:
    """Return the verdict that it is not solved yet.

    The message names the misconception and does not give the answer away.
    """
    return Verdict(NOT_YET, message, see)


def not_attempted(message: str = "Replace each ... and run the cell again.") -> Verdict:
    return Verdict(NOT_ATTEMPTED, message)


def exercise(exercise_id: str, takes: Any = ()) -> Callable[..., Any]:
    """Make a function the checker of an exercise.

    `takes` is a type for each value that `check` is given (a tuple in its place: one of several types); a single type
    may stand alone, and nothing means no value.
    """
    types = takes if isinstance(takes, tuple) else (takes,)

    def register(checker: Callable[..., Verdict]) -> Callable[..., Verdict]:
        if exercise_id in _EXERCISES and _EXERCISES[exercise_id].checker.__module__ != checker.__module__:
            raise ValueError(f"there are two checkers for {exercise_id}")
        _EXERCISES[exercise_id] = Exercise(exercise_id, types, checker)
        return checker

    return register


def find(exercise_id: str) -> Exercise:
    """Return the exercise with this id. Raises WorkbookError when there is none."""
    match = _ID.fullmatch(exercise_id) if isinstance(exercise_id, str) else None
    if match:
        try:
            importlib.import_module(f"helpers.exercises.lesson_{match[1]}")
        except ModuleNotFoundError as error:
            if error.name != f"helpers.exercises.lesson_{match[1]}":
                raise
    if not match or exercise_id not in _EXERCISES:
        raise WorkbookError(f"There is no exercise {exercise_id!r}. An id looks like '03-1': lesson 3, exercise 1.")
    return _EXERCISES[exercise_id]


def verdict(exercise_id: str, *values: Any) -> Verdict:
    """Judge the values, or the account, without showing or recording anything.

    Raises WorkbookError for an unknown exercise, outside of a lesson that has begun, and when AWS does not
    answer; never because of a value.
    """
    wanted = find(exercise_id)
    if not os.environ.get("WORKBOOK_LESSON"):
        raise WorkbookError(
            "No lesson has begun here. Run the setup cell at the top of the lesson, then this cell again.",
            more="no-lesson-has-begun",
        )
    if len(values) != len(wanted.takes):
        return not_attempted(f"The last line of the cell gives {len(wanted.takes)} value(s) to check; bring it back.")
    if any(_has_gap(value) for value in values):
        return not_attempted()
    for value, types in zip(values, wanted.takes, strict=True):
        if not _has_type(value, types):
            return wrong(f"Your answer is {_describe_type(value)}; this exercise asks for {_describe_types(types)}.")
    return _run_checker(wanted, values)


def check(exercise_id: str, *values: Any) -> None:
    """Show in one line whether the exercise is solved, and record it. Raises WorkbookError like `verdict`."""
    result = verdict(exercise_id, *values)
    if result.outcome != NOT_ATTEMPTED:
        record.remember(exercise_id, result.correct)
    display(VerdictLine(exercise_id, result))


def reveal(exercise_id: str) -> None:
    """Show the solution of an exercise: one of many, often."""
    lesson, number = find(exercise_id).id.split("-")
    path = SOLUTIONS / f"ex_{lesson}_{number}.py"
    if not path.is_file():
        raise WorkbookError(
            f"This copy of the workbook comes without the solutions; ask your teacher for {path.name}.",
            more="this-copy-has-no-solutions",
        )
    display(Code(path.read_text(encoding="utf-8"), language="python"))


class EarlyVerdict(Exception):
    """End a check before its checker returns; carries the verdict that one of the checker's helpers has reached."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


def _run_checker(wanted: Exercise, values: tuple[Any, ...]) -> Verdict:
    try:
        return wanted.checker(*values)
    except EarlyVerdict as early:
        return early.verdict
    except (BotoCoreError, ClientError) as error:
        raise WorkbookError(
            f"The check could not read your account: {' '.join(str(error).split())} "
            "Run the setup cell of this lesson again, then this cell.",
            more="the-account-does-not-answer",
        ) from error
    except Exception as error:  # a value that nobody has thought of is no reason for a traceback of ours
        return wrong(f"Your answer has a form that this check cannot read ({summarize(error)}).")


def summarize(error: Exception) -> str:
    """Return kind and beginning of an exception, in one line of at most 120 characters."""
    return shorten(f"{type(error).__name__}: {error}", 120, placeholder=" …")


def _has_gap(value: Any) -> bool:
    """Return whether there is a `...` anywhere in the value."""
    if isinstance(value, dict):
        return any(_has_gap(each) for pair in value.items() for each in pair)
    if isinstance(value, (list, tuple, set)):
        return any(_has_gap(each) for each in value)
    return value is ...


def _has_type(value: Any, types: type | tuple[type, ...]) -> bool:
    """Check like isinstance, except that True is no number."""
    allowed = types if isinstance(types, tuple) else (types,)
    return isinstance(value, allowed) and (not isinstance(value, bool) or bool in allowed or object in allowed)


_WORDS = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "True or False", "list": "a list",
    "dict": "a dict", "set": "a set", "tuple": "a tuple", "NoneType": "None", "function": "a function",
    "Callable": "a function", "Decimal": "a Decimal", "bytes": "bytes",
}  # fmt: skip


def _describe_types(types: type | tuple[type, ...]) -> str:
    names = [each.__name__ for each in (types if isinstance(types, tuple) else (types,))]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _describe_type(value: Any) -> str:
    name = type(value).__name__
    return _WORDS.get(name, f"of the type {name}")
