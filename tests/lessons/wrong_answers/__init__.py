"""What learners get wrong, lesson by lesson: the gate gives each of these to the exercise's check.

A module `lesson_03.py` has functions with `@wrong_answer(id, part of the message)`, which return the values for
`check` (a live exercise changes the account instead, and returns `()`), an `@undo(id)` for each live exercise,
and `secrets(id, …)`: what would give the answer away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    name: str
    says: str
    answer: Callable[[], tuple]


WRONG: dict[str, list[Wrong]] = defaultdict(list)
UNDO: dict[str, Callable[[], None]] = {}
SECRETS: dict[str, tuple[str, ...]] = {}


def wrong_answer(exercise_id: str, says: str) -> Callable:
    """A way to get the exercise wrong, and what its message must contain."""

    def register(answer: Callable[[], tuple]) -> Callable[[], tuple]:
        WRONG[exercise_id].append(Wrong(answer.__name__.replace("_", " "), says, answer))
        return answer

    return register


def undo(exercise_id: str) -> Callable:
    """How the account gets back to where nobody has tried the exercise."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        UNDO[exercise_id] = function
        return function

    return register


def secrets(exercise_id: str, *words: str) -> None:
    """Words that no message about a wrong answer may contain, as whole words."""
    SECRETS[exercise_id] = words
