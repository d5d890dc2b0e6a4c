"""Remember what learners have built while it is there, so that deleting it takes nothing from them."""

import contextlib
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import state as account_state
from helpers.account.state import AccountState
from helpers.errors import WorkbookError
from helpers.exercises import last_lesson
from helpers.exercises.last_lesson import BUILT
from helpers.lessons.catch_up import Lesson, lesson_files, read_lesson

CLEAN_UP = "99"  # how the lesson begins that builds nothing and is done when nothing is left


def remember_before(lesson: str, folder: Path) -> None:
    """Remember what is built before a lesson begins, and so before anything is caught up or deleted.

    An account that does not answer is no trouble here.
    """
    with contextlib.suppress(BotoCoreError, ClientError):
        if lessons := [each for each in _not_built_yet(folder) if each.name != lesson]:
            _remember(lessons, account_state.read())


def remember(state: AccountState, folder: Path) -> None:
    """Remember of the lessons that were begun those that are built now. Raises botocore's errors."""
    _remember(_not_built_yet(folder), state)


def _not_built_yet(folder: Path) -> list[Lesson]:
    """Return the lessons that were begun, build something or clean up, and were not seen to have done so."""
    begun = last_lesson.begun(path.stem for path in lesson_files(folder))
    waiting = {name for name, known in begun.items() if not {BUILT, last_lesson.CAUGHT_UP} & set(known)}
    lessons = []
    for path in lesson_files(folder):
        with contextlib.suppress(WorkbookError):  # a broken lesson: who needs it says so
            if path.stem in waiting:
                lessons.append(read_lesson(path))
    return [lesson for lesson in lessons if lesson.provides or lesson.name.startswith(CLEAN_UP)]


def _remember(lessons: list[Lesson], state: AccountState) -> None:
    is_done = {
        lesson.name: not account_state.missing(lesson.provides, state) if lesson.provides else not state.parts
        for lesson in lessons
    }
    last_lesson.mark([name for name, done in is_done.items() if done], BUILT)
